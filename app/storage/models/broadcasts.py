"""Broadcasts, the lists they go to, and the slices their audience is cut into."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, SmallInteger, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class Broadcast(Model):
    """Content, lists and schedule. The row is the schedule: nothing lies on a queue until it is due.

    `revision` guards against two editors saving over each other. `audience` is counted once, at the start,
    together with `as_of_seq`, the end of the ledger then: whoever consents later is not part of this audience.
    `over_cap_reason` says why it may go to people who have had their messages of the day.
    `first_percent` of the audience go first; the rest waits until `rest_at`, which is set when these are out.
    `local_at`, where there is one, is its time on each person's own clock, without a zone; `next_at` is then when the
    first of them may get it, and `zone` whose clock holds for those of whom nobody knows theirs.
    `sms_parts` is how long an SMS of it was when it was scheduled, short links, what stands for a file and buttons in
    words included, on average where languages have words of their own; `sms_parts_elsewhere` the same for people whose
    country has no messages with files, where one goes.
    `corrects_id` names the broadcast that this one corrects: it goes to exactly those who got that one. `in_place`
    (`edit`, `delete`) is what it does with the messages themselves where the platform lets it; NULL: nothing.
    `changed_in_place` is to how many of them it did that, counted when it ended.
    `segment_rule` chooses part of the lists' people; until the start it may be that of `segment_id` instead, with
    `segment_but` everybody but those, and since
    the start it never changes. `planned_to` is the last subscriber id up to which slices were written;
    NULL before the start, and when all are.
    `approved_by` is the second person who said yes to what the draft says; any change takes it away.
    `styled`: marks in its words style them (`app.domain.styles`); those from before there were styles go out as typed.
    `urgent` ones, messages of a live event, go before the others of their sender.
    `brake_base` is what had come of it when somebody let it go on last: the brakes count from there.
    `tests_id` names the draft that this one tries out: it goes to testers, counts nowhere, and is no broadcast of the
    editors.
    A broadcast of state `replies` stands for a sender's answers and is never shown to editors;
    one of state `template` is what drafts are written from, `title` its name.
    """

    __tablename__ = "broadcast"
    __table_args__ = (
        Index("ix_broadcast_state_next_at", "state", "next_at"),
        Index("ix_broadcast_finished_at", "finished_at"),
        Index(
            "ix_broadcast_corrects_id",
            "corrects_id",
            postgresql_where=text("corrects_id IS NOT NULL"),
            sqlite_where=text("corrects_id IS NOT NULL"),
        ),
        Index(
            "ix_broadcast_tests_id",
            "tests_id",
            postgresql_where=text("tests_id IS NOT NULL"),
            sqlite_where=text("tests_id IS NOT NULL"),
        ),
        Index(
            "ix_broadcast_urgent",
            "state",
            postgresql_where=text("urgent"),
            sqlite_where=text("urgent"),
        ),
        Index(
            "uq_broadcast_replies_sender",
            "sender_id",
            unique=True,
            postgresql_where=text("state = 'replies'"),
            sqlite_where=text("state = 'replies'"),
        ),
        Index(
            "uq_broadcast_template_title",
            "title",
            unique=True,
            postgresql_where=text("state = 'template'"),
            sqlite_where=text("state = 'template'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(12))
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("sender.id"), index=True)
    zone: Mapped[str] = mapped_column(String(60))
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    local_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    sms_parts: Mapped[int | None] = mapped_column(SmallInteger)
    sms_parts_elsewhere: Mapped[int | None] = mapped_column(SmallInteger)
    fresh_minutes: Mapped[int] = mapped_column(default=120)
    over_cap_reason: Mapped[str | None] = mapped_column(String(300))
    first_percent: Mapped[int | None] = mapped_column(SmallInteger)
    rest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"))
    tests_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"))
    in_place: Mapped[str | None] = mapped_column(String(6))
    changed_in_place: Mapped[int | None]
    urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    styled: Mapped[bool] = mapped_column(default=True, server_default=false())
    brake_base: Mapped[dict[str, int] | None] = mapped_column(JSON)
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segment.id"))
    segment_but: Mapped[bool] = mapped_column(default=False, server_default=false())
    segment_rule: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    planned_to: Mapped[int | None] = mapped_column(BigId)
    revision: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    as_of_seq: Mapped[int | None] = mapped_column(BigId)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    audience: Mapped[int | None] = mapped_column(BigId)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state_by: Mapped[str | None] = mapped_column(String(120))
    state_reason: Mapped[str | None] = mapped_column(String(300))
    state_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approval_asked_by: Mapped[str | None] = mapped_column(String(120))
    approval_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_by: Mapped[str | None] = mapped_column(String(120))
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def void_approval(self) -> None:
        """Take a second person's yes away, and the question: they were about what it said before."""
        self.approved_by = self.approved_at = None
        self.approval_asked_by = self.approval_asked_at = None


class BroadcastTarget(Model):
    """One list that a broadcast goes to."""

    __tablename__ = "broadcast_target"

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"), primary_key=True)


class BroadcastVariant(Model):
    """Other words of a broadcast, for a channel ("": all), a language ("": all), or both.

    `domain.wording` says who gets which; where there are none, `Broadcast.text` goes out.
    """

    __tablename__ = "broadcast_variant"

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True, default="")
    text: Mapped[str] = mapped_column(Text)


class BroadcastVersion(Model):
    """What a draft said after one save. `revision` is the broadcast's; `variants` has its other words by `Scope.key`.

    `rich` has `content` and `template` of each `BroadcastRich` by channel; NULL: a version that did not keep them, nor
    files (`VersionMedia`).
    """

    __tablename__ = "broadcast_version"

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    variants: Mapped[dict[str, str]] = mapped_column(JSON)
    rich: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    saved_by: Mapped[str] = mapped_column(String(120))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Snippet(Model):
    """A saved text with a name, for drafts to begin from; of one list, or (NULL) for all of them."""

    __tablename__ = "snippet"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    text: Mapped[str] = mapped_column(Text)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast_list.id"))
    revision: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(String(120))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Slice(Model):
    """About a thousand recipients of one sender: a range of subscriber ids, leased to one worker at a time.

    `epoch` goes up with each lease; a worker whose epoch is no longer the row's may hand nothing over.
    `held` it belongs to the rest that waits for the first wave.
    `people` are in it; of a correction they are counted again when they are claimed.
    A slice without bounds carries deliveries that are tried again. `reached` is the last subscriber to whom something
    may have left under `reached_epoch` and is not settled; NULL when everything is.
    """

    __tablename__ = "slice"
    __table_args__ = (Index("ix_slice_state", "state", "broadcast_id", "seq"),)

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"))
    lo: Mapped[int | None] = mapped_column(BigId)
    hi: Mapped[int | None] = mapped_column(BigId)
    people: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(8), default="open")
    epoch: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(120))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reached: Mapped[int | None] = mapped_column(BigId)
    reached_epoch: Mapped[int | None]
