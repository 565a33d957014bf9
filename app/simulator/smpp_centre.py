"""A small SMS centre over TCP (SMPP 3.4): binds, messages in parts, reports, texts of people, failures by number."""

import itertools
import socket
import socketserver
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Final

from app.domain.parts import measure
from app.simulator import smpp_units as smpp
from app.simulator.chats import Chats
from app.simulator.later import Later
from app.simulator.limits import FaultPlan, TokenBuckets
from app.simulator.magic import SLOW_SECONDS, OneTimeFaults
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.smpp_units import Short, Unit
from app.simulator.wire import Answer, CannotDeliver

ANSWER_SECONDS: Final = 10.0
_STATES: Final = {"ENROUTE": 1, "DELIVRD": 2, "UNDELIV": 5, "REJECTD": 8}
# SMPP 3.4, 5.1.3: no such number, throttled, system error, wrong password; the last is one that no table has.
_BAD_NUMBER, _THROTTLED, _BROKEN, _BAD_PASSWORD, _NEW = 0x0B, 0x58, 0x08, 0x0E, 0x4FF
_REFUSED: Final = {"0404": _BAD_NUMBER, "0998": _NEW}
_ONCE: Final = {"0429": _THROTTLED, "0456": _THROTTLED, "0500": _BROKEN}
_FAILS: Final = {"0202": "UNDELIV", "0403": "REJECTD", "0610": "REJECTD", "0614": "UNDELIV"}


class SmppMessenger(Messenger):
    """Texts of people go to whoever is bound for the account's number."""

    channel = "smpp"
    reaches_all = True

    def __init__(self) -> None:
        self.sessions: dict[str, list[Session]] = {}
        self.lock = threading.Lock()

    def id_of(self, number: str) -> str:
        """A phone is known by its number."""
        return number

    def opened(self, account: Account, number: str, scene: str, known: bool) -> None:
        """Nobody opens anything before they text."""

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text."""
        coding, data = smpp.coded(text)
        return self.told(account, Short(number, account.address, data, coding=coding))

    def blocked(self, account: Account, number: str, blocked: bool) -> None:
        """A handset tells nobody."""

    def told(self, account: Account, short: Short) -> Told:
        """Return what brings a message to the account's newest session."""
        return Told(b"", {}, carry=partial(self._carry, account.address, short))

    def _carry(self, address: str, short: Short) -> Answer:
        with self.lock:
            here = self.sessions.get(address)
            session = here[-1] if here else None
        if session is None:
            raise CannotDeliver(f"nobody is bound for {address}")
        return Answer(200 if session.deliver(short) == 0 else 500, b"")


class Session(socketserver.BaseRequestHandler):
    """One connection."""

    server: "SmppServer"
    request: socket.socket

    def setup(self) -> None:
        """Begin without an account."""
        self.account: Account | None = None
        self._numbers, self._writing = itertools.count(1), threading.Lock()
        self._answers: dict[int, tuple[threading.Event, list[int]]] = {}
        self._parts: dict[tuple[str, int], dict[int, bytes]] = {}
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        """Serve units until the connection ends, or brings what is none."""
        data = bytearray()
        with suppress(OSError, smpp.BadUnit):
            while received := self.request.recv(65536):
                data += received
                for unit in smpp.take_units(data):
                    self._take(unit)

    def finish(self) -> None:
        """Be bound no more."""
        messenger = self.server.messenger
        with messenger.lock:
            if self.account is not None:
                messenger.sessions[self.account.address].remove(self)

    def deliver(self, short: Short) -> int:
        """Bring a message and wait for the status of the answer; raises `CannotDeliver`."""
        number, come = next(self._numbers), threading.Event()
        self._answers[number] = (come, [])
        try:
            self._write(Unit(smpp.DELIVER, 0, number, short.bytes()))
            if come.wait(ANSWER_SECONDS):
                return self._answers[number][1][0]
        except OSError as error:
            raise CannotDeliver(f"the session ended: {error}") from error
        finally:
            del self._answers[number]
        raise CannotDeliver(f"no answer within {ANSWER_SECONDS:.0f} seconds")

    def _take(self, unit: Unit) -> None:
        if unit.command in smpp.BINDS:
            self._bind(unit)
        elif unit.command == smpp.SUBMIT and self.account is not None:
            self.server.centre.submit(self, self.account, unit)
        elif unit.command == smpp.DELIVER | smpp.ANSWER and unit.number in self._answers:
            come, status = self._answers[unit.number]
            status.append(unit.status)
            come.set()
        elif unit.command in (smpp.ENQUIRE, smpp.UNBIND):
            self.answer(unit)

    def _bind(self, unit: Unit) -> None:
        system_id, password = smpp.read_bind(unit.body)
        account = self.server.chats.find("smpp", "system_id", system_id)
        if account is None or account.settings.get("password") != password:
            self.answer(unit, _BAD_PASSWORD)
            return
        messenger = self.server.messenger
        with messenger.lock:
            self.account = account
            messenger.sessions.setdefault(account.address, []).append(self)
        self.answer(unit, body=b"simulator\0")

    def answer(self, unit: Unit, status: int = 0, body: bytes = b"") -> None:
        """Answer a unit."""
        self._write(Unit(unit.command | smpp.ANSWER, status, unit.number, body if status == 0 else b""))

    def whole(self, short: Short) -> str | None:
        """Return the words of a message, None while parts are missing."""
        if not short.esm_class & smpp.HAS_HEADER:
            return smpp.words(short.data, short.coding)
        header, data = smpp.split_header(short.data)
        if header is None:
            return smpp.words(data, short.coding)
        reference, total, number = header
        parts = self._parts.setdefault((short.target, reference), {})
        parts[number] = data
        if len(parts) < total:
            return None
        del self._parts[short.target, reference]
        return smpp.words(b"".join(parts[one] for one in sorted(parts)), short.coding)

    def cut(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)

    def _write(self, unit: Unit) -> None:
        with self._writing:
            self.request.sendall(unit.bytes())


class SmppCentre:
    """What becomes of messages; `later` runs their reports."""

    def __init__(
        self,
        chats: Chats,
        messenger: SmppMessenger,
        later: Later,
        faults: FaultPlan,
        stopping: threading.Event,
    ) -> None:
        self._chats, self._messenger, self._later = chats, messenger, later
        self._plan, self._stopping = faults, stopping
        self._once, self._buckets, self._ids = (
            OneTimeFaults(chats.on_reset),
            TokenBuckets(),
            itertools.count(0xA0),
        )

    def submit(self, session: Session, account: Account, unit: Unit) -> None:
        """Take a message, or refuse it as its number, the account's rate or the planned faults want it."""
        short = smpp.read_short(unit.body)
        ending = short.target[-4:]
        self._plan.wait(self._stopping)
        fate = self._plan.draw()
        if fate == "drop":
            session.cut()
            return
        if status := self._refusal(account, short.target, fate):
            session.answer(unit, status)
            return
        id_ = f"{next(self._ids):X}"
        text = session.whole(short)
        if text is not None:
            self._bring(account, short, text, id_, ending)
        if ending == "0408":
            self._stopping.wait(SLOW_SECONDS)
        if fate == "lose_reply":
            session.cut()
        elif ending != "0504":
            session.answer(unit, body=id_.encode() + b"\0")

    def _refusal(self, account: Account, number: str, fate: str) -> int:
        rate = float(account.settings.get("rate") or 0)
        late = rate and self._buckets.take(account.address, rate, time.monotonic())
        if late or fate == "throttle":
            return _THROTTLED
        if fate == "error":
            return _BROKEN
        if once := self._once.take(number):
            return _ONCE[once]
        return _REFUSED.get(number[-4:], 0)

    def _bring(self, account: Account, short: Short, text: str, id_: str, ending: str) -> None:
        failing = _FAILS.get(ending)
        if failing is None:
            fate = self._chats.deliver(account, short.target, text, parts=measure(text).count)
            failing = None if fate == "deliver" else "REJECTD"
        states = [failing or "DELIVRD"]
        if ending == "0299":
            states = ["DELIVRD", "ENROUTE", "DELIVRD"]
        for state in states if short.wants_report else ():
            told = self._messenger.told(account, report(short, id_, state))
            self._later(partial(self._chats.report, account, told))


def report(short: Short, id_: str, state: str) -> Short:
    """Return the report about a message, in words and in fields (appendix B)."""
    words = (
        f"id:{id_} sub:001 dlvrd:001 submit date:2611281030 done date:2611281031 stat:{state} err:000 text:"
    )
    options = {smpp.REPORTED_ID: id_.encode() + b"\0", smpp.STATE: bytes((_STATES[state],))}
    return Short(short.target, short.source, words.encode(), smpp.IS_REPORT, options=options)


class SmppServer(socketserver.ThreadingTCPServer):
    """Listens on `host` and `port` (0 takes a free one)."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self, host: str, port: int, chats: Chats, messenger: SmppMessenger, centre: SmppCentre
    ) -> None:
        super().__init__((host, port), Session)
        self.chats, self.messenger, self.centre = chats, messenger, centre
        self.port: int = self.server_address[1]

    def start(self) -> None:
        """Serve from a thread of its own until `stop()`."""
        threading.Thread(target=self.serve_forever, args=(0.05,), name="smpp", daemon=True).start()

    def stop(self) -> None:
        """Take no more connections and end those that are open."""
        self.shutdown()
        self.server_close()
        with self.messenger.lock:
            left = [one for here in self.messenger.sessions.values() for one in here]
        for session in left:
            session.cut()
