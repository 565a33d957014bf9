"""Senders, lists, subscribers and their subscriptions."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime

PLACE: Final = "city"
"""The attribute of a person that holds the town where they are."""


def route_key(sender_id: int) -> str:
    """Return the attribute of a person that holds their route to one of our senders; wiped and exported as all are."""
    return f"route:{sender_id}"


def _where_set(name: str, column: str) -> Index:
    """Return an index of the few rows in which `column` is set: what the clock looks for, at no cost to the others."""
    condition = text(f"{column} IS NOT NULL")
    return Index(name, column, postgresql_where=condition, sqlite_where=condition)


# Those who cannot be written to, whatever they are subscribed to.
_CLOSED = text(
    "blocked_at IS NOT NULL OR bounced_at IS NOT NULL OR suppressed_at IS NOT NULL OR review_opened_at IS NOT NULL"
)


class Sender(Model):
    """Our number, bot or account on a gateway. `sealed_settings` is JSON under the master key.

    `rate` is messages (SMS: parts) per second. `paused_at` with a reason means that nothing goes out here.
    `has_template`: a text that the platform approved leads to people who did not write to us lately;
    `template_file` is the kind of file that it has room for, or empty.
    `account` names the provider's account when an operator said which; else the gateway may know it.
    `price_micros` is what a message (SMS: a part) costs, in millionths of `currency`; NULL: nobody has said.
    """

    __tablename__ = "sender"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    gateway: Mapped[str] = mapped_column(String(30))
    channel: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(120))
    sealed_settings: Mapped[bytes] = mapped_column(LargeBinary)
    base_url: Mapped[str | None] = mapped_column(String(300))
    rate: Mapped[float]
    account: Mapped[str | None] = mapped_column(String(120))
    has_template: Mapped[bool] = mapped_column(default=False)
    template_file: Mapped[str] = mapped_column(String(10), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_reason: Mapped[str | None] = mapped_column(String(300))
    rests_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    price_micros: Mapped[int | None] = mapped_column(BigId)
    currency: Mapped[str | None] = mapped_column(String(3))


class SenderAllowance(Model):
    """What a provider told last of how much a sender may still send; fields as in `app.domain.allowances.Allowance`.

    `asked_at` is when somebody set out to ask, `told_at` when an answer came: until then the rest says nothing.
    `problem` is why the newest question got none, or NULL.
    """

    __tablename__ = "sender_allowance"

    sender_id: Mapped[int] = mapped_column(
        ForeignKey("sender.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    span: Mapped[str] = mapped_column(String(12), default="")
    most: Mapped[int | None] = mapped_column(BigId)
    used: Mapped[int | None] = mapped_column(BigId)
    zone: Mapped[str] = mapped_column(String(60), default="UTC")
    standing: Mapped[str] = mapped_column(String(10), default="")
    problem: Mapped[str | None] = mapped_column(String(300))


class AccountRate(Model):
    """What all senders of one account at a provider send together, in messages (SMS: parts) a second."""

    __tablename__ = "account_rate"

    account: Mapped[str] = mapped_column(String(120), primary_key=True)
    rate: Mapped[float]


class BroadcastList(Model):
    """What people subscribe to. The promise (how often, between which hours) is shown at sign-up.

    With `any_hour_reason` the hours promised stand for the quiet hours of the places where people are.
    `purpose_since_seq` is the end of the ledger when the purpose or the controller changed last: who consented before
    it agreed to something else, and gets nothing of what the list is for now. `on_unknown` is an `OnUnknown`.
    The list of a live event (`Ticker`) promises instead `most` messages until `ends_at`, and that whoever is on no
    other list is erased `erase_after_days` later; an ordinary list has none of the three.
    `clicks` is a `Clicks`; its short links begin with `links_begin`.
    `closing_by` is who closed it, as long as not every consent to it has ended.
    `fresh_minutes` is for how long a new broadcast to it is worth sending, unless its author says otherwise.
    With `sends_missed` whoever writes gets the newest broadcast that their channel was closed to.
    With `approval` nothing goes out before a second person has said yes to it.
    """

    __tablename__ = "broadcast_list"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    keyword: Mapped[str] = mapped_column(String(40), unique=True)
    purpose: Mapped[str] = mapped_column(String(300))
    language: Mapped[str] = mapped_column(String(8))
    max_per_day: Mapped[int]
    from_hour: Mapped[int]
    until_hour: Mapped[int]
    zone: Mapped[str] = mapped_column(String(60))
    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"), index=True)
    is_default: Mapped[bool] = mapped_column(default=False)
    any_hour_reason: Mapped[str | None] = mapped_column(String(300))
    purpose_since_seq: Mapped[int] = mapped_column(BigId, default=0)
    on_unknown: Mapped[str] = mapped_column(String(8), default="hold")
    most: Mapped[int | None]
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erase_after_days: Mapped[int | None]
    clicks: Mapped[str] = mapped_column(String(6), default="off", server_default="off")
    links_begin: Mapped[str | None] = mapped_column(String(300))
    approval: Mapped[bool] = mapped_column(default=False, server_default=false())
    fresh_minutes: Mapped[int] = mapped_column(default=120, server_default="120")
    sends_missed: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closing_by: Mapped[str | None] = mapped_column(String(120))


class ListSender(Model):
    """A further sender of a list, for people on another channel than its first sender's; one for each channel."""

    __tablename__ = "list_sender"

    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"), index=True)


class Subscriber(Model):
    """One address on one channel. The overlays (`blocked_at` and so on) win over every subscription.

    They are a projection of the ledger, as subscriptions are: `app.domain.consent.Overlays` says what each means.

    After an erasure (`erased_at`) the address is `erased:` and random letters: the row stays for the counts of
    broadcasts, and leads to nobody.

    A route is the room or conversation in which one of our senders writes to them, on platforms that want one.

    `quiet_group_id` names a `QuietGroup`, which is never deleted; NULL means that nobody has looked yet.
    """

    __tablename__ = "subscriber"
    __table_args__ = (
        UniqueConstraint("channel", "address"),
        _where_set("ix_subscriber_review_due_at", "review_due_at"),
        Index("ix_subscriber_closed", "id", postgresql_where=_CLOSED, sqlite_where=_CLOSED),
        Index(
            "ix_subscriber_ungrouped",
            "id",
            postgresql_where=text("quiet_group_id IS NULL"),
            sqlite_where=text("quiet_group_id IS NULL"),
        ),
        Index("ix_subscriber_tail", text("substr(address, length(address) - 3)"), "id"),
        # SQLite's, which says it in another way, is in migration 0049 alone: Alembic cannot compare it.
        Index(
            "ix_subscriber_place",
            text("(attributes ->> 'city')"),
            "id",
            postgresql_where=text("attributes ->> 'city' IS NOT NULL"),
        ).ddl_if("postgresql"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(120))
    subject_ref: Mapped[str] = mapped_column(String(36), unique=True)
    language: Mapped[str] = mapped_column(String(8))
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    quiet_group_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    blocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bounced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suppressed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    review_opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    review_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_stop_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def place(self) -> str:
        """The town where they are; empty where nobody said it."""
        return str(self.attributes.get(PLACE, ""))

    def route(self, sender_id: int) -> str:
        """Where they wrote to this sender last; empty where their address is enough."""
        return str(self.attributes.get(route_key(sender_id), ""))

    def reached_by(self, route: str, sender_id: int) -> None:
        """Remember where they wrote to this sender; an empty route changes nothing."""
        if route and route != self.route(sender_id):
            self.attributes = {**self.attributes, route_key(sender_id): route}


class QuietGroup(Model):
    """People who may be in the same places share their quiet hours. `key` is read by `Whereabouts.parse`."""

    __tablename__ = "quiet_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(1000), unique=True)


class Subscription(Model):
    """Present state of subscriber x list: a projection of the ledger, rebuilt by `tidings consent rebuild`.

    `granted_seq` names the ledger entry that lets us send. A delivery row carries it. `active_seq` is the entry
    since which it has been active without a break: a broadcast whose audience was frozen before it is not for them.
    `check_use_at` is no part of the projection: when the clock asks whether the consent was used lately.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        Index("ix_subscription_subscriber_id", "subscriber_id"),
        Index(
            "ix_subscription_not_active",
            "list_id",
            "state",
            postgresql_where=text("state <> 'active'"),
            sqlite_where=text("state <> 'active'"),
        ),
        _where_set("ix_subscription_expires_at", "expires_at"),
        _where_set("ix_subscription_paused_until", "paused_until"),
        _where_set("ix_subscription_check_use_at", "check_use_at"),
    )

    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    granted_seq: Mapped[int | None] = mapped_column(BigId)
    granted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_seq: Mapped[int | None] = mapped_column(BigId)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    active_seq: Mapped[int | None] = mapped_column(BigId)
    stopped_act: Mapped[str | None] = mapped_column(String(20))
    requested_seq: Mapped[int | None] = mapped_column(BigId)
    requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    check_use_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Headcount(Model):
    """How many are active on a list, by what the gate asks of the person; each is counted once for each list.

    Triggers of the database keep it in the transaction that changes subscriptions or subscribers (migration 0042),
    whoever changes them. `answer` is the `SkipReason` of an overlay, or `other_purpose` where there is no consent,
    or "". `quiet_group_id` is 0 where nobody has looked yet. Each connection counts in a `shard` of its own: a row may
    be negative, the sum over the shards is exact.
    """

    __tablename__ = "headcount"

    list_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    quiet_group_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    answer: Mapped[str] = mapped_column(String(30), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    people: Mapped[int] = mapped_column(BigId)
