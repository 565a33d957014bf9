"""Put a list on further channels: one more sender for each, whose people join it by the same word."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.channels import channel_named
from app.domain.consent import SubscriptionState
from app.services.audit import note
from app.services.controller import Refused
from app.services.manage_lists import find_list
from app.services.manage_senders import find_sender
from app.storage.database import transaction
from app.storage.models import BroadcastList, ListSender, Sender, Subscriber, Subscription

_HERE = (SubscriptionState.ACTIVE.value, SubscriptionState.PAUSED.value, SubscriptionState.STALE.value)


def add_sender(list_name: str, sender_name: str, *, by: str, now: datetime) -> BroadcastList:
    """Let a list go out of one more sender, on a channel that it is not on yet. Twice changes nothing.

    Raises `NotFound`, or `Refused` when the list has another sender on this channel.
    """
    with transaction() as session:
        row, sender = find_list(session, list_name), find_sender(session, sender_name)
        first = session.get_one(Sender, row.sender_id)
        there = session.get(ListSender, (row.id, sender.channel))
        if sender.id in (first.id, there.sender_id if there else None):
            return row
        if there is not None or first.channel == sender.channel:
            name = channel_named(sender.channel).name
            raise Refused(f"“{row.name}” has a sender on {name} already; a list has one for each channel.")
        session.add(ListSender(list_id=row.id, channel=sender.channel, sender_id=sender.id))
        note(session, by, "list.add_sender", f"list {row.id}", now, sender=sender.name)
        return row


def remove_sender(list_name: str, sender_name: str, *, by: str, now: datetime) -> BroadcastList:
    """Take a list off a channel on which nobody is subscribed to it. Raises `NotFound`, `Refused`."""
    with transaction() as session:
        row, sender = find_list(session, list_name), find_sender(session, sender_name)
        there = session.get(ListSender, (row.id, sender.channel))
        if row.sender_id == sender.id:
            raise Refused(f"{sender.name} is the first sender of “{row.name}”; archive the list instead.")
        if there is None or there.sender_id != sender.id:
            raise Refused(f"“{row.name}” does not go out of {sender.name}.")
        people = _people(session, row.id, sender.channel)
        if people:
            name = channel_named(sender.channel).name
            raise Refused(f"{people} people are subscribed to “{row.name}” on {name}; they would be lost.")
        session.delete(there)
        note(session, by, "list.remove_sender", f"list {row.id}", now, sender=sender.name)
        return row


def _people(session: Session, list_id: int, channel: str) -> int:
    found = (
        select(func.count())
        .select_from(Subscription)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.list_id == list_id, Subscription.state.in_(_HERE), Subscriber.channel == channel)
    )
    return session.scalar(found) or 0
