"""Saved segments, and who is in the slices of a broadcast that goes to one."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class SavedSegment(Model):
    """A rule that chooses part of a list, under a name. `rule` is read by `app.domain.segments.parse`.

    What waits for its time follows a change; a broadcast keeps the rule with which it began.
    """

    __tablename__ = "segment"
    __table_args__ = (UniqueConstraint("list_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"))
    name: Mapped[str] = mapped_column(String(80))
    rule: Mapped[dict[str, Any]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(String(120))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SlicePeople(Model):
    """The people of a slice of a segment, from when it is planned until it is claimed: then they have deliveries.

    `ids` are ascending, packed by `app.storage.planning`.
    """

    __tablename__ = "slice_people"
    __table_args__ = (ForeignKeyConstraint(["broadcast_id", "seq"], ["slice.broadcast_id", "slice.seq"]),)

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ids: Mapped[bytes] = mapped_column(LargeBinary)
