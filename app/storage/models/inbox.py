"""Messages that wait in our own store for readers on the pages of a site."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class InboxMessage(Model):
    """One message for one reader. The delivery that it is names it, so that a hand-over done twice stores it once.

    `media` is the file beside the text, as `app.gateways.inapp.shown_of` has it; `buttons` has kind, label and value
    of each, as the gateway encoded them. `edited_by` is the correction that changed it last where it stands,
    at `edited_at`.
    """

    __tablename__ = "inbox_message"
    __table_args__ = (
        UniqueConstraint("broadcast_id", "subscriber_id", "inbound_id"),
        Index("ix_inbox_message_subscriber_id", "subscriber_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(BigId)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    inbound_id: Mapped[int] = mapped_column(BigId)
    text: Mapped[str] = mapped_column(Text)
    media: Mapped[dict[str, str] | None] = mapped_column(JSON)
    buttons: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    edited_by: Mapped[int | None] = mapped_column(BigId)
    edited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
