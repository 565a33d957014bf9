"""The stage: `python -m app.rehearsal.stage FOLDER` plays the script in FOLDER and writes its report as JSON.

It knows the folder and nothing else: a database, a Redis and keys of its own, no setting of the installation. The
clock runs ahead when nobody can be served before a time has come, so that a night takes no time.
"""

import json
import os
import secrets
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from flask_migrate import upgrade
from sqlalchemy import func, insert, select

from app.clock import utcnow
from app.config import Settings, make_master_key
from app.domain.pace import Ask, Grant
from app.domain.rehearsal import Report
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.factory import create_core, init_migrations
from app.gateways.transport import CurlTransport
from app.rehearsal.files import Shelf, StageMedia, shelf
from app.rehearsal.provider import Account, LoopbackOnly, StandInGateway, provider
from app.rehearsal.script import Script, read
from app.runtime import runtime
from app.services import fan_out
from app.services.broadcast_rows import targets_of
from app.services.lane_pace import Throttle
from app.services.media.lane_media import MediaHouse
from app.services.rehearsal_extras import Row
from app.services.replies_broadcast import replies_broadcast
from app.services.reports import Tally, tally
from app.services.send_deliveries import Lane, LaneSetup
from app.services.short_links import make_links
from app.storage.database import Model, db, transaction
from app.storage.journal import Journal
from app.storage.models import Broadcast, Delivery, Sender, Subscriber
from app.supervisor.guard import Guard
from app.supervisor.redis import embedded_redis

# Fast enough that the provider is what limits; the report tells what the sender's own pace would take.
_BRISK: Final = 2000.0
_CONNECTIONS: Final = 32
_DRAIN: Final = timedelta(seconds=20)
_BATCH: Final = 500
_BY_PARTS: Final = "sms"


@dataclass
class StageClock:
    """The present of the play: it goes as fast as ours, and jumps."""

    ahead: timedelta

    def __call__(self) -> datetime:
        """Tell the time on the stage."""
        return utcnow() + self.ahead

    def jump_to(self, moment: datetime) -> None:
        """Let the time until then pass."""
        self.ahead += max(timedelta(0), moment - self())


@dataclass
class CountingThrottle:
    """The product's throttle at a brisk pace; what it granted, and pauses that the provider asked for, are counted."""

    inner: Throttle
    granted: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    paused: dict[int, float] = field(default_factory=lambda: defaultdict(float))

    def take(self, ask: Ask) -> Grant:
        """Ask the product's own."""
        grant = self.inner.take(replace(ask, pair=None, people=()))  # nobody has to rest on a stage
        self.granted[ask.sender_id] += sum(ask.costs[: grant.count]) - ask.back
        return grant

    def pause(self, sender_id: int, seconds: float) -> None:
        """Count the pause; to sit it out would teach nothing."""
        self.paused[sender_id] += seconds


def main() -> int:
    """Play the script in the folder that the command line names."""
    home = Path(sys.argv[1])
    os.nice(10)
    script = read(home)
    with ExitStack() as stack:
        guard = stack.enter_context(Guard())
        redis_url = stack.enter_context(
            embedded_redis(home, {"PATH": os.environ.get("PATH", os.defpath)}, guard)
        )
        app = create_core(Settings.from_env(_settings(home, redis_url, script.cast.ledger)))
        init_migrations(app)
        stack.enter_context(app.app_context())
        upgrade()
        _fill(script.cast.rows)
        _make_links(script.cast.broadcast_id)
        account = stack.enter_context(provider())
        files = stack.enter_context(shelf(app, script.cast.beyond))
        report = Play(script, account, home, files).run()
        db.session.remove()
        db.engine.dispose()
    sys.stdout.write(json.dumps(report.as_json()) + "\n")
    return 0


def _settings(home: Path, redis_url: str, ledger: str) -> dict[str, str]:
    """Return settings in which nothing is of the installation but the name of its ledger."""
    return {
        "DATABASE_URL": f"sqlite:///{home / 'stage.db'}",
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_hex(32),
        "MASTER_KEY": make_master_key(),
        "PUBLIC_URL": "http://127.0.0.1",
        "TIDINGS_HOME": str(home),
        "TIDINGS_LEDGER": ledger,
        "LOG_LEVEL": "ERROR",
    }


def _fill(tables: Mapping[str, Sequence[Row]]) -> None:
    with transaction() as session:
        for table in Model.metadata.sorted_tables:
            rows = [_unsealed(row) for row in tables.get(table.name, ())]
            for start in range(0, len(rows), _BATCH):
                session.execute(insert(table), rows[start : start + _BATCH])


def _make_links(broadcast_id: int) -> None:
    """Short links come with the schedule, which a draft has yet to see."""
    with transaction() as session:
        broadcast = session.get_one(Broadcast, broadcast_id)
        make_links(session, broadcast, [one.id for one in targets_of(session, broadcast_id)])


def _unsealed(row: Row) -> Row:
    """A sender's settings are bytes, which the script cannot hold; there are none."""
    return {**row, "sealed_settings": b""} if "sealed_settings" in row else row


class Play:
    """One rehearsal, from the opening of the broadcast to the last person."""

    def __init__(self, script: Script, account: Account, home: Path, files: Shelf) -> None:
        self._script, self._account, self._id = script, account, script.cast.broadcast_id
        self._shelf, self._parts = files, {one.sender_id: one for one in script.cast.parts}
        house = runtime().media_house
        self._house = MediaHouse(house.files, script.cast.public_url, house.controller)
        self._clock = StageClock(script.cast.starts_at - utcnow())
        self._throttle = CountingThrottle(runtime().throttle)
        self._journal = Journal(home / "journal", "rehearsal")
        self._rates = {row["id"]: float(row["rate"]) for row in script.cast.rows["sender"]}

    def run(self) -> Report:
        """Send it to everybody, and hold the books against what arrived."""
        for row in self._script.cast.rows["sender"]:
            self._account.open(row["address"])
        self._account.misbehave(self._script.faults)
        began = time.monotonic()
        fan_out.open_due(controller=runtime().controller, now=self._clock())
        while self._is_open() and time.monotonic() - began < self._script.seconds:
            self._round()
        return self._report(time.monotonic() - began)

    def _round(self) -> None:
        fan_out.bring_back(self._clock())
        _, senders = fan_out.lanes_with_work(self._clock())
        for sender_id in senders:
            self._drain(sender_id)
        fan_out.end_finished(self._clock())
        if not senders and (due := self._next_due()) is not None:
            self._clock.jump_to(due)

    def _drain(self, sender_id: int) -> None:
        now = self._clock()
        with transaction() as session:
            sender = session.get_one(Sender, sender_id)
            number = sender.address
            replies_id = replies_broadcast(session, sender, now)
        transport = LoopbackOnly(CurlTransport(connections=_CONNECTIONS))
        part = self._parts[sender_id]
        gateway = StandInGateway(self._account, number, part, self._shelf)
        try:
            lane = Lane(
                LaneSetup(sender_id, replies_id, _BRISK, "", gateway),
                transport=transport,
                throttle=self._throttle,
                controller=runtime().controller,
                journal=self._journal,
                clock=self._clock,
                worker="rehearsal",
                media=StageMedia(part, gateway, self._house),
            )
            lane.drain(now + _DRAIN)
        finally:
            transport.close()

    def _is_open(self) -> bool:
        db.session.rollback()
        state = db.session.scalar(select(Broadcast.state).where(Broadcast.id == self._id))
        return state in (BroadcastState.SENDING, BroadcastState.SCHEDULED)

    def _next_due(self) -> datetime | None:
        db.session.rollback()
        waits = (Delivery.broadcast_id == self._id, Delivery.status == DeliveryStatus.PENDING.value)
        return db.session.scalar(select(func.min(Delivery.due_at)).where(*waits))

    def _report(self, took: float) -> Report:
        db.session.rollback()
        seen, messages = tally(self._id), self._account.arrived()
        arrived = Counter(one.to for one in messages)
        by_sms = {row["address"] for row in self._script.cast.rows["sender"] if row["channel"] == _BY_PARTS}
        people = self._statuses()
        taken = [status for address, status in people.items() if not arrived[address]]
        said = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED)
        cast = self._script.cast
        whole = cast.audience / cast.people
        unknown = [address for address, status in people.items() if status is DeliveryStatus.UNKNOWN]
        finished = not self._is_open()
        return Report(
            audience=cast.audience,
            people=seen.audience,
            doubles=sum(1 for count in arrived.values() if count > 1),
            losses=sum(1 for status in taken if status in said) + self._untold(seen, people, finished),
            sent=seen.sent + seen.delivered,
            unknown=seen.unknown,
            unknown_arrived=sum(1 for address in unknown if arrived[address]),
            waiting=seen.pending + seen.handing_over,
            parts=round(whole * sum(one.parts for one in messages if one.sender in by_sms)),
            files=round(whole * sum(one.has_file for one in messages)),
            tries=sum(self._throttle.granted.values()),
            took=round(took, 1),
            would_take=round(whole * max(map(self._seconds_of, self._rates), default=0.0), 1),
            finished=finished,
            skipped=self._by_reason(DeliveryStatus.SKIPPED),
            failed=self._by_reason(DeliveryStatus.FAILED),
            refused=self._account.refused(),
            last_at=self._last_at(),
        )

    def _seconds_of(self, sender_id: int) -> float:
        """How long a sender would need at its own pace for what it was granted here, and for its pauses."""
        return self._throttle.granted[sender_id] / self._rates[sender_id] + self._throttle.paused[sender_id]

    def _untold(self, seen: Tally, people: Mapping[str, DeliveryStatus], finished: bool) -> int:
        """People of the frozen audience of whom the books say nothing at the end."""
        return seen.audience - len(people) if finished else 0

    def _statuses(self) -> dict[str, DeliveryStatus]:
        rows = db.session.execute(
            select(Subscriber.address, Delivery.status)
            .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
            .where(Delivery.broadcast_id == self._id, Delivery.inbound_id == 0)
        )
        return {address: DeliveryStatus(status) for address, status in rows}

    def _by_reason(self, status: DeliveryStatus) -> dict[str, int]:
        rows = db.session.execute(
            select(func.coalesce(Delivery.reason, ""), func.count())
            .where(Delivery.broadcast_id == self._id, Delivery.status == status.value)
            .group_by(Delivery.reason)
        )
        return {reason: count for reason, count in rows}

    def _last_at(self) -> str:
        """When the last one went, if the play jumped over an hour or more: people waited for a morning."""
        if self._clock() - self._script.cast.starts_at < timedelta(hours=1):
            return ""
        last = db.session.scalar(
            select(func.max(Delivery.updated_at)).where(Delivery.broadcast_id == self._id)
        )
        return last.isoformat() if last else ""


if __name__ == "__main__":
    sys.exit(main())
