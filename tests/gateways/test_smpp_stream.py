"""A session with an SMS centre: what leaves, what comes in, and what is made of silence and of ends."""

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, ErrorKind, HookRequest, Outcome, Recipient
from app.gateways.base import Call, Reply
from app.gateways.connection import StreamBroken, StreamRefused
from app.gateways.smpp import SmppGateway
from app.gateways.smpp_inbox import Inbox, Memory
from app.gateways.smpp_joining import MOST_TEXTS, WAIT_SECONDS
from app.gateways.smpp_pdu import RESPONSE, Command, Message, Pdu, Status
from app.gateways.smpp_stream import ANSWER_SECONDS, LINK_SECONDS, SmppStream
from app.gateways.smpp_text import Header
from tests.gateways.samples.smpp import ADA, FROM_ADA, OURS, TO_US, text
from tests.support.certificates import self_signed
from tests.support.smpp_centre import PASSWORD, SYSTEM_ID, Centre, running_centre

LONG = "the bridge is open. " * 20


class Clock:
    """A clock that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Side:
    """Our side of a session."""

    def __init__(self, centre: Centre, memory: Memory | None = None, **settings: str) -> None:
        account = {"system_id": SYSTEM_ID, "password": PASSWORD, "port": str(centre.port)}
        self.gateway = SmppGateway({"from": OURS, "host": "127.0.0.1", **account, **settings})
        self.clock = Clock()
        self.stream = SmppStream(self.gateway.account, memory, self.clock)
        self.ended: list[tuple[Call, Reply]] = []
        self.requests: list[HookRequest] = []

    def submit(self, *texts: str) -> None:
        people = [Recipient(DeliveryRef(7, i), Address("sms", ADA), one) for i, one in enumerate(texts)]
        for call in self.gateway.encode(Batch(tuple(people), "")):
            self.stream.submit(call)

    def until(self, fact: Callable[[], bool]) -> None:
        for _ in range(200):
            self.ended += self.stream.poll(0.02)
            if self.stream.broken:  # a stream that is broken waits for nothing
                time.sleep(0.02)
            self.requests += self.stream.received()
            if fact():
                return
        raise AssertionError("waited four seconds")

    def outcomes(self, count: int = 1) -> list[Outcome]:
        self.until(lambda: len(self.ended) >= count)
        return [self.gateway.decode(*one)[0] for one in self.ended]

    def said(self) -> list[tuple[str, str]]:
        """Number and words of what came in."""
        events = [self.gateway.parse(one)[0] for one in self.requests]
        return [(one.message.external_id, one.message.text) for one in events if one.message]

    def answer(self, request: HookRequest) -> None:
        self.stream.answer(self.gateway.acknowledge(request).body)


@pytest.fixture
def centre() -> Iterator[Centre]:
    with running_centre() as found:
        yield found


@pytest.fixture
def side(centre: Centre) -> Iterator[Side]:
    found = Side(centre)
    yield found
    found.stream.close()


def kinds(outcomes: list[Outcome]) -> list[ErrorKind | None]:
    return [one.error.kind if one.error else None for one in outcomes]


def test_messages_arrive_and_each_gets_the_centres_id(centre: Centre, side: Side) -> None:
    side.submit("Grüße", "Привет 🌍", LONG)

    assert sorted(one.provider_id or "" for one in side.outcomes(3)) == ["#a0", "#a1", "#a4"]
    assert centre.texts == [("+447700900001", one) for one in ("Grüße", "Привет 🌍", LONG)]


def test_no_more_wait_than_the_window_has_places(centre: Centre) -> None:
    side = Side(centre, window="2")
    centre.manners.silent = True
    side.submit(LONG, LONG)

    side.until(lambda: len(centre.messages) == 2)

    assert (side.stream.free, side.stream.in_flight) == (0, 2)
    centre.manners.silent = False
    centre.answer_late()
    assert kinds(side.outcomes(2)) == [None, None]
    assert len(centre.messages) == 6
    side.stream.close()


def test_of_a_text_that_is_refused_no_further_part_leaves(centre: Centre, side: Side) -> None:
    centre.manners.status = lambda message: Status.THROTTLED
    side.submit(LONG)

    assert kinds(side.outcomes()) == [ErrorKind.RATE_LIMITED]
    assert centre.seen[Command.SUBMIT_SM] == 1


def test_a_message_without_an_answer_is_unknown_and_a_late_answer_still_tells(
    centre: Centre, side: Side
) -> None:
    centre.manners.silent = True
    side.submit("Hello")
    side.until(lambda: len(centre.messages) == 1)
    side.clock.now += ANSWER_SECONDS

    assert kinds(side.outcomes()) == [ErrorKind.UNKNOWN]
    centre.answer_late()
    side.until(lambda: len(side.requests) == 1)
    (event,) = side.gateway.parse(side.requests[0])
    assert event.receipt is not None
    assert (event.receipt.ref, event.receipt.provider_id) == (DeliveryRef(7, 0), "#a0")
    assert side.stream.broken is None


def test_what_is_on_its_way_when_the_connection_breaks_is_unknown(centre: Centre, side: Side) -> None:
    centre.manners.silent = True
    side.submit("Hello", LONG)
    side.until(lambda: len(centre.messages) == 2)
    centre.drop()

    assert kinds(side.outcomes(2)) == [ErrorKind.UNKNOWN] * 2
    assert side.stream.broken is not None
    assert side.stream.free == 0

    side.submit("Goodbye")  # of the same batch, which nobody stops for a broken connection
    assert kinds(side.outcomes(3))[2] == ErrorKind.TEMPORARY


def test_a_wrong_password_is_an_error_of_the_account_and_a_busy_centre_is_not(centre: Centre) -> None:
    with pytest.raises(StreamRefused) as refused:
        Side(centre, password="wrong")
    centre.manners.binds = 0x0D
    with pytest.raises(StreamRefused) as busy:
        Side(centre)
    centre.drop()

    assert (refused.value.error.kind, busy.value.error.kind) == (ErrorKind.AUTH, ErrorKind.TEMPORARY)
    assert "0x0e" in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_nobody_at_the_address_is_said_with_the_address() -> None:
    with running_centre() as centre:
        pass
    with pytest.raises(StreamBroken, match=f"127.0.0.1:{centre.port}"):
        Side(centre)


def test_each_side_may_ask_whether_the_other_is_there(centre: Centre, side: Side) -> None:
    side.clock.now += LINK_SECONDS
    side.until(lambda: centre.seen[Command.ENQUIRE_LINK] == 1)
    centre.bound[0].write(Pdu(Command.ENQUIRE_LINK, sequence=90))
    side.until(lambda: centre.seen[Command.ENQUIRE_LINK | RESPONSE] == 1)

    side.until(lambda: True)
    side.clock.now += LINK_SECONDS
    side.until(lambda: centre.seen[Command.ENQUIRE_LINK] == 2)
    assert side.stream.broken is None


def test_a_centre_that_does_not_say_that_it_is_there_is_gone(centre: Centre, side: Side) -> None:
    centre.deaf = True
    for _ in range(2):
        side.clock.now += LINK_SECONDS
        side.stream.poll(0.05)

    assert side.stream.broken is not None
    assert "enquire_link" in side.stream.broken


def test_a_centre_that_ends_the_session_is_answered(centre: Centre, side: Side) -> None:
    centre.bound[0].write(Pdu(Command.UNBIND, sequence=91))
    side.until(lambda: side.stream.broken is not None)

    side.until(lambda: centre.seen[Command.UNBIND | RESPONSE] == 1)


def test_we_end_a_session_in_good_order(centre: Centre) -> None:
    side = Side(centre)
    side.stream.close()

    assert centre.seen[Command.UNBIND] == 1


def test_what_we_do_not_know_is_refused_and_what_is_no_unit_ends_the_session(
    centre: Centre, side: Side
) -> None:
    centre.bound[0].write(Pdu(0x0103, sequence=92), Pdu(Command.DELIVER_SM, sequence=93, body=b"\0"))
    side.until(lambda: centre.answers == [(93, Status.REFUSED_FOR_GOOD)])
    assert centre.seen[Command.GENERIC_NACK] == 1
    assert side.stream.broken is None

    centre.bound[0].connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    side.until(lambda: side.stream.broken is not None)
    assert "no SMPP" in str(side.stream.broken)


def test_a_text_is_answered_when_it_was_taken_and_not_before(centre: Centre, side: Side) -> None:
    number = centre.text(ADA, OURS, "STOP")
    side.until(lambda: len(side.requests) == 1)
    side.stream.poll(0.05)
    assert centre.answers == []

    side.answer(side.requests[0])

    side.until(lambda: centre.answers == [(number, Status.OK)])


def test_a_text_that_nobody_takes_is_sent_back_for_later(centre: Centre, side: Side) -> None:
    number = centre.text(ADA, OURS, "STOP")
    side.until(lambda: len(side.requests) == 1)
    side.clock.now += 91

    side.until(lambda: centre.answers == [(number, Status.TRY_LATER)])


def parts(words: str, reference: int = 9) -> list[Message]:
    halves = [words[:4].encode(), words[4:].encode()]
    return [text(Header(reference, 2, i).encode() + half, 0, 0x40) for i, half in enumerate(halves, 1)]


def test_parts_are_put_together_whatever_their_order_and_others_between_them(
    centre: Centre, side: Side
) -> None:
    (one, two), (three, four) = parts("STOP all of it"), parts("START again", reference=10)
    for part in (two, four, two, three, one):
        centre.bound[0].deliver(part)
    side.until(lambda: len(side.requests) == 2)

    assert [words for _, words in side.said()] == ["START again", "STOP all of it"]
    for request in side.requests:
        side.answer(request)
    side.until(lambda: len(centre.answers) == 5)


def test_parts_told_by_fields_are_put_together(centre: Centre, side: Side) -> None:
    for number, half in ((1, b"STOP"), (2, b" all")):
        fields = {0x020C: b"\0\5", 0x020E: b"\2", 0x020F: bytes((number,))}
        centre.bound[0].deliver(Message(FROM_ADA, TO_US, half, options=fields))

    side.until(lambda: len(side.requests) == 1)
    assert side.said()[0][1] == "STOP all"


def test_a_text_that_never_becomes_whole_is_heard_as_far_as_it_came(centre: Centre, side: Side) -> None:
    centre.bound[0].deliver(parts("STOP all")[0])
    side.until(lambda: len(centre.answers) == 1)
    assert side.requests == []

    side.stream.memory.joining._clock = lambda: 1e12
    side.until(lambda: len(side.requests) == 1)

    assert side.said()[0][1] == "STOP"


def test_too_many_unfinished_texts_push_out_the_oldest(centre: Centre, side: Side) -> None:
    joining = side.stream.memory.joining
    for i in range(MOST_TEXTS + 1):
        unit = Pdu(Command.DELIVER_SM, body=parts(f"STOP {i}", i)[0].encode()).encode()
        joining.add(parts("STOP", i)[0], Header(i, 2, 1), unit)

    assert len(list(joining.overdue())) == 1
    assert WAIT_SECONDS > 0


def test_parts_of_one_text_may_come_in_two_sessions(centre: Centre) -> None:
    one, two = parts("STOP all")
    first = Side(centre)
    centre.bound[0].deliver(one)
    first.until(lambda: len(centre.answers) == 1)
    first.stream.close()

    second = Side(centre, first.stream.memory)
    centre.bound[-1].deliver(two)
    second.until(lambda: len(second.requests) == 1)

    assert second.said()[0][1] == "STOP all"
    second.stream.close()


def test_a_text_that_comes_again_because_our_answer_was_lost_is_the_same_text(centre: Centre) -> None:
    first = Side(centre)
    for words in ("START", "STOP"):
        centre.text(ADA, OURS, words)
    first.until(lambda: len(first.requests) == 2)
    first.answer(first.requests[0])
    centre.drop()
    first.until(lambda: first.stream.broken is not None)
    first.stream.close()

    second = Side(centre, first.stream.memory)
    for words in ("START", "STOP", "STOP"):
        centre.text(ADA, OURS, words)
        second.until(lambda: bool(second.requests))
        for request in second.requests[-1:]:
            second.answer(request)
    second.until(lambda: len(second.requests) == 3)

    assert second.said()[:2] == first.said()
    assert second.said()[2][0] not in dict(first.said())
    second.stream.close()


def test_the_same_words_twice_are_two_texts_once_the_first_was_answered() -> None:
    inbox = Inbox(Memory(), Clock())
    first, repeated = inbox.take(1, b"A")
    assert inbox.take(2, b"A") == (first, True)
    inbox.answered(1)
    inbox.answered(2)

    another, again = inbox.take(3, b"A")

    assert (repeated, again) == (False, False)
    assert another != first


def test_what_the_centre_has_surely_read_is_no_repeat_in_the_next_session() -> None:
    memory, clock = Memory(), Clock()
    inbox = Inbox(memory, clock)
    inbox.take(1, b"A")
    inbox.answered(1)
    inbox.asking()
    inbox.take(2, b"B")
    inbox.answered(2)
    inbox.proven()
    inbox.end()

    assert len(memory.repeats) == 1
    assert [Inbox(memory, clock).take(1, body)[1] for body in (b"A", b"B")] == [False, True]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path / "centre.pem")


def test_tls_by_setting_and_only_to_whom_we_trust(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running_centre(context=context) as centre:
        with pytest.raises(StreamBroken, match="certificate"):
            Side(centre, host="localhost", tls="yes")
        with pytest.raises(StreamBroken, match="certificate"):
            Side(centre, host="127.0.0.1", tls=str(certificate))
        side = Side(centre, host="localhost", tls=str(certificate))
        side.submit(*[LONG] * 10)

        assert kinds(side.outcomes(10)) == [None] * 10
        assert len(centre.texts) == 10
        side.stream.close()
