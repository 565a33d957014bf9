"""The ledger's statements: append to the chain under its lock, and read it back as it was hashed."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.ledger import ZERO_HASH, entry_hash
from app.storage.database import is_sqlite
from app.storage.models import ConsentEvent, ConsentPii, LedgerHead
from app.storage.shared import once, shared_by

_COLUMNS = tuple(column.key for column in ConsentEvent.__table__.columns)
HASHED_COLUMNS: Final = tuple(sorted(name for name in _COLUMNS if name != "entry_hash"))
"""What is hashed of an entry, in the order of canonical JSON; `as_hashed` says when `statement` is left out."""


def uuid7(now: datetime) -> str:
    """Return a UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits, so that ids sort by time."""
    value = int(now.timestamp() * 1000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(UUID(int=value))


def lock_head(session: Session, ledger: str) -> LedgerHead:
    """Return the ledger's end, locked until this transaction ends, so that entries are written one after another."""
    return once(session, ("head", ledger), lambda here: _lock_head(here, ledger))


def _lock_head(session: Session, ledger: str) -> LedgerHead:
    locked = (
        select(LedgerHead)
        .where(LedgerHead.ledger == ledger)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    head = session.scalars(locked).one_or_none()
    if head is not None:
        return head
    dialect = sqlite if is_sqlite(session) else postgresql
    session.execute(
        dialect.insert(LedgerHead).values(ledger=ledger, seq=0, entry_hash=ZERO_HASH).on_conflict_do_nothing()
    )
    return session.scalars(locked).one()


def append(session: Session, head: LedgerHead, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Chain `entries` behind `head` and store them; a column that an entry does not name is empty.

    Returns the entries as stored. The caller holds the lock of `lock_head`.
    """
    rows: list[dict[str, Any]] = []
    for entry in entries:
        row: dict[str, Any] = dict.fromkeys(_COLUMNS) | dict(entry)
        row |= {"seq": head.seq + 1, "prev_hash": head.entry_hash}
        row["entry_hash"] = entry_hash(as_hashed(row))
        head.seq, head.entry_hash = row["seq"], row["entry_hash"]
        rows.append(row)
    shared = shared_by(session)
    if shared is not None:
        shared.write_later(rows)
    elif rows:
        session.execute(insert(ConsentEvent), rows)
    return rows


def append_pii(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store sealed personal parts: `event_id`, `salt`, `sealed`."""
    shared = shared_by(session)
    if shared is not None:
        shared.write_pii_later(rows)
    elif rows:
        session.execute(insert(ConsentPii), list(rows))


def as_entry(event: ConsentEvent) -> dict[str, Any]:
    """Return an entry as it was hashed, its own `entry_hash` included."""
    return as_hashed({name: getattr(event, name) for name in _COLUMNS})


def as_hashed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without the field `statement` where it is empty: format 1 was hashed before there was one."""
    return {name: value for name, value in row.items() if name != "statement" or value is not None}
