"""Tokens that calls carry: asked for once, renewed early by one process, renewed at once when the provider refuses."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Recipient
from app.gateways.base import Call, Gateway, Reply, Token, Transport
from app.gateways.registry import build
from app.gateways.tokens import TOTAL_SECONDS, Kept, TokenTransport, with_tokens
from tests.gateways.samples.wechat import ADA, GRACE, SETTINGS

REFUSED = Reply(200, b'{"errcode": 42001, "errmsg": "access_token expired"}')
YES = Reply(200, b'{"errcode": 0, "errmsg": "ok"}')


class Provider:
    """A transport to a provider that knows which tokens count, and answers in the next poll."""

    def __init__(self) -> None:
        self.good: set[str] = set()
        self.questions: list[bool] = []
        self.next_token: Callable[[int], Reply] = lambda number: self.issue(f"t{number}")
        self.slots = 8
        self.taken: list[Call] = []
        self._ended: list[tuple[Call, Reply]] = []

    @property
    def free(self) -> int:
        return self.slots - len(self._ended)

    @property
    def in_flight(self) -> int:
        return len(self._ended)

    def issue(self, token: str) -> Reply:
        self.good.add(token)
        return Reply(200, json.dumps({"access_token": token, "expires_in": 7200}).encode())

    def submit(self, call: Call) -> None:
        assert self.free
        if call.url.endswith("/stable_token"):
            self.questions.append(json.loads(call.body)["force_refresh"])
            self._ended.append((call, self.next_token(len(self.questions))))
            return
        token = call.url.rpartition("access_token=")[2]
        if token in self.good:
            self.taken.append(call)
        self._ended.append((call, YES if token in self.good else REFUSED))

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        self._ended.clear()


class Memory:
    """A keeper for one process, whose lock another may hold."""

    def __init__(self, kept: Kept | None = None) -> None:
        self.kept, self.locked, self.rests = kept, False, 0

    def token(self) -> Kept | None:
        return self.kept

    @contextmanager
    def lock(self) -> Iterator[bool]:
        yield not self.locked

    def keep(self, token: Token) -> None:
        self.kept = Kept(token.value, True)

    def rest(self) -> None:
        self.rests += 1


@pytest.fixture
def provider() -> Provider:
    return Provider()


def gateway() -> Gateway:
    return build("wechat", SETTINGS, None)


def over(provider: Transport, keeper: Memory, wait: Callable[[float], None] = lambda _: None) -> Transport:
    ticks = iter(range(100_000))
    return TokenTransport(gateway(), provider, keeper, ticks=lambda: float(next(ticks)), wait=wait)  # type: ignore[arg-type]


def answer(number: int, user: str = ADA) -> Call:
    (call,) = gateway().encode(
        Batch((Recipient(DeliveryRef(1, number, 7), Address("wechat", user), "Hi"),), "")
    )
    return call


def run(transport: Transport, *calls: Call) -> list[tuple[Call, Reply]]:
    for call in calls:
        transport.submit(call)
    ended: list[tuple[Call, Reply]] = []
    while transport.in_flight:
        ended += transport.poll(0.1)
    return ended


def error_of(call: Call, reply: Reply) -> ErrorKind | None:
    (outcome,) = gateway().decode(call, reply)
    return outcome.error.kind if outcome.error else None


def test_a_gateway_without_tokens_keeps_its_transport_as_it_is(provider: Provider) -> None:
    line = build("line", {"channel_token": "t", "channel_secret": "s", "id": "@citydesk"}, None)

    assert with_tokens(line, provider, lambda _: Memory()) is provider


def test_one_question_serves_all_calls_and_they_come_back_as_they_were_given(provider: Provider) -> None:
    keeper, calls = Memory(), (answer(1), answer(2, GRACE))

    ended = run(with_tokens(gateway(), provider, lambda _: keeper), *calls)

    assert sorted(ended, key=lambda one: one[0].refs) == [(calls[0], YES), (calls[1], YES)]
    assert provider.questions == [False]
    assert {call.url.rpartition("?")[2] for call in provider.taken} == {"access_token=t1"}
    assert keeper.kept == Kept("t1", True)


def test_a_refused_token_is_renewed_once_for_all_and_nobody_gets_a_message_twice(provider: Provider) -> None:
    keeper = Memory(Kept("old", True))

    ended = run(over(provider, keeper), answer(1), answer(2, GRACE), answer(3))

    assert [error_of(*one) for one in ended] == [None, None, None]
    assert provider.questions == [True]
    assert len(provider.taken) == 3


def test_a_token_that_another_process_renewed_meanwhile_is_taken_and_nobody_is_asked(
    provider: Provider,
) -> None:
    keeper = Memory(Kept("old", True))
    transport = over(provider, keeper)
    transport.submit(answer(1))
    provider.good.add("new")
    keeper.kept = Kept("new", True)

    ended = run(transport)

    assert [error_of(*one) for one in ended] == [None]
    assert provider.questions == []


def test_a_second_refusal_is_the_answer(provider: Provider) -> None:
    provider.next_token = lambda number: Reply(200, b'{"access_token": "bad", "expires_in": 7200}')

    (ended,) = run(over(provider, Memory()), answer(1))

    assert error_of(*ended) is ErrorKind.AUTH
    assert provider.questions == [False, True]


def test_the_next_token_is_asked_for_early_by_one_while_the_others_go_on_with_the_old(
    provider: Provider,
) -> None:
    provider.good.add("old")
    keeper = Memory(Kept("old", False))
    keeper.locked = True

    run(over(provider, keeper), answer(1))
    keeper.locked = False
    run(over(provider, keeper), answer(2))

    assert [call.url.rpartition("=")[2] for call in provider.taken] == ["old", "t1"]
    assert provider.questions == [False]


def test_where_the_next_token_cannot_be_had_early_the_old_one_goes_on(provider: Provider) -> None:
    provider.good.add("old")
    provider.next_token = lambda _: Reply(0, left=True, reason="curl_28")
    keeper = Memory(Kept("old", False))

    (ended,) = run(over(provider, keeper), answer(1))

    assert error_of(*ended) is None
    assert keeper.rests == 1


def test_whoever_finds_the_lock_taken_waits_for_the_token_and_not_for_ever(provider: Provider) -> None:
    keeper = Memory()
    keeper.locked = True
    waits: list[float] = []

    def another_process_answers(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            provider.good.add("theirs")
            keeper.kept = Kept("theirs", True)

    (ended,) = run(over(provider, keeper, another_process_answers), answer(1))
    keeper.kept = None
    (late,) = run(over(provider, keeper), answer(2))

    assert error_of(*ended) is None
    assert len(waits) == 3
    assert provider.questions == []
    assert error_of(*late) is ErrorKind.TEMPORARY
    assert TOTAL_SECONDS > 15


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(0, left=True, reason="curl_28"), ErrorKind.TEMPORARY),
        (Reply(502, b"a proxy"), ErrorKind.TEMPORARY),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.TEMPORARY),
        (Reply(200, b'{"errcode": 40125, "errmsg": "invalid appsecret"}'), ErrorKind.AUTH),
        (Reply(200, b'{"errcode": 40164, "errmsg": "invalid ip"}'), ErrorKind.CONFIG),
        (Reply(200, b'{"errcode": -1, "errmsg": "system error"}'), ErrorKind.TEMPORARY),
    ],
)
def test_without_a_token_the_message_stays_here_and_the_reason_is_its_answer(
    provider: Provider, reply: Reply, kind: ErrorKind
) -> None:
    provider.next_token = lambda _: reply

    (ended,) = run(over(provider, Memory()), answer(1))

    assert error_of(*ended) is kind
    assert provider.taken == []


def test_a_full_transport_is_emptied_before_the_question_and_nothing_of_it_is_lost(
    provider: Provider,
) -> None:
    provider.good.add("old")
    provider.slots = 2
    keeper = Memory(Kept("old", True))
    transport = over(provider, keeper)
    transport.submit(answer(1))
    keeper.kept = Kept("old", False)
    transport.submit(answer(2, GRACE))

    ended = run(transport)

    assert {call.refs[0].subscriber_id for call, _ in ended} == {1, 2}
    assert [error_of(*one) for one in ended] == [None, None]
