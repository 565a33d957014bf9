"""Deliveries, slim and many, and the inbound messages that replies answer."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class Delivery(Model):
    """One broadcast, or reply, to one subscriber. The primary key is what makes a second copy impossible.

    `inbound_id` is 0 for a broadcast and names the inbound message for a reply; -7 names the `OwnMessage` number 7.
    `consent_seq` is the ledger entry that allowed it (NULL for a reply, which answers the person's own act, and for
    one refused).
    """

    __tablename__ = "delivery"
    __table_args__ = (
        # Slice first: were it the broadcast, a PostgreSQL that has never counted the rows would look up each
        # delivery through this index, by reading its whole broadcast, instead of through the primary key.
        Index("ix_delivery_slice", "slice", "broadcast_id", "status"),
        Index("ix_delivery_subscriber_id", "subscriber_id"),
        Index(
            "ix_delivery_unknown",
            "broadcast_id",
            postgresql_where=text("status = 5"),
            sqlite_where=text("status = 5"),
        ),
        Index(
            "ix_delivery_due_at",
            "due_at",
            postgresql_where=text("status = 0 AND due_at IS NOT NULL"),
            sqlite_where=text("status = 0 AND due_at IS NOT NULL"),
        ),
        # What answered people, and nothing of a broadcast: for the retention timer.
        Index(
            "ix_delivery_answered_at",
            "updated_at",
            postgresql_where=text("slice IS NULL"),
            sqlite_where=text("slice IS NULL"),
        ),
        # Only what `app.domain.messages.found_by` made: for all other gateways this index is empty and costs nothing.
        Index(
            "ix_delivery_provider_id",
            "provider_id",
            postgresql_where=text("substr(provider_id, 1, 1) = '#'"),
            sqlite_where=text("substr(provider_id, 1, 1) = '#'"),
        ),
    )

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    subscriber_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    inbound_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, default=0)
    slice: Mapped[int | None]
    status: Mapped[int] = mapped_column(SmallInteger)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    reason: Mapped[str | None] = mapped_column(String(30))
    error_code: Mapped[str | None] = mapped_column(String(20))
    consent_seq: Mapped[int | None] = mapped_column(BigId)
    provider_id: Mapped[str | None] = mapped_column(String(200))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeliveryTally(Model):
    """How many deliveries of a broadcast stand where; PENDING is not counted, it is what is left of the audience.

    Triggers of the database keep it in the transaction that moves the deliveries (migration 0028), whoever moves
    them. `sender_id` is that of the delivery's slice, 0 where it has none. Each connection counts in a `shard` of its
    own: a row may be negative, the sum over the shards is exact.
    """

    __tablename__ = "delivery_tally"

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    status: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(String(30), primary_key=True)
    error_code: Mapped[str] = mapped_column(String(20), primary_key=True)
    sender_id: Mapped[int] = mapped_column(
        BigId, primary_key=True, autoincrement=False, default=0, server_default="0"
    )
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    people: Mapped[int] = mapped_column(BigId)


class InboundRow(Model):
    """A text that somebody sent us: what it said, how we read it, and the words we answered with.

    `reply_token` came with it from the platform; it is here only while our answer waits (docs/adr/0038).
    """

    __tablename__ = "inbound_message"
    __table_args__ = (
        UniqueConstraint("sender_id", "external_id"),
        Index("ix_inbound_message_subscriber_id", "subscriber_id", "received_at"),
        # What the retention timers still have to take away, and nothing else.
        Index(
            "ix_inbound_message_text_at",
            "received_at",
            postgresql_where=text("text <> ''"),
            sqlite_where=text("text <> ''"),
        ),
        Index(
            "ix_inbound_message_reply_at",
            "received_at",
            postgresql_where=text("reply_text IS NOT NULL"),
            sqlite_where=text("reply_text IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"))
    external_id: Mapped[str] = mapped_column(String(200))
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    text: Mapped[str] = mapped_column(Text)
    media_count: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(20))
    tier: Mapped[str] = mapped_column(String(20))
    rule: Mapped[str] = mapped_column(String(60))
    matcher_version: Mapped[str] = mapped_column(String(20))
    reply_kind: Mapped[str | None] = mapped_column(String(30))
    reply_text: Mapped[str | None] = mapped_column(Text)
    reply_skipped: Mapped[str | None] = mapped_column(String(30))
    reply_token: Mapped[str | None] = mapped_column(String(300))
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
