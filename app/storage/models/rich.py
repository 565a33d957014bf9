"""What a broadcast has besides its text, and what people answered to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class BroadcastRich(Model):
    """Buttons and the like of a broadcast, for every channel (`channel` is "") or for one.

    `content` is what `app.domain.buttons.to_json` makes; NULL in the row of a channel: those for every channel.
    `template` names a text that the platform of that channel approved.
    """

    __tablename__ = "broadcast_rich"

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    template: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class BroadcastAnswer(Model):
    """Which button of a broadcast somebody pressed last; `place` counts from 0 in the buttons of their channel.

    An erasure takes `subscriber_id`, `inbound_id` and `answered_at` away: what is left is a count.
    """

    __tablename__ = "broadcast_answer"
    __table_args__ = (
        UniqueConstraint("broadcast_id", "subscriber_id"),
        Index("ix_broadcast_answer_subscriber_id", "subscriber_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id"))
    place: Mapped[int] = mapped_column(SmallInteger)
    label: Mapped[str] = mapped_column(String(40))
    inbound_id: Mapped[int | None] = mapped_column(BigId)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
