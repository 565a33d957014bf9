"""What we send to one person that answers no text of theirs: the question about a sign-up, the welcome after a link."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class OwnMessage(Model):
    """The words of one message and what they are about. Its delivery has `inbound_id` = -`id`.

    `kind` is a `ReplyKind`. `requested_seq` is the ledger entry of the question and `code` the end of its link; the
    question is open as long as the subscription names the same entry. `acted_at` is when the person acted, which
    lets the question go at any hour for some minutes.
    """

    __tablename__ = "own_message"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), index=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"))
    kind: Mapped[str] = mapped_column(String(30))
    text: Mapped[str] = mapped_column(Text)
    requested_seq: Mapped[int | None] = mapped_column(BigId)
    code: Mapped[str | None] = mapped_column(String(20), unique=True)
    acted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
