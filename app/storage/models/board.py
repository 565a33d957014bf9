"""The story queue and the slots that take from it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class SlotTime(Model):
    """A time of the day, in the list's zone, at which the top story of its queue goes out."""

    __tablename__ = "slot_time"

    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"), primary_key=True)
    minute: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class StoryRow(Model):
    """One story of a list's queue. `revision` guards against two editors saving over each other.

    A breaking story has `breaking_reason` and who asked for it; before it goes over the promise somebody else says yes.
    `broadcast_id` is the broadcast that it became. `saved_by` changed it last, `approved_by` is the second person who
    said yes to it where the list asks for one.
    """

    __tablename__ = "story"
    __table_args__ = (Index("ix_story_list_state", "list_id", "state"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"))
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    rank: Mapped[int]
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revision: Mapped[int] = mapped_column(default=1)
    breaking_reason: Mapped[str | None] = mapped_column(String(300))
    breaking_by: Mapped[str | None] = mapped_column(String(120))
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"))
    saved_by: Mapped[str | None] = mapped_column(String(120))
    approved_by: Mapped[str | None] = mapped_column(String(120))
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SlotRun(Model):
    """A slot that has come: which story it took, or none. The primary key is what makes a second story impossible.

    `problem` says why the story could not go out, or why none of those that waited was taken: the queue keeps them.
    """

    __tablename__ = "slot_run"

    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"), primary_key=True)
    slot_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    story_id: Mapped[int | None] = mapped_column(ForeignKey("story.id"))
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"))
    problem: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
