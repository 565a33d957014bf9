"""A small newsroom for tests: a sender, lists, people who text, and a provider that is a Python object."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from urllib.parse import parse_qs

from flask import Flask

from app.domain.addresses import Address
from app.domain.buttons import Rich
from app.domain.consent import Act, EventType
from app.domain.messages import InboundMessage, ProviderSignal
from app.domain.pace import Ask, Grant, Shared
from app.gateways.base import Call, Reply
from app.gateways.twilio import TwilioGateway
from app.runtime import Runtime
from app.services import fan_out, notices
from app.services.lists_of_sender import present_notice
from app.services.manage_lists import create_list
from app.services.manage_senders import add
from app.services.receive_message import Received, receive_message
from app.services.record_consent import NewEvent, find_or_create_subscribers, record
from app.services.replies_broadcast import replies_broadcast
from app.services.reports import Tally, tally
from app.services.schedule_broadcasts import schedule
from app.services.send_deliveries import Drained, Lane, LaneSetup, Meter
from app.services.write_drafts import create_draft
from app.storage.database import db, transaction
from app.storage.journal import Journal
from app.storage.models import Sender
from workers.journal import journal

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACCOUNT = "AC" + "1" * 32
TOKEN = "token-for-tests"
NUMBER = "+12025550100"
# Geographic area codes whose 555-0100 to 555-0199 are reserved for fiction (consent rules, section 5).
AREA_CODES = (201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219)

Answer = Callable[[str, str], Reply]


def number(index: int) -> str:
    """Return reserved number `index`, 0 to 1,699."""
    return f"+1{AREA_CODES[index // 100]}55501{index % 100:02d}"


def accepted(to: str, body: str) -> Reply:
    """Answer as a provider that takes everything."""
    return Reply(201, b'{"sid": "SM%032x"}' % abs(hash((to, body))))


@dataclass
class FakeProvider:
    """A transport whose other end is `answer(to, body)`. It counts what arrived, which is the truth of every test."""

    answer: Answer = accepted
    capacity: int = 10
    arrived: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    before_answer: Callable[[str], None] | None = None
    _waiting: list[Call] = field(default_factory=list)

    @property
    def free(self) -> int:
        return self.capacity - len(self._waiting)

    @property
    def in_flight(self) -> int:
        return len(self._waiting)

    def submit(self, call: Call) -> None:
        self.calls.append(call)
        form = parse_qs(call.body.decode())
        self.arrived.append((form["To"][0], form["Body"][0]))
        if self.before_answer:
            self.before_answer(form["To"][0])
        self._waiting.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        calls, self._waiting = self._waiting, []
        return [(call, self._reply(call)) for call in calls]

    def _reply(self, call: Call) -> Reply:
        form = parse_qs(call.body.decode())
        return self.answer(form["To"][0], form["Body"][0])

    def close(self) -> None:
        self._waiting.clear()

    @property
    def copies(self) -> Counter[str]:
        """How many messages each number got."""
        return Counter(to for to, _ in self.arrived)


class OpenThrottle:
    """Grants everything at once."""

    def __init__(self) -> None:
        self.paused: list[float] = []

    def take(self, ask: Ask) -> Grant:
        return Grant(len(ask.costs))

    def pause(self, sender_id: int, seconds: float) -> None:
        self.paused.append(seconds)


class Newsroom:
    """The product behind its services, with a clock that tests turn by hand."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.now = NOON
        runtime: Runtime = app.extensions["tidings"]
        self.controller = runtime.controller
        self.provider = FakeProvider()
        self.throttle = OpenThrottle()
        self._ids: Iterator[int] = itertools.count(1)
        self.sender_id = add(
            name="city-desk",
            gateway=TwilioGateway,
            settings={"account_sid": ACCOUNT, "auth_token": TOKEN, "from": NUMBER},
            rate=1000.0,
            by="tests",
            controller=self.controller,
            now=self.now,
        ).id
        self.list_id = self.new_list("City", "CITY", is_default=True)

    def new_list(
        self,
        name: str,
        keyword: str,
        *,
        is_default: bool = False,
        language: str = "en",
        any_hour: str = "tests",
    ) -> int:
        """Make a list that may be sent to at any hour; with an empty `any_hour` the places' quiet hours hold."""
        return create_list(
            name=name,
            keyword=keyword,
            purpose=f"News of {name}",
            language=language,
            max_per_day=3,
            from_hour=0,
            until_hour=24,
            zone="UTC",
            sender_id=self.sender_id,
            is_default=is_default,
            any_hour_reason=any_hour,
            by="tests",
            controller=self.controller,
            now=self.now,
        )

    def change_purpose(self, list_id: int, before: str, purpose: str) -> None:
        """Write a notice with another purpose, as an administrator does at the desk."""
        words = present_notice(db.session(), list_id, "en")
        version, text = words.version, words.text.replace(before, purpose)
        db.session.rollback()
        notices.write(
            list_id,
            "en",
            text=text,
            purpose=purpose,
            after_version=version,
            confirmed=True,
            by="ada",
            controller=self.controller,
            now=self.now,
        )

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def text(
        self,
        words: str,
        from_: str = number(1),
        *,
        signal: ProviderSignal = ProviderSignal.NONE,
        id_: str | None = None,
    ) -> Received:
        message = InboundMessage(id_ or f"SM{next(self._ids):032x}", Address("sms", from_), words, signal)
        return receive_message(message, sender_id=self.sender_id, controller=self.controller, now=self.now)

    def join(self, count: int, *, first: int = 0) -> list[str]:
        """Let people onto the list as START does, without the texting."""
        numbers = [number(index) for index in range(first, first + count)]
        addresses = [Address("sms", one) for one in numbers]
        with transaction() as session:
            found = find_or_create_subscribers(
                session, addresses, language="en", controller=self.controller, now=self.now
            )
            notice = present_notice(session, self.list_id, "en")
            events = [
                NewEvent(
                    found[address],
                    EventType.CONSENT_GIVEN,
                    self.now,
                    "person",
                    act=Act.KEYWORD_EXACT,
                    list_id=self.list_id,
                    notice=notice,
                    pii={"address": address.value, "text": "START"},
                )
                for address in addresses
            ]
            record(session, events, controller=self.controller, now=self.now)
        return numbers

    def broadcast_waiting(
        self,
        text: str = "The bridge is open again.",
        list_ids: Sequence[int] | None = None,
        *,
        rich: Mapping[str, Rich] = MappingProxyType({}),
    ) -> int:
        """Schedule a broadcast for now; the clock has not come by yet."""
        broadcast_id = create_draft(
            title="Bridge",
            text=text,
            list_ids=list_ids or [self.list_id],
            rich=rich,
            by="ada",
            now=self.now,
        )
        schedule(broadcast_id, at=None, zone="UTC", by="ada", now=self.now)
        return broadcast_id

    def broadcast(
        self,
        text: str = "The bridge is open again.",
        list_ids: Sequence[int] | None = None,
        *,
        rich: Mapping[str, Rich] = MappingProxyType({}),
    ) -> int:
        """Schedule a broadcast for now and open it."""
        broadcast_id = self.broadcast_waiting(text, list_ids, rich=rich)
        fan_out.open_due(controller=self.controller, now=self.now)
        return broadcast_id

    def lane(
        self,
        provider: FakeProvider | None = None,
        worker: str = "here:1",
        *,
        rate: float = 1000.0,
        notes: Journal | None = None,
        meter: Meter | None = None,
        shared: tuple[Shared, ...] = (),
        kind: type[TwilioGateway] = TwilioGateway,
    ) -> Lane:
        """Return a lane of the sender; `notes` is the journal of another machine."""
        with transaction() as session:
            replies_id = replies_broadcast(session, session.get_one(Sender, self.sender_id), self.now)
        gateway = kind({"account_sid": ACCOUNT, "auth_token": TOKEN, "from": NUMBER})
        setup = LaneSetup(
            self.sender_id, replies_id, rate, "http://localhost/hooks/city-desk", gateway, shared
        )
        return Lane(
            setup,
            transport=provider or self.provider,
            throttle=self.throttle,
            controller=self.controller,
            journal=notes or journal(),
            clock=lambda: self.now,
            worker=worker,
            meter=meter,
        )

    def send(self, provider: FakeProvider | None = None) -> Drained:
        """Work the lane until nothing is left, then let the clock look."""
        done = self.lane(provider).drain(self.now + timedelta(seconds=20))
        fan_out.end_finished(self.now)
        return done

    def send_replies(self) -> Drained:
        return self.lane().drain(self.now + timedelta(seconds=20), replies_only=True)

    def tally(self, broadcast_id: int) -> Tally:
        db.session.rollback()
        return tally(broadcast_id)
