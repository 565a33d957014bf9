"""Errands: few attempts, one after another, and an end when the answer is no."""

from collections.abc import Sequence

import pytest

from app.gateways.base import Call, Reply
from app.gateways.errands import ATTEMPTS, NO_TIME, SECONDS, Errands

JOIN, LEAVE = (Call("POST", f"https://matrix.example.org/{what}", b"{}") for what in ("join", "leave"))
YES, NO, BUSY, SILENCE = Reply(200), Reply(403), Reply(429), Reply(0)


class Server:
    """Gives its answers in their order, and keeps what it was asked."""

    free, in_flight = 1, 0

    def __init__(self, *answers: Reply) -> None:
        self.answers, self.asked, self.waited = list(answers), list[str](), list[float]()
        self.closed, self.now = False, 0.0
        self.errands = Errands(lambda: self, self.waited.append, lambda: self.now)

    def submit(self, call: Call) -> None:
        self.asked.append(call.url.rpartition("/")[2])
        self._call = call

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        self.now += timeout
        return [(self._call, self.answers.pop(0))]

    def close(self) -> None:
        self.closed = True

    def make(self, *calls: Call) -> Reply | None:
        return self.errands.make(calls)


def test_calls_are_made_in_their_order_and_a_yes_to_all_is_nothing_to_tell() -> None:
    server = Server(YES, YES)

    assert server.make(JOIN, LEAVE) is None
    assert (server.asked, server.waited) == (["join", "leave"], [])
    server.errands.close()
    assert server.closed


def test_a_no_ends_it_at_once() -> None:
    server = Server(NO, YES)

    assert server.make(JOIN, LEAVE) is NO
    assert server.asked == ["join"]


@pytest.mark.parametrize("trouble", [BUSY, SILENCE, Reply(503)])
def test_what_may_pass_is_tried_again_and_not_for_long(trouble: Reply) -> None:
    helped, lost = Server(trouble, YES), Server(*[trouble] * ATTEMPTS)

    assert helped.make(JOIN) is None
    assert lost.make(JOIN) is trouble
    assert (len(helped.waited), len(lost.waited), lost.asked) == (1, ATTEMPTS - 1, ["join"] * ATTEMPTS)


def test_a_webhook_has_so_much_time_for_all_its_errands() -> None:
    server = Server(YES)
    server.make(JOIN)

    server.now = SECONDS

    assert server.make(JOIN) is NO_TIME
    assert (server.asked, server.waited) == (["join"], [])


def test_without_errands_no_connection_is_opened() -> None:
    server = Server()

    assert server.make() is None
    server.errands.close()
    assert not server.closed
