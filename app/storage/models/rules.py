"""Rules by which a broadcast repeats, and what became of each occurrence."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class RepeatRule(Model):
    """A schedule that repeats; each occurrence becomes a broadcast with the words that `template_id` has then.

    `dtstart`, `rrule` and `zone` are the rule as RFC 5545 writes it; with `own_clocks` it goes at that time on each
    person's own clock. `next_at` is the first occurrence that nobody
    has looked at; NULL while the rule is paused and when it has ended. `state_by` paused or ended it.
    """

    __tablename__ = "repeat_rule"
    __table_args__ = (Index("ix_repeat_rule_next_at", "next_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), index=True)
    dtstart: Mapped[str] = mapped_column(String(15))
    rrule: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(60))
    own_clocks: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[str] = mapped_column(String(8))
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state_by: Mapped[str | None] = mapped_column(String(120))
    state_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RepeatRun(Model):
    """One occurrence that was looked at, or that an editor left out. The primary key makes a second one impossible.

    `problem` says why the broadcast was refused; `broadcast_id` is the one that was made.
    """

    __tablename__ = "repeat_run"

    rule_id: Mapped[int] = mapped_column(ForeignKey("repeat_rule.id"), primary_key=True)
    occurs_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"), index=True)
    problem: Mapped[str | None] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
