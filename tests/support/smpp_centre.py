"""An SMS centre of one's own: takes binds and messages, brings reports and texts, and misbehaves when told to.

`python -m tests.support.smpp_centre PORT` runs it as a process that takes and reports everything.
"""

import itertools
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from app.gateways.smpp_pdu import (
    HAS_USER_DATA_HEADER,
    MESSAGE_STATE,
    RECEIPT_OF_CENTRE,
    RECEIPTED_MESSAGE_ID,
    RESPONSE,
    Bind,
    Command,
    Message,
    Party,
    Pdu,
    Status,
    cstring,
    next_pdu,
)
from app.gateways.smpp_text import decoded, gsm_encode, split_header

SYSTEM_ID, PASSWORD = "riverside", "a-secret"
STATES = {"DELIVRD": 2, "EXPIRED": 3, "UNDELIV": 5, "ACCEPTD": 6, "REJECTD": 8}


@dataclass
class Manners:
    """How the centre behaves from now on.

    `status` answers each message; `silent`: it takes messages and answers none; `report`: what it reports of those that
    asked, None for nothing; `report_first`: the report comes before the answer. `report_id` writes an id in reports.
    """

    status: Callable[[Message], int] = lambda message: 0
    silent: bool = False
    report: str | None = "DELIVRD"
    report_first: bool = False
    in_fields: bool = False
    report_id: Callable[[str], str] = str
    binds: int = 0


class _Session(threading.Thread):
    """One connection."""

    def __init__(self, centre: "Centre", connection: socket.socket) -> None:
        super().__init__(daemon=True)
        self.centre, self.connection = centre, connection
        self.numbers = itertools.count(1)
        self._writing = threading.Lock()
        self.bound = False

    def run(self) -> None:
        data = b""
        with suppress(OSError), self.connection:
            while received := self.connection.recv(65536):
                data += received
                at = 0
                while (found := next_pdu(data, at))[0] is not None:
                    pdu, length = found
                    at += length
                    assert pdu is not None
                    self._take(pdu)
                data = data[at:]
        self.bound = False

    def write(self, *pdus: Pdu) -> None:
        with self._writing:
            self.connection.sendall(b"".join(pdu.encode() for pdu in pdus))

    def deliver(self, message: Message) -> int:
        number = next(self.numbers)
        self.write(Pdu(Command.DELIVER_SM, 0, number, message.encode()))
        return number

    def end(self) -> None:
        self.bound = False
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _take(self, pdu: Pdu) -> None:
        self.centre.seen[pdu.command] += 1
        if pdu.command in (Command.BIND_TRANSCEIVER, Command.BIND_RECEIVER, Command.BIND_TRANSMITTER):
            self._bind(pdu)
        elif pdu.command == Command.SUBMIT_SM:
            self._submit(pdu)
        elif pdu.command == Command.DELIVER_SM | RESPONSE:
            self.centre.answers.append((pdu.sequence, pdu.status))
        elif pdu.command in (Command.ENQUIRE_LINK, Command.UNBIND) and not self.centre.deaf:
            self.write(Pdu(pdu.command | RESPONSE, 0, pdu.sequence))

    def _bind(self, pdu: Pdu) -> None:
        bind = Bind.decode(pdu.body)
        good = (bind.system_id, bind.password) == (SYSTEM_ID, PASSWORD)
        status = self.centre.manners.binds or (Status.OK if good else Status.INVALID_PASSWORD)
        self.bound = status == Status.OK
        self.write(
            Pdu(pdu.command | RESPONSE, status, pdu.sequence, cstring("centre") if self.bound else b"")
        )

    def _submit(self, pdu: Pdu) -> None:
        message, manners = Message.decode(pdu.body), self.centre.manners
        status = manners.status(message)
        id_ = self.centre.keep(message) if status == 0 else ""
        answer = Pdu(pdu.command | RESPONSE, status, pdu.sequence, cstring(id_) if status == 0 else b"")
        if manners.silent:
            self.centre.unanswered.append((self, answer))
            return
        reports = self._reports(message, id_) if status == 0 else []
        self.write(*([*reports, answer] if manners.report_first else [answer, *reports]))

    def _reports(self, message: Message, id_: str) -> list[Pdu]:
        state = self.centre.manners.report
        if state is None or not message.registered_delivery:
            return []
        body = self.centre.report(message, id_, state).encode()
        return [Pdu(Command.DELIVER_SM, 0, next(self.numbers), body)]


@dataclass
class Centre:
    """A running centre. `messages` are the units it took, with the id that each got; `answers` ours to what it sent.

    `deaf`: it answers no enquire_link and no unbind.
    """

    port: int
    manners: Manners = field(default_factory=Manners)
    deaf: bool = False
    messages: list[tuple[str, Message]] = field(default_factory=list)
    answers: list[tuple[int, int]] = field(default_factory=list)
    seen: Counter[int] = field(default_factory=Counter)
    unanswered: list[tuple[_Session, Pdu]] = field(default_factory=list)
    sessions: list[_Session] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(0xA0))

    def keep(self, message: Message) -> str:
        id_ = f"{next(self._ids):X}"
        self.messages.append((id_, message))
        return id_

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Number and words of every message, parts put together."""
        found: list[tuple[str, str]] = []
        parts: dict[tuple[str, int], list[bytes]] = {}
        for _, one in list(self.messages):
            to, data = one.destination.number, one.payload
            if one.esm_class & HAS_USER_DATA_HEADER:
                header, data = split_header(data)
                assert header is not None
                waiting = parts.setdefault((to, header.reference), [])
                waiting.append(data)
                if len(waiting) < header.total:
                    continue
                data = b"".join(parts.pop((to, header.reference)))
            found.append((f"+{to}", decoded(data, one.data_coding, "gsm") or ""))
        return found

    @property
    def bound(self) -> list[_Session]:
        return [one for one in self.sessions if one.bound]

    def text(self, from_: str, to: str, words: str) -> int:
        """Somebody texts us; returns the number of the unit."""
        gsm = words.isascii()
        data = gsm_encode(words) if gsm else words.encode("utf_16_be")
        parties = [Party(1, 1, one.removeprefix("+")) for one in (from_, to)]
        return self.bound[-1].deliver(Message(*parties, data, data_coding=0 if gsm else 8))

    def report(self, message: Message, id_: str, state: str) -> Message:
        """Return a report about a message, as fields or as words."""
        there, here, id_ = message.destination, message.source, self.manners.report_id(id_)
        if self.manners.in_fields:
            options = {RECEIPTED_MESSAGE_ID: cstring(id_), MESSAGE_STATE: bytes((STATES[state],))}
            return Message(there, here, b"", RECEIPT_OF_CENTRE, options=options)
        words = f"id:{id_} sub:001 dlvrd:001 submit date:2611281030 done date:2611281031 stat:{state} err:000 text:"
        return Message(there, here, words.encode(), RECEIPT_OF_CENTRE)

    def report_all(self, state: str = "DELIVRD") -> None:
        """Report everything that asked, late."""
        for id_, message in self.messages:
            if message.registered_delivery:
                self.bound[-1].deliver(self.report(message, id_, state))

    def answer_late(self) -> None:
        """Give the answers that a silent centre kept back."""
        for session, answer in self.unanswered:
            session.write(answer)
        self.unanswered.clear()

    def drop(self) -> None:
        """Cut all connections."""
        for session in self.sessions:
            session.end()


@contextmanager
def running_centre(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[Centre]:
    """Listen on a port of this machine."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        centre = Centre(listener.getsockname()[1])
        thread = threading.Thread(target=_accept, args=(listener, centre, context), daemon=True)
        thread.start()
        try:
            yield centre
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            centre.drop()
            for session in centre.sessions:
                session.join(5)


def _accept(listener: socket.socket, centre: Centre, context: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                wrapped = context.wrap_socket(connection, server_side=True) if context else connection
            except OSError:  # whoever came does not trust us
                connection.close()
                continue
            session = _Session(centre, wrapped)
            centre.sessions.append(session)
            session.start()


if __name__ == "__main__":
    with running_centre(int(sys.argv[1])):
        while True:
            time.sleep(60)
