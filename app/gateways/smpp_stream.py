"""Keeps a session with an SMS centre: messages go out within a window, what comes in is handed on and then answered.

The parts of one text leave one after the other, each when the one before was taken: so a text that is refused has
mostly not been sent in part, and never more units wait for an answer than the window has places. What was written and
not answered in 30 seconds, or when the session ends, may have been taken, and is *unknown*: it is not sent again. An
answer that comes later still tells what became of it.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from app.domain.messages import HookRequest
from app.gateways.base import Call, Reply
from app.gateways.common import by_code
from app.gateways.connection import StreamBroken, StreamRefused
from app.gateways.smpp import DELIVER, LATE_ANSWER, NUMBER, REF, SEQUENCE
from app.gateways.smpp_account import Account
from app.gateways.smpp_inbox import Inbox, Memory
from app.gateways.smpp_joining import header_of
from app.gateways.smpp_pdu import RESPONSE, BadPdu, Bind, Command, Message, Pdu, Status, all_pdus
from app.gateways.smpp_receipts import is_receipt
from app.gateways.smpp_wire import Wire

ANSWER_SECONDS: Final = 30.0
LINK_SECONDS: Final = 30.0
"""How often we ask whether the centre is there, and how long its answer may take."""
_BIND_SECONDS: Final = 10.0
_UNBIND_SECONDS: Final = 2.0
_MOST_LATE: Final = 1000
_BROKEN: Final = "session_broken"
_LAST_SEQUENCE: Final = 0x7FFFFFFF


class _Sent(NamedTuple):
    """A message of which one unit waits for its answer; `rest` are the units behind it."""

    call: Call
    rest: Sequence[Pdu]
    until: float


class SmppStream:
    """A bound transceiver. Not for several threads. Once `broken` says why, it is of no more use."""

    def __init__(
        self, account: Account, memory: Memory | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.memory = memory or Memory()
        self.broken: str | None = None
        self._window, self._clock = account.window, clock
        self._sequence = 0
        self._sent: dict[int, _Sent] = {}
        self._late: OrderedDict[int, Call] = OrderedDict()
        self._done: list[tuple[Call, Reply]] = []
        self._received: deque[HookRequest] = deque()
        self._inbox = Inbox(self.memory, clock)
        self._asked_at, self._ask_waits = clock(), False
        self._ended = False
        self._wire = Wire(account)
        try:
            self._bind(account)
        except BaseException:
            self._wire.close()
            raise

    @property
    def free(self) -> int:
        """How many more messages may leave before the centre answers some."""
        return 0 if self.broken else self._window - len(self._sent)

    @property
    def in_flight(self) -> int:
        """How many messages wait for their answer, or for somebody to take it."""
        return len(self._sent) + len(self._done)

    def submit(self, call: Call) -> None:
        """Write a message's first unit; only when `free` is positive. After the end of the session nothing leaves."""
        if self.broken is not None:
            self._done.append((call, Reply(0, left=False, reason=_BROKEN)))
            return
        self._guarded(lambda: self._send(call, all_pdus(call.body)))

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """Read for at most `timeout` seconds and return the messages that were answered, or will not be any more."""
        self._guarded(lambda: self._turn(0.0 if self._done else timeout))
        self._give_up_waiting()
        done, self._done = self._done, []
        return done

    def received(self) -> Sequence[HookRequest]:
        """Return what came in since the last call, each as a webhook would bring it."""
        for units in self.memory.joining.overdue():
            headers = {NUMBER: self._inbox.number()}
            self._received.append(HookRequest(DELIVER, "", headers, units))
        found = list(self._received)
        self._received.clear()
        return found

    def answer(self, text: str) -> None:
        """Tell the centre that we have what came in under this number; it will not send it again."""
        if self._inbox.answered(int(text)):
            self._guarded(lambda: self._respond(Command.DELIVER_SM, int(text)))

    def close(self) -> None:
        """End the session in good order. What the centre has no answer of then, it sends again in the next."""
        with suppress(StreamBroken):
            if self.broken is None:
                self._wire.write(Pdu(Command.UNBIND, sequence=self._next()))
                deadline = time.monotonic() + _UNBIND_SECONDS
                while not self._ended and time.monotonic() < deadline:
                    self._read(0.1)
        self._lose("The session was closed.")
        self._wire.close()
        self._inbox.end()

    def _guarded(self, step: Callable[[], None]) -> None:
        if self.broken is None:
            try:
                step()
            except StreamBroken as error:
                self._lose(str(error))

    def _bind(self, account: Account) -> None:
        bind = Bind(account.system_id, account.password, account.system_type).encode()
        self._wire.write(Pdu(Command.BIND_TRANSCEIVER, 0, self._next(), bind))
        deadline = time.monotonic() + _BIND_SECONDS
        while time.monotonic() < deadline:
            if found := self._wire.read(0.2):
                _check_bound(found[0])
                for pdu in found[1:]:  # texts may follow at once
                    self._take(pdu)
                return
        raise StreamBroken("The centre does not answer our bind.")

    def _next(self) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    def _send(self, call: Call, units: Sequence[Pdu]) -> None:
        sequence = self._next()
        self._sent[sequence] = _Sent(call, units[1:], self._clock() + ANSWER_SECONDS)
        self._wire.write(units[0]._replace(sequence=sequence))

    def _turn(self, timeout: float) -> None:
        self._ask_whether_there()
        for sequence in self._inbox.forgotten():
            self._respond(Command.DELIVER_SM, sequence, Status.TRY_LATER)
        self._read(timeout)

    def _ask_whether_there(self) -> None:
        if self._clock() - self._asked_at < LINK_SECONDS:
            return
        if self._ask_waits:
            raise StreamBroken(f"The centre has not answered enquire_link for {LINK_SECONDS:.0f} seconds.")
        self._inbox.asking()
        self._asked_at, self._ask_waits = self._clock(), True
        self._wire.write(Pdu(Command.ENQUIRE_LINK, sequence=self._next()))

    def _read(self, timeout: float) -> None:
        for pdu in self._wire.read(timeout):
            self._take(pdu)

    def _take(self, pdu: Pdu) -> None:
        if pdu.command & RESPONSE:
            self._take_answer(pdu)
        elif pdu.command == Command.DELIVER_SM:
            self._take_message(pdu)
        elif pdu.command == Command.ENQUIRE_LINK:
            self._respond(Command.ENQUIRE_LINK, pdu.sequence)
        elif pdu.command == Command.UNBIND:
            self._respond(Command.UNBIND, pdu.sequence)
            raise StreamBroken("The centre ended the session.")
        else:
            self._wire.write(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND, pdu.sequence))

    def _take_answer(self, pdu: Pdu) -> None:
        sent = self._sent.pop(pdu.sequence, None)
        late = self._late.pop(pdu.sequence, None)
        if sent is not None and pdu.status == Status.OK and sent.rest:
            self._send(sent.call, sent.rest)
        elif sent is not None:
            self._done.append((sent.call, Reply(200, pdu.encode())))
        elif late is not None:
            headers = {REF: str(late.refs[0])}
            self._received.append(HookRequest(LATE_ANSWER, "", headers, pdu.encode()))
        elif pdu.command == Command.ENQUIRE_LINK | RESPONSE:
            self._ask_waits = False
            self._inbox.proven()
        elif pdu.command == Command.UNBIND | RESPONSE:
            self._ended = True

    def _take_message(self, pdu: Pdu) -> None:
        try:
            message = Message.decode(pdu.body)
        except BadPdu:
            self._respond(Command.DELIVER_SM, pdu.sequence, Status.REFUSED_FOR_GOOD)
            return
        if is_receipt(message):
            self._hand_on(pdu.sequence, self._inbox.take_report(pdu.sequence), pdu.encode())
            return
        number, repeated = self._inbox.take(pdu.sequence, pdu.body)
        header = header_of(message)
        if header is None:
            self._hand_on(pdu.sequence, number, pdu.encode())
            return
        whole = None if repeated else self.memory.joining.add(message, header, pdu.encode())
        if whole is None:
            # Some centres bring the next part only when they have the answer to this one.
            self.answer(str(pdu.sequence))
        else:
            self._hand_on(pdu.sequence, number, whole)

    def _hand_on(self, sequence: int, number: str, units: bytes) -> None:
        self._received.append(HookRequest(DELIVER, "", {NUMBER: number, SEQUENCE: str(sequence)}, units))

    def _respond(self, command: Command, sequence: int, status: Status = Status.OK) -> None:
        body = b"\0" if command is Command.DELIVER_SM else b""
        self._wire.write(Pdu(command | RESPONSE, status, sequence, body))

    def _give_up_waiting(self) -> None:
        for sequence, sent in list(self._sent.items()):
            if sent.until > self._clock():
                break  # they stand in the order in which they left
            del self._sent[sequence]
            self._done.append((sent.call, Reply(0, left=True, reason="no_answer")))
            if not sent.rest:
                self._late[sequence] = sent.call
        while len(self._late) > _MOST_LATE:
            self._late.popitem(last=False)

    def _lose(self, reason: str) -> None:
        self._done += [(one.call, Reply(0, left=True, reason=_BROKEN)) for one in self._sent.values()]
        self._sent.clear()
        self.broken = self.broken or reason


def _check_bound(pdu: Pdu) -> None:
    if pdu.status == Status.OK and pdu.command == Command.BIND_TRANSCEIVER | RESPONSE:
        return
    error = by_code("smpp", f"0x{pdu.status:02x}", "The centre refused our bind.")
    raise StreamRefused(error)
