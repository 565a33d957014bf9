"""How many messages a second each HTTP gateway writes, our transport carries and the gateway reads the answers of.

No database, no Redis and no consent: what a gateway itself costs, beside what the transport can do at that moment.
"""

import contextlib
import secrets
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from app.domain.messages import Batch
from app.gateways.base import Call, Gateway, Reply, TokenUser
from app.gateways.transport import DEFAULT_CONNECTIONS, CurlTransport
from app.supervisor.guard import Guard
from bench.gateway_cases import Case, cases
from bench.gateway_table import Stretch, Turn
from bench.sink import Account, Given, Sink, running_sink

LONGEST_SECONDS = 110.0
"""A whole run takes no longer; rounds that would are left out."""
_TOKEN = "9" * 157
"""As long as an access token of WeChat's."""


@dataclass(frozen=True)
class Plan:
    """Rounds, and for how many seconds of each a gateway is driven, and its own first call alone."""

    rounds: int = 5
    seconds: float = 0.4
    ceiling_seconds: float = 0.2
    compiler: str = "cc"


SMOKE = Plan(rounds=1, seconds=0.05, ceiling_seconds=0.02)


def run(plan: Plan) -> tuple[dict[str, list[Turn]], str]:
    """Measure every gateway once a round; returns the turns by row, and what kind of sink answered."""
    began, found = time.monotonic(), dict[str, list[Turn]]()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidings-bench-")))
        guard = stack.enter_context(Guard())
        account = Account("AC" + "0" * 32, secrets.token_hex(16), secrets.token_bytes(16))
        sink = stack.enter_context(running_sink(home, account, compiler=plan.compiler, guard=guard))
        all_cases = list(cases(sink.url))
        for number in range(plan.rounds):
            round_began = time.monotonic()
            for case in all_cases:
                found.setdefault(case.name, []).append(_turn(case, sink, plan))
            if number and 2 * time.monotonic() - round_began - began > LONGEST_SECONDS:
                break
        return found, sink.kind


def _turn(case: Case, sink: Sink, plan: Plan) -> Turn:
    (first, *_) = _carried(case.gateway, case.gateway.encode(case.batches[0]))
    alone = _stretch(sink, case.reply, lambda transport: _alone(first, transport, plan.ceiling_seconds))
    ours = _stretch(sink, case.reply, lambda transport: _Drive(case, transport).go(plan.seconds))
    return Turn(ours, alone)


def _stretch(sink: Sink, reply: Reply, go: Callable[[CurlTransport], "Sent"]) -> Stretch:
    """Let something be sent over fresh connections, and ask the sink whether all of it arrived."""
    sink.give(as_http(reply))
    transport = CurlTransport(DEFAULT_CONNECTIONS)
    try:
        began, cpu = time.monotonic(), time.process_time()
        sent = go(transport)
        seconds, spent = time.monotonic() - began, time.process_time() - cpu
    finally:
        transport.close()
    faults = (*sent.faults, *disagreement(sink, sent))
    return Stretch(sent.messages, sent.requests, seconds, spent, faults)


@dataclass
class Sent:
    """What was sent, as the sender knows it: `bytes` are those of targets and bodies."""

    messages: int = 0
    requests: int = 0
    bytes: int = 0
    faults: tuple[str, ...] = ()

    def add(self, call: Call) -> None:
        self.requests += 1
        self.bytes += len(call.url) - call.url.index("/", len("http://")) + len(call.body)


def disagreement(sink: Sink, sent: Sent) -> list[str]:
    """Say where what the sink saw is not what was sent; nothing when it is."""
    seen, wanted = sink.given(), Given(sent.requests, sent.bytes)
    return [] if seen == wanted else [f"the sink saw {seen} and not {wanted}"]


def _alone(call: Call, transport: CurlTransport, seconds: float) -> Sent:
    """Send the same call again and again; the answers are not looked at."""
    sent, until = Sent(), time.monotonic() + seconds
    while time.monotonic() < until:
        while transport.free:
            transport.submit(call)
            sent.add(call)
        transport.poll(0.05)
    while transport.in_flight:
        transport.poll(0.05)
    return sent


class _Drive:
    """Writes, carries and reads as a worker's lane does: a window is written when there is room on the wire."""

    def __init__(self, case: Case, transport: CurlTransport) -> None:
        self._gateway, self._batches = case.gateway, cycle(case.batches)
        self._transport, self._sent = transport, Sent()
        self._waiting: deque[Call] = deque()

    def go(self, seconds: float) -> Sent:
        until = time.monotonic() + seconds
        while self._fill(time.monotonic() < until) or self._transport.in_flight:
            for call, reply in self._transport.poll(0.05):
                self._read(call, reply)
        return self._sent

    def _fill(self, more: bool) -> bool:
        """Put calls on the wire while there is room; False when nothing is left to put there."""
        while self._transport.free:
            if not self._waiting and not more:
                return False
            if not self._waiting:
                self._waiting.extend(self._written(next(self._batches)))
            call = self._waiting.popleft()
            self._transport.submit(call)
            self._sent.add(call)
        return True

    def _written(self, batch: Batch) -> Sequence[Call]:
        self._sent.messages += len(batch.recipients)
        return _carried(self._gateway, self._gateway.encode(batch))

    def _read(self, call: Call, reply: Reply) -> None:
        outcomes = self._gateway.decode(call, reply)
        if len(outcomes) != len(call.refs) or not all(one.provider_id for one in outcomes):
            self._sent.faults = (f"the reply was no yes: {outcomes[:1]}",)


def _carried(gateway: Gateway, calls: Sequence[Call]) -> Sequence[Call]:
    """The calls as they leave: some platforms want an access token in each."""
    if isinstance(gateway, TokenUser):
        return [gateway.with_token(call, _TOKEN) for call in calls]
    return calls


def as_http(reply: Reply) -> bytes:
    """Return an answer as it is on the wire."""
    lines = {**reply.headers, "content-length": str(len(reply.body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {reply.status} -\r\n{head}\r\n".encode() + reply.body
