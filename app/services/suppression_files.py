"""The suppression list as a file: written as keyed hashes, read as our own hashes or as addresses from elsewhere.

An import adds to the list and never takes from it. Hashes are worth nothing under another master key, so a file
of hashes carries a fingerprint of its key, and is refused where that does not fit.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address, BadAddress, canonical
from app.domain.consent import EventType, Scope
from app.domain.sealing import KeyRing
from app.domain.spreadsheets import number_damage, unwrap
from app.services import suppressions
from app.services.audit import note
from app.services.controller import Controller, Refused
from app.services.import_columns import ADDRESS
from app.services.import_file import RawRow, Table, open_table
from app.services.import_rows import RowProblem
from app.services.manage_subscribers import read_address, tell_ledger
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import Subscriber, Suppression

COLUMNS: Final = ("hmac", "key_version", "key_check", "reason", "created_at")
BATCH: Final = 500
# What the fingerprint of a key is made of: no address on any channel.
_IMPORTED: Final = "on a suppression list that was imported"
_PROBE: Final = Address("tidings", "suppression-key")


@dataclass(frozen=True)
class Taken:
    """How many rows of a file were added, how many were suppressed already, how many make no sense."""

    added: int = 0
    already: int = 0
    bad: int = 0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.added + other.added, self.already + other.already, self.bad + other.bad)


@dataclass(frozen=True)
class Summary:
    """How many suppressions are in force for one reason, and since when the newest."""

    reason: str
    count: int
    newest: datetime


def summary() -> list[Summary]:
    """Return the suppressions in force, by reason."""
    rows = db.session.execute(
        select(Suppression.reason, func.count(), func.max(Suppression.created_at))
        .where(Suppression.lifted_at.is_(None))
        .group_by(Suppression.reason)
        .order_by(func.count().desc(), Suppression.reason)
    )
    return [Summary(reason, count, newest) for reason, count, newest in rows]


def check(raw: str, *, channel: str = "sms", controller: Controller) -> bool:
    """Tell whether this address is suppressed, whether or not we know the person. Raises `Refused`."""
    address = read_address(raw, channel=channel, controller=controller)
    return address in suppressions.suppressed(db.session(), controller.keys, [address])


def export(controller: Controller) -> Iterator[str]:
    """Yield the suppressions in force as lines of CSV: hashes and reasons, no address."""
    checks = _checks(controller.keys)
    yield _line(COLUMNS)
    found = db.session.execute(
        select(Suppression).where(Suppression.lifted_at.is_(None)).order_by(Suppression.id),
        execution_options={"yield_per": 1000},
    )
    for row in found.scalars():
        version = str(row.key_version)
        yield _line((row.hmac, version, checks.get(version, ""), row.reason, row.created_at.isoformat()))


def take(
    path: Path,
    *,
    reason: str,
    channel: str = "sms",
    region: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    by: str,
    controller: Controller,
    now: datetime,
    on_problem: Callable[[RowProblem], None] = lambda problem: None,
) -> Taken:
    """Suppress everybody in a CSV: with a column `hmac` one of our own exports, with `address` (or `number`) addresses.

    `reason` is for rows without one. Running it again changes nothing. Raises `Refused` for a file that cannot be
    read or whose hashes were made with another key.
    """
    table = open_table(path, encoding=encoding, delimiter=delimiter)
    names = [name.lower() for name in table.header]
    reader = _Reader(table, names, reason.strip(), channel, (region or controller.region).upper())
    store = _hash_store(reader, controller) if "hmac" in names else _address_store(reader, by, controller)
    done, rows = Taken(), table.rows()
    while batch := list(islice(rows, BATCH)):
        with transaction() as session:
            lock_head(session, controller.ledger)  # so that no import judges in between
            taken, problems = store(session, batch, now)
        done += taken
        for problem in problems:
            on_problem(problem)
    if "hmac" in names:
        _mark_known(by, controller, now)
    with transaction() as session:
        facts = {"file": table.facts.name, "sha256": table.facts.sha256, "added": done.added}
        note(session, by, "suppressions.import", table.facts.name[:120], now, **facts)
    return done


_Store = Callable[[Session, Sequence[RawRow], datetime], tuple[Taken, list[RowProblem]]]


@dataclass(frozen=True)
class _Reader:
    table: Table
    names: list[str]
    reason: str
    channel: str
    region: str

    def cell(self, row: RawRow, *names: str) -> str:
        for name in names:
            if name in self.names and self.names.index(name) < len(row.cells):
                return unwrap(row.cells[self.names.index(name)])
        return ""

    def reason_of(self, row: RawRow) -> str:
        words = self.cell(row, "reason") or self.reason
        if not words or len(words) > suppressions.MAX_REASON:
            raise BadAddress(f"A suppression needs a reason of 1 to {suppressions.MAX_REASON} characters.")
        return words

    def address(self, row: RawRow) -> Address:
        text = self.cell(row, ADDRESS, "number")
        if self.channel == "sms" and (damage := number_damage(text, self.region)):
            raise BadAddress(damage)
        return canonical(self.channel, text, self.region)


def _address_store(reader: _Reader, by: str, controller: Controller) -> _Store:
    if not {ADDRESS, "number"} & set(reader.names):
        columns = ", ".join(reader.table.header)
        raise Refused(
            f"{reader.table.facts.name} has neither a column hmac nor address or number. Columns: {columns}."
        )

    def store(session: Session, rows: Sequence[RawRow], now: datetime) -> tuple[Taken, list[RowProblem]]:
        reasons, problems = {}, []
        for row in rows:
            try:
                reasons[reader.address(row)] = reader.reason_of(row)
            except BadAddress as error:
                value = reader.cell(row, ADDRESS, "number")
                problems.append(RowProblem(row.line, ADDRESS, value, str(error), tuple(row.cells)))
        fresh = suppressions.add(session, controller.keys, reasons, now=now)
        if fresh:
            told = {address: reasons[address] for address in fresh}
            tell_ledger(session, told, EventType.SUPPRESSION_ADDED, by, controller, now)
        return Taken(len(fresh), len(rows) - len(problems) - len(fresh), len(problems)), problems

    return store


def _hash_store(reader: _Reader, controller: Controller) -> _Store:
    """Take our own hashes back."""
    checks = _checks(controller.keys)

    def store(session: Session, rows: Sequence[RawRow], now: datetime) -> tuple[Taken, list[RowProblem]]:
        given = {}
        for row in rows:
            version = reader.cell(row, "key_version")
            if checks.get(version) != reader.cell(row, "key_check"):
                raise Refused(
                    f"{reader.table.facts.name}, line {row.line}: this hash was made with another MASTER_KEY; "
                    "it would match nobody here. Import the addresses instead."
                )
            given[reader.cell(row, "hmac").lower()] = (
                int(version),
                reader.cell(row, "reason") or reader.reason,
            )
        open_now = select(Suppression.hmac).where(
            Suppression.hmac.in_(given), Suppression.lifted_at.is_(None)
        )
        fresh = set(given) - set(session.scalars(open_now))
        session.add_all(
            Suppression(
                hmac=hmac, key_version=version, scope=Scope.ALL.value, reason=reason[:40], created_at=now
            )
            for hmac, (version, reason) in given.items()
            if hmac in fresh
        )
        return Taken(len(fresh), len(rows) - len(fresh)), []

    return store


def _mark_known(by: str, controller: Controller, now: datetime) -> None:
    """Write it into the ledger of everybody whose hash is on the list: hashes cannot be turned round."""
    after = 0
    while True:
        with transaction() as session:
            lock_head(session, controller.ledger)
            page = session.execute(
                select(Subscriber.id, Subscriber.channel, Subscriber.address)
                .where(Subscriber.id > after, Subscriber.suppressed_at.is_(None))
                .order_by(Subscriber.id)
                .limit(BATCH)
            ).all()
            if not page:
                return
            after = page[-1].id
            people = [Address(row.channel, row.address) for row in page]
            found = suppressions.suppressed(session, controller.keys, people)
            for channel in sorted({address.channel for address in found}):
                here = {one: _IMPORTED for one in people if one in found and one.channel == channel}
                tell_ledger(session, here, EventType.SUPPRESSION_ADDED, by, controller, now)


def _checks(keys: KeyRing) -> dict[str, str]:
    """Return a fingerprint of each version of the key."""
    return {str(version): value[:16] for version, value in suppressions.hashes(keys, _PROBE).items()}


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
