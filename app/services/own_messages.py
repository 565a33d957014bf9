"""The gate for messages of our own to one person: is the question still open, and may the person be written to now?"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.asking import ACTED_LATELY
from app.domain.consent import Overlay, SubscriptionState
from app.domain.messages import DeliveryRef
from app.domain.policy.places import whereabouts
from app.domain.policy.quiet import next_open
from app.domain.replies import ReplyKind
from app.domain.statuses import DeliveryStatus, SkipReason
from app.services.broadcast_times import nearest_allowed
from app.services.hold_back import STATED_ZONE, obeys_places
from app.services.project_consent import overlays_of
from app.storage import own_messages
from app.storage.deliveries import Person
from app.storage.models import BroadcastList, Delivery, OwnMessage, Subscriber, Subscription

# As with every answer: a welcome that comes hours after the person pressed the button is confusing.
_WELCOME_WITHIN: Final = timedelta(hours=1)
_BY_OVERLAY: Final = {
    Overlay.ERASED: SkipReason.ERASED,
    Overlay.SUPPRESSED: SkipReason.SUPPRESSED,
    Overlay.BLOCKED: SkipReason.BLOCKED,
    Overlay.BOUNCED: SkipReason.BOUNCED,
    Overlay.REVIEW_HOLD: SkipReason.HELD_FOR_REVIEW,
}


def may_go_at(
    list_: BroadcastList, address: Address, stated_zone: str | None, home: str, now: datetime
) -> datetime:
    """Return `now`, or when the list's promised hours and the quiet hours of the person's place next allow it."""
    where = whereabouts(address, stated_zone=stated_zone, home=home)
    at = now
    for _ in range(14):  # each look moves on by half a day at most; hours that never overlap end here
        promised = nearest_allowed([list_], at) or at
        opened = next_open(where, promised) if obeys_places([list_]) else promised
        if opened == at:
            break
        at = opened
    return at


def claim(
    session: Session, replies_id: int, now: datetime, limit: int, *, home: str, sender_id: int
) -> Sequence[Person]:
    """Take up to `limit` messages that are due and mark them HANDING_OVER; those that may not go wait or are skipped.

    `home` is our own country, for numbers that are in no place; `sender_id` is who writes.
    """
    taken: list[Person] = []
    for message, delivery, person, list_, row in own_messages.lock_due(session, replies_id, now, limit):
        delivery.updated_at = now
        if (reason := _refusal(message, person, row, now)) is not None:
            delivery.status, delivery.reason = DeliveryStatus.SKIPPED.value, reason.value
            delivery.due_at = None
        elif (until := _opens_at(message, person, list_, home, now)) > now:
            delivery.due_at = until
        else:
            delivery.status = DeliveryStatus.HANDING_OVER.value
            taken.append(_person(message, delivery, person, sender_id))
            delivery.attempts += 1
    return taken


def _refusal(
    message: OwnMessage, person: Subscriber, row: Subscription | None, now: datetime
) -> SkipReason | None:
    for overlay in overlays_of(person).present:
        return _BY_OVERLAY[overlay]
    if message.kind != ReplyKind.QUESTION:
        if now - message.created_at > _WELCOME_WITHIN:
            return SkipReason.LATE_REPLY
        active = row is not None and row.state == SubscriptionState.ACTIVE
        return None if active else SkipReason.STOPPED
    if row is None or row.requested_seq != message.requested_seq:
        return SkipReason.STOPPED  # answered, refused or withdrawn before it went
    open_ = row.expires_at is not None and row.expires_at >= now
    return None if open_ else SkipReason.EXPIRED


def _opens_at(
    message: OwnMessage, person: Subscriber, list_: BroadcastList, home: str, now: datetime
) -> datetime:
    """A welcome answers the person, and whoever acted minutes ago waits for the question: both go at any hour."""
    acted = message.acted_at is not None and now - message.acted_at <= ACTED_LATELY
    if message.kind != ReplyKind.QUESTION or acted:
        return now
    zone = person.attributes.get(STATED_ZONE)
    return may_go_at(list_, Address(person.channel, person.address), zone, home, now)


def _person(message: OwnMessage, delivery: Delivery, person: Subscriber, sender_id: int) -> Person:
    ref = DeliveryRef(delivery.broadcast_id, person.id, delivery.inbound_id)
    return Person(
        ref, person.channel, person.address, {}, delivery.attempts, message.text, person.route(sender_id)
    )
