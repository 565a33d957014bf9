"""What providers posted to us, kept sealed for some days, so that it can be read again after a fault was mended."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, TextClause, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime

IS_PROBLEM = text("what IN ('malformed', 'fault')")
NAMES_NOBODY = text("people = 0")
"""In these very words in the indexes and in the queries, or the indexes are of no use."""


def _where(name: str, condition: TextClause) -> Index:
    return Index(name, "id", postgresql_where=condition, sqlite_where=condition)


class Webhook(Model):
    """One signed post. `sealed` holds query, body and the reason of a problem; `app.services.kept_hooks` opens it.

    `id` counts up with the moment of arrival, so that a span of time is a span of ids.
    `what` is a `Took`; `people` counts those in `WebhookPerson`.
    """

    __tablename__ = "webhook"
    __table_args__ = (_where("ix_webhook_problem", IS_PROBLEM), _where("ix_webhook_nobody", NAMES_NOBODY))

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    people: Mapped[int]
    what: Mapped[str] = mapped_column(String(10))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class WebhookPerson(Model):
    """Whom a post is about, so that an erasure finds it. Without a foreign key: a receipt may name anybody."""

    __tablename__ = "webhook_person"

    subscriber_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    webhook_id: Mapped[int] = mapped_column(
        ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )
