"""What makes several addresses one person: other names of the same account, and accounts that a person linked."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class AddressAlias(Model):
    """Another address of the same account, such as WhatsApp's business-scoped id beside the phone number.

    What comes from it is of `subscriber_id`, even where a subscriber with this address of their own is left from the
    time before we knew. An erasure deletes it.
    """

    __tablename__ = "address_alias"

    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    address: Mapped[str] = mapped_column(String(120), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), index=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class LinkedAddress(Model):
    """A subscriber who is the same person as others with this `person_id`: one on each channel, by their own act.

    `person_id` is the lowest subscriber id that the person had when the first link was made. `chosen_at` is when they
    chose this channel last: what goes to several channels goes to the one chosen last.
    """

    __tablename__ = "linked_address"
    __table_args__ = (UniqueConstraint("person_id", "channel"),)

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id"), primary_key=True, autoincrement=False
    )
    person_id: Mapped[int] = mapped_column(BigId)
    channel: Mapped[str] = mapped_column(String(20))
    chosen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ChannelMove(Model):
    """A broadcast that asks everybody of a list on one channel to join it on another, each by a link of their own.

    `link` has `MARK` where the code of each person goes. `closes_old`: who joins leaves the list on the old channel.
    """

    __tablename__ = "channel_move"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), unique=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"))
    from_channel: Mapped[str] = mapped_column(String(20))
    to_sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"))
    link: Mapped[str] = mapped_column(Text)
    closes_old: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(120))
