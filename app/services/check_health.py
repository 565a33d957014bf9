"""The doctor: a list of checks of this installation, each ok, a warning or a failure, with what to do."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.domain.ledger import iso_ms
from app.domain.sealing import CannotOpen
from app.domain.short_links import PATH
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.services import check_platforms, given_back_days, kept_hooks, share_consents
from app.services.allowance_health import check_allowances
from app.services.checks import Check, Health
from app.services.controller import Controller
from app.services.follower_health import check_followers
from app.services.gateways_of_senders import open_settings
from app.storage.database import db
from app.storage.models import Broadcast, BroadcastList, ConsentEvent, Delivery, LedgerHead, Sender, TreeHead
from app.storage.replies import dropped_confirmations

OLDEST_REDIS: Final = (6, 2)
LATE_AFTER: Final = timedelta(minutes=2)
SIGNED_WITHIN: Final = timedelta(days=2)
LITTLE_DISK: Final = 1 << 30
NO_DISK: Final = 100 << 20
BACKUP_WITHIN: Final = timedelta(days=2)
BACKUP_MARK: Final = "last-backup"
CONFIRMATIONS_LOOKED_AT: Final = timedelta(days=7)
PROCESSES: Final = ("worker", "replies", "clock")


class Pulse(Protocol):
    """What the doctor asks Redis, so that it is handed in and no service knows the client."""

    def version(self) -> tuple[int, ...]:
        """Return the server's version; raises OSError when it does not answer."""

    def heartbeat(self, process: str) -> str | None:
        """Return when a kind of process was last alive (ISO 8601), None when it has not been lately."""


@dataclass(frozen=True)
class Surroundings:
    """What lies outside the database: addresses, folder, and the newest migration that this version brings."""

    public_url: str
    home: Path
    newest_migration: str | None
    demo: bool = False


def doctor(*, pulse: Pulse, around: Surroundings, controller: Controller, now: datetime) -> list[Check]:
    """Run every check; one that fails never keeps the others from running."""
    database = _database(around.newest_migration)
    checks = [database, *_redis(pulse), _public_url(around), _disk(around.home)]
    checks.append(_backup(around.home, now))
    if database.health is not Health.FAIL:
        checks += [_guarded("senders", lambda: _senders(controller)), _guarded("due", lambda: _due(now))]
        checks.append(_guarded("ledger", lambda: _ledger(controller)))
        checks.append(_guarded("signed heads", lambda: _signed_heads(controller, now)))
        checks.append(_guarded("platforms", lambda: _platforms(now)))
        checks.append(_guarded("confirmations", lambda: _confirmations(now)))
        checks.append(_guarded("webhooks", lambda: webhooks(controller)))
        checks.append(_guarded("short links", lambda: _short_links(around.public_url)))
        checks.append(_guarded("numbers given back", lambda: _given_back(controller, now)))
        checks.append(_guarded("shared consents", lambda: _shared(controller, now)))
        checks.append(_guarded("allowances", lambda: check_allowances(now)))
        checks.append(_guarded("followers", lambda: check_followers(now)))
    return checks


def _platforms(now: datetime) -> Check:
    """Templates, limits and complaints, of which platforms tell by webhook."""
    against, approved = check_platforms.said(now)
    if against:
        return Check(
            "platforms",
            Health.WARN,
            f"the platforms say: {'; '.join(against)}",
            "See the platform's own pages. What is over although nobody said so: tidings senders told NAME --forget",
        )
    if approved:
        return Check(
            "platforms", Health.OK, f"approved again, resume what waits for it: {', '.join(approved)}"
        )
    return Check("platforms", Health.OK, "no platform holds anything against us")


def _confirmations(now: datetime) -> Check:
    """Whoever says STOP is told within five minutes that it is done (consent.md 1, rule R6), or we must know."""
    dropped = dropped_confirmations(db.session(), now - CONFIRMATIONS_LOOKED_AT)
    if not dropped:
        return Check(
            "confirmations", Health.OK, "every STOP of the last week was confirmed in time, if at all"
        )
    return Check(
        "confirmations",
        Health.WARN,
        f"{dropped} confirmations of STOP were dropped in a week, for they would have come after five minutes",
        "Keep a replies worker running at all times, and look whether a sender was paused.",
    )


def webhooks(controller: Controller) -> Check:
    """Signed posts that we could not take are still here, and so are the STOPs that may be among them."""
    found = kept_hooks.problems(controller=controller)
    if not found.count:
        return Check("webhooks", Health.OK, "every signed webhook of the last days was taken")
    return Check(
        "webhooks",
        Health.WARN,
        f"{found.count} webhook(s) could not be taken, the newest because: {found.reason}",
        "Look: tidings hooks list. After the fault is mended: tidings hooks replay",
    )


def worst(checks: Sequence[Check]) -> Health:
    """Return the worst health among `checks`."""
    order = (Health.OK, Health.WARN, Health.FAIL)
    return max((check.health for check in checks), key=order.index, default=Health.OK)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SQLAlchemyError as error:
        db.session.rollback()
        return Check(name, Health.FAIL, _first_line(error), "Run: tidings db upgrade")


def _database(newest: str | None) -> Check:
    try:
        with db.engine.connect() as connection:
            dialect = connection.dialect.name
            connection.execute(text("SELECT 1"))
            head = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError as error:
        return Check(
            "database",
            Health.FAIL,
            _first_line(error),
            "Start the database, check DATABASE_URL, then run: tidings db upgrade",
        )
    if newest is not None and head != newest:
        return Check(
            "database",
            Health.FAIL,
            f"{dialect}, schema {head}, but this version needs {newest}",
            "Run: tidings db upgrade",
        )
    return Check("database", Health.OK, f"{dialect}, schema {head}")


def _redis(pulse: Pulse) -> list[Check]:
    try:
        version = pulse.version()
        beats = {process: pulse.heartbeat(process) for process in PROCESSES}
    except OSError as error:
        return [
            Check("redis", Health.FAIL, _first_line(error), "Start Redis or Valkey, and check REDIS_URL.")
        ]
    return [_redis_version(version), *(_process(name, beat) for name, beat in beats.items())]


def _redis_version(version: tuple[int, ...]) -> Check:
    words = ".".join(map(str, version))
    if version < OLDEST_REDIS:
        return Check("redis", Health.FAIL, f"version {words}", "Install Redis 6.2 or newer, or Valkey.")
    return Check("redis", Health.OK, f"version {words}")


def _process(name: str, beat: str | None) -> Check:
    if beat is None:
        return Check(name, Health.FAIL, "no sign of life", "Start it: python -m workers " + _arguments(name))
    return Check(name, Health.OK, f"alive at {beat}")


def _arguments(name: str) -> str:
    return "worker --queue replies" if name == "replies" else name


def _public_url(around: Surroundings) -> Check:
    if around.public_url.startswith("https://") or around.demo:
        return Check("public address", Health.OK, around.public_url)
    return Check(
        "public address",
        Health.WARN,
        f"{around.public_url} is not encrypted",
        "Put a web server with a certificate in front and set PUBLIC_URL=https://...",
    )


def _disk(home: Path) -> Check:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / (1 << 30):.1f} GiB free at {home}"
    if free < NO_DISK:
        return Check("disk", Health.FAIL, found, "Make room now: the database stops when the disk is full.")
    if free < LITTLE_DISK:
        return Check("disk", Health.WARN, found, "Make room soon.")
    return Check("disk", Health.OK, found)


def _backup(home: Path, now: datetime) -> Check:
    """Look when a backup was made last: whoever makes them touches a file of ours."""
    mark = home / BACKUP_MARK
    if not mark.exists():
        return Check(
            "backup", Health.WARN, "nobody says that there is one", f"Make one now, then: touch {mark}"
        )
    made = datetime.fromtimestamp(mark.stat().st_mtime, UTC)
    found = f"the last was made on {made:%Y-%m-%d %H:%M} UTC"
    if made < now - BACKUP_WITHIN:
        return Check("backup", Health.WARN, found, f"Make one now, then: touch {mark}")
    return Check("backup", Health.OK, found)


def _senders(controller: Controller) -> Check:
    senders = db.session.scalars(select(Sender).order_by(Sender.name)).all()
    if not senders:
        return Check("senders", Health.WARN, "there is none", "Add one: tidings senders add --help")
    for sender in senders:
        try:
            open_settings(sender, controller)
        except CannotOpen:
            return Check(
                "senders",
                Health.FAIL,
                f"the secrets of “{sender.name}” cannot be opened",
                "Set the MASTER_KEY they were sealed under, or add the sender anew.",
            )
    paused = [f"“{row.name}” ({row.paused_reason})" for row in senders if row.paused_at]
    if paused:
        return Check(
            "senders",
            Health.WARN,
            f"paused: {', '.join(paused)}",
            "When settled: tidings senders resume NAME",
        )
    return Check("senders", Health.OK, ", ".join(row.name for row in senders))


def _short_links(public_url: str) -> Check:
    """Short links begin with the public address of the day on which their list was switched on."""
    rows = db.session.scalars(
        select(BroadcastList).where(BroadcastList.links_begin.is_not(None)).order_by(BroadcastList.name)
    )
    for row in rows:
        if row.links_begin != public_url + PATH:
            return Check(
                "short links",
                Health.WARN,
                f"those of “{row.name}” begin with {row.links_begin}, which is not our address any more",
                f'Run: tidings lists clicks "{row.name}" {row.clicks}',
            )
    return Check("short links", Health.OK, "those of all lists that count clicks lead here")


def _given_back(controller: Controller, now: datetime) -> Check:
    """Carriers want their lists of numbers that were given back to be read each day."""
    late = given_back_days.late(controller, now)
    if not late:
        return Check("numbers given back", Health.OK, "no list of a carrier is waiting to be read")
    worst_off = min(late, key=lambda one: one.last or date.min)
    if worst_off.last is None:
        found = f"the lists of “{worst_off.name}” could never be read"
    else:
        found = f"the lists of “{worst_off.name}” were last read for {worst_off.last}"
    return Check(
        "numbers given back", Health.WARN, found, f"See why: tidings senders deactivations {worst_off.name}"
    )


def _shared(controller: Controller, now: datetime) -> Check:
    """A provider that is told of consents refuses whom it does not know of, if it is told no more."""
    late = share_consents.late(controller, now)
    if not late:
        return Check("shared consents", Health.OK, "every provider that is told of consents has them")
    return Check(
        "shared consents",
        Health.WARN,
        f"the provider of “{late[0]}” has not taken consents for hours",
        "See what the clock logs; the provider may not have opened this to your account.",
    )


def _due(now: datetime) -> Check:
    """Look for what should have gone out by now: nothing waits longer than the clock takes to come round."""
    broadcast = db.session.scalar(
        select(func.min(Broadcast.next_at)).where(Broadcast.state == BroadcastState.SCHEDULED.value)
    )
    reply = db.session.scalar(
        # Answers only: questions about sign-ups (below 0) wait for the morning and for their turn.
        select(func.min(Delivery.updated_at))
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(
            Broadcast.state == BroadcastState.REPLIES.value,
            Delivery.slice.is_(None),  # lets the index find them among all deliveries
            Delivery.status == DeliveryStatus.PENDING.value,
            Delivery.inbound_id > 0,
        )
    )
    for what, since in (("a broadcast", broadcast), ("a reply", reply)):
        if since is not None and since < now - LATE_AFTER:
            return Check(
                "due",
                Health.FAIL,
                f"{what} has been due since {since:%Y-%m-%d %H:%M} UTC",
                "See that clock and workers run and that its sender is not paused.",
            )
    return Check("due", Health.OK, "nothing is late")


def _ledger(controller: Controller) -> Check:
    head = db.session.scalar(select(LedgerHead).where(LedgerHead.ledger == controller.ledger))
    found = f"“{controller.ledger}”, {head.seq if head else 0} entries"
    others = db.session.scalars(select(LedgerHead.ledger).where(LedgerHead.ledger != controller.ledger)).all()
    if head is None and others:
        return Check(
            "ledger",
            Health.WARN,
            f"{found}, while there is “{others[0]}”",
            "TIDINGS_LEDGER was changed; set it back unless that was meant.",
        )
    return Check("ledger", Health.OK, found)


def _signed_heads(controller: Controller, now: datetime) -> Check:
    """Look whether the clock signs: a ledger of two days must have a head that is not older than that."""
    newest = db.session.scalar(
        select(func.max(TreeHead.signed_at)).where(TreeHead.ledger == controller.ledger)
    )
    first = db.session.scalar(
        select(ConsentEvent.recorded_at).where(
            ConsentEvent.ledger == controller.ledger, ConsentEvent.seq == 1
        )
    )
    found = f"the newest is of {newest}" if newest else "there is none yet"
    if first is None or max(newest or first, first) > iso_ms(now - SIGNED_WITHIN):
        return Check("signed heads", Health.OK, found)
    return Check(
        "signed heads",
        Health.WARN,
        found,
        "See what the clock logs, and try: tidings consent heads sign",
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
