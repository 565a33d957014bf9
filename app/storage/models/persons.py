"""What makes several addresses one person: other names of the same account, and accounts that a person linked."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
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
