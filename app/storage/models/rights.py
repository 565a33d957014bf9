"""What people's rights leave behind: proof put under lock, and what each round of the retention timers took away."""

from datetime import datetime

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class RestrictedSubject(Model):
    """The sealed proof of an erased person, kept for a legal claim only (GDPR article 17(3)(b), (e)).

    It is found by whoever names the address: `hmac` is the keyed hash that suppressions use. The subject's own
    index leads nowhere any more, so that a later START makes a fresh person.
    """

    __tablename__ = "restricted_subject"
    __table_args__ = (Index("ix_restricted_subject_hmac", "hmac"),)

    subject_ref: Mapped[str] = mapped_column(String(36), primary_key=True)
    hmac: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class PurgeRun(Model):
    """One round of the timers: how many of each kind went. `day` (UTC, 2026-11-28) lets the clock do one a day.

    `walked` is the last subscriber looked at, for a round is made of many small steps.
    """

    __tablename__ = "purge_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    day: Mapped[str | None] = mapped_column(String(10), unique=True)
    by: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    walked: Mapped[int] = mapped_column(BigId, default=0)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
