"""Ours: a newsroom made through the services, a broadcast scheduled through them, the worker process that ships."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from app.clock import utcnow
from app.config import Settings, make_master_key
from app.domain.addresses import Address
from app.domain.consent import Act, EventType
from app.factory import create_core, init_migrations
from app.gateways.base import GatewayClass
from app.gateways.telegram import TelegramGateway
from app.gateways.twilio import TwilioGateway
from app.runtime import runtime
from app.services.lists_of_sender import present_notice
from app.services.manage_lists import create_list
from app.services.manage_senders import MAX_RATE, add
from app.services.record_consent import NewEvent, find_or_create_subscribers, record
from app.services.reports import tally
from app.services.schedule_broadcasts import schedule
from app.services.write_drafts import create_draft
from app.storage.database import db, transaction
from app.storage.models import Subscriber
from app.supervisor.guard import Guard
from bench import cpu, numbers, stage, tokens
from bench.running import CpuMeter, MemoryMeter, Run, wait_until, worker
from bench.sink import Account, Sink
from workers import clock

TEXT = "The bridge is open again. {{city|-}}"
NUMBER = "+12025550100"
SENDER = "city-desk"
# The numbers of further senders; none of them can be a subscriber's.
SECOND_NUMBER = "+447700900001"
# One in so many has left again, so that a run which ignored consent would be void.
STOPPED_EVERY = 50
_SETUP_BATCH = 1000
_SLOWEST_PER_SECOND = 40.0
# Not the product's own query: the bench decides by itself who may be reached.
_ELIGIBLE = text(
    "SELECT s.address, s.attributes FROM subscriber s JOIN subscription m ON m.subscriber_id = s.id "
    "WHERE m.state = 'active' AND s.suppressed_at IS NULL AND s.blocked_at IS NULL AND s.bounced_at IS NULL "
    "ORDER BY s.id"
).columns(attributes=Subscriber.attributes.type)


@dataclass
class Newsroom:
    """The product on one database, with subscribers whose tokens only the database knows."""

    app: Flask
    env: dict[str, str]
    sink: Sink
    list_id: int
    people: Sequence[tuple[str, str]]
    database: str
    database_pid: int | None

    def measure(self, guard: Guard, log: Path) -> Run:
        """Send a broadcast to everybody; from the moment it is due to the last outcome committed in SQL."""
        with self.app.app_context(), redis.Redis.from_url(self.env["REDIS_URL"]) as client:
            client.flushall()
            self.sink.reset()
            broadcast_id = self.schedule()
            arguments = ("-m", "workers", "worker")
            with (
                worker(arguments, env=self.env, client=client, guard=guard, log=log) as pid,
                MemoryMeter(pid) as memory,
            ):
                meter = CpuMeter(pid, stage.redis_pid(client), self.database_pid)
                began = time.monotonic()
                self._until_settled(broadcast_id, log)
                seconds = time.monotonic() - began
                wait_until(lambda: not _at_work(pid), 30, log=log)
                return self._verdict(seconds, meter.spent(), memory.most)

    def add_sender(self, account: Account, *, name: str, number: str, keyword: str) -> int:
        """Make another sender and its list, with everybody who may be reached on it; returns the list's id."""
        settings = _twilio(account, number)
        list_id = _make_list(self.sink, TwilioGateway, settings, name=name, keyword=keyword)
        for start in range(0, len(self.people), _SETUP_BATCH):
            batch = [address for address, _ in self.people[start : start + _SETUP_BATCH]]
            _subscribe_batch(list_id, batch, account.key)
        return list_id

    def add_bot(self, account: Account, *, keyword: str) -> int:
        """Make a bot on Telegram as another sender, and its list, with nobody on it; returns the list's id."""
        settings = {"token": account.bot, "bot": "BenchBot", "secret": secrets.token_hex(16)}
        return _make_list(self.sink, TelegramGateway, settings, name="bot", keyword=keyword)

    def schedule(self, list_id: int | None = None) -> int:
        """Plan a broadcast to everybody on a list, without one the first, for now; returns its id."""
        now, lists = utcnow(), [list_id or self.list_id]
        broadcast_id = create_draft(title="Bridge", text=TEXT, list_ids=lists, by="bench", now=now)
        schedule(broadcast_id, at=None, zone="UTC", by="bench", now=now)
        return broadcast_id

    def _until_settled(self, broadcast_id: int, log: Path) -> None:
        """Tick as the clock process does, ask the sink until all have arrived, then the database until it knows."""
        ticked = 0.0

        def arrived() -> bool:
            nonlocal ticked
            if time.monotonic() - ticked >= clock.TICK_SECONDS:
                clock.tick(utcnow())
                ticked = time.monotonic()
            return self.sink.stats().total >= len(self.people)

        def settled() -> bool:
            db.session.rollback()
            return tally(broadcast_id).sent == len(self.people)

        wait_until(arrived, 30 + len(self.people) / _SLOWEST_PER_SECOND, log=log)
        wait_until(settled, 30, log=log)

    def _verdict(self, seconds: float, cpu_seconds: float, memory_mb: float) -> Run:
        seen, count = self.sink.stats(), len(self.people)
        return Run(
            messages=count,
            seconds=seconds,
            cpu_seconds=cpu_seconds,
            faults=tuple(seen.faults(count, tokens.fingerprint(token for _, token in self.people))),
            duplicates=seen.duplicates,
            lost=seen.lost(count),
            memory_mb=memory_mb,
        )


def _at_work(keeper: int) -> bool:
    """Tell whether the worker below its keeper has a job in its hands."""
    return any(map(cpu.children, cpu.children(keeper)))


@contextlib.contextmanager
def newsroom(
    database_url: str, redis_url: str, home: Path, sink: Sink, account: Account, *, people: int
) -> Iterator[Newsroom]:
    """Make the schema, a sender pointed at the sink, a list, and enough subscribers that `people` may be reached."""
    env = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_hex(32),
        "MASTER_KEY": make_master_key(),
        "PUBLIC_URL": "http://localhost",
        "TIDINGS_HOME": str(home),
        "LOG_LEVEL": "WARNING",
    }
    app = create_core(Settings.from_env(env))
    init_migrations(app)
    with app.app_context():
        upgrade()
        list_id = _make_list(sink, TwilioGateway, _twilio(account, NUMBER))
        if people:
            _subscribe(list_id, people, account.key)
        found = [(address, str(values["city"])) for address, values in db.session.execute(_ELIGIBLE)]
        name, pid = _describe(database_url)
        db.session.remove()
    try:
        yield Newsroom(app, env, sink, list_id, found, name, pid)
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _describe(database_url: str) -> tuple[str, int | None]:
    if database_url.startswith("sqlite"):
        return f"SQLite {db.session.scalar(text('SELECT sqlite_version()'))}", None
    version = str(db.session.scalar(text("SHOW server_version"))).split()[0]
    return f"PostgreSQL {version}", stage.postgres_pid(stage.server_url(database_url))


def _twilio(account: Account, number: str) -> dict[str, str]:
    return {
        "account_sid": account.sid,
        "auth_token": account.auth_token,
        "from": number,
        "stop_answered_by": "us",  # the sink answers nobody
    }


def _make_list(
    sink: Sink,
    gateway: GatewayClass,
    settings: Mapping[str, str],
    *,
    name: str = SENDER,
    keyword: str = "CITY",
) -> int:
    now, controller = utcnow(), runtime().controller
    sender = add(
        name=name,
        gateway=gateway,
        settings=settings,
        base_url=sink.url,
        rate=MAX_RATE,
        by="bench",
        controller=controller,
        now=now,
    )
    return create_list(
        name=keyword.title(),
        keyword=keyword,
        purpose=f"News of the {keyword.lower()}",
        language="en",
        max_per_day=50,
        from_hour=0,
        until_hour=24,
        zone="UTC",
        sender_id=sender.id,
        is_default=True,
        any_hour_reason="The benchmark's numbers belong to nobody.",
        by="bench",
        controller=controller,
        now=now,
    )


def _subscribe(list_id: int, people: int, key: bytes) -> None:
    """Let people onto the list with consent in the ledger; one in `STOPPED_EVERY` more leaves again."""
    count = people + people // STOPPED_EVERY
    addresses = [number for number in numbers.reserved(count + 1) if number != NUMBER][:count]
    for start in range(0, count, _SETUP_BATCH):
        _subscribe_batch(list_id, addresses[start : start + _SETUP_BATCH], key)
    leavers = addresses[:: STOPPED_EVERY + 1][: count - people]
    with transaction() as session:
        found = session.query(Subscriber).filter(Subscriber.address.in_(leavers)).all()
        events = [
            NewEvent(
                person,
                EventType.CONSENT_WITHDRAWN,
                utcnow(),
                "person",
                act=Act.KEYWORD_EXACT,
                list_id=list_id,
            )
            for person in found
        ]
        record(session, events, controller=runtime().controller, now=utcnow())


def _subscribe_batch(list_id: int, batch: Sequence[str], key: bytes) -> None:
    now, controller = utcnow(), runtime().controller
    with transaction() as session:
        found = find_or_create_subscribers(
            session, [Address("sms", one) for one in batch], language="en", controller=controller, now=now
        )
        for address, person in found.items():
            person.attributes = {"city": tokens.token(key, address.value)}
        notice = present_notice(session, list_id, "en")
        events = [
            NewEvent(
                person,
                EventType.CONSENT_GIVEN,
                now,
                "person",
                act=Act.KEYWORD_EXACT,
                list_id=list_id,
                notice=notice,
                pii={"address": address.value, "text": "START"},
            )
            for address, person in found.items()
        ]
        record(session, events, controller=controller, now=now)
