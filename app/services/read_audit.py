"""The audit log to read: who did what, when, to which thing."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from app.domain.spreadsheets import wrap
from app.storage.database import db
from app.storage.models import AuditEntry

_PAGE = 1000


@dataclass(frozen=True)
class Asked:
    """Which lines are wanted: a part of the name of who did it, a deed or its kind (`broadcast`), a part of the thing.

    `since` counts, `until` does not.
    """

    who: str = ""
    what: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def entries(asked: Asked, *, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
    """Return lines, the newest first, from the one before number `before` on."""
    query = _chosen(asked).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return db.session.scalars(query).all()


def _chosen(asked: Asked) -> Select[AuditEntry]:
    query = select(AuditEntry)
    if asked.who:
        query = query.where(AuditEntry.actor.icontains(asked.who, autoescape=True))
    if asked.what:
        kind = AuditEntry.action.startswith(f"{asked.what}.", autoescape=True)
        query = query.where((AuditEntry.action == asked.what) | kind)
    if asked.subject:
        query = query.where(AuditEntry.subject.icontains(asked.subject, autoescape=True))
    if asked.since is not None:
        query = query.where(AuditEntry.at >= asked.since)
    if asked.until is not None:
        query = query.where(AuditEntry.at < asked.until)
    return query


def deeds() -> list[str]:
    """Return the deeds that stand in the log, by name."""
    return list(db.session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)))


def as_csv(asked: Asked) -> Iterator[str]:
    """Yield the lines as CSV for spreadsheets, the newest first; no cell of it is calculated."""
    yield "\ufeff" + _csv_line(["number", "at", "who", "what", "subject", "details"])
    before: int | None = None
    while page := entries(asked, before=before, limit=_PAGE):
        for row in page:
            details = json.dumps(row.details, ensure_ascii=False, sort_keys=True) if row.details else ""
            cells = [row.at.isoformat(), row.actor, row.action, row.subject, details]
            yield _csv_line([str(row.id), *map(wrap, cells)])
        before = page[-1].id


def _csv_line(values: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()
