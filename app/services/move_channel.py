"""Ask everybody of a list on one channel to join it on another, each by a personal link, and see who came along.

For the day on which a channel becomes too dear, too slow or forbidden. Consent does not move by itself: who opens the
link agrees on the new channel, with the list's notice as welcome, and the ledger names the move (`cta_ref`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from app.domain.channels import channel_named
from app.domain.consent import SubscriptionState
from app.domain.placeholders import KNOWN, MOVE_LINK
from app.domain.statuses import DeliveryStatus
from app.services.audit import note
from app.services.controller import Controller, NotFound, Refused
from app.services.gateways_of_senders import Registry, gateway_of
from app.services.manage_lists import find_list
from app.services.move_links import MARK
from app.services.schedule_broadcasts import schedule_in
from app.services.write_drafts import draft_in
from app.storage.database import db, transaction
from app.storage.models import (
    BroadcastList,
    ChannelMove,
    Delivery,
    LinkedAddress,
    Sender,
    Subscriber,
    Subscription,
)
from app.storage.ways import ways

_SLOT: Final = f"{{{{{MOVE_LINK}}}}}"
_ACTIVE: Final = SubscriptionState.ACTIVE.value
_ASKED: Final = (DeliveryStatus.SENT.value, DeliveryStatus.DELIVERED.value, DeliveryStatus.UNKNOWN.value)


@dataclass(frozen=True)
class Asking:
    """A move that was put on the schedule: its broadcast, and how many people of the old channel it is for."""

    move_id: int
    broadcast_id: int
    people: int


@dataclass(frozen=True)
class Progress:
    """What came of a move: people `asked`, of them `joined` on the new channel and still there, and `left` the old one
    without joining. `waiting` are the others.
    """

    move_id: int
    broadcast_id: int
    list_name: str
    from_channel: str
    to_sender: str
    asked: int
    joined: int
    left: int

    @property
    def waiting(self) -> int:
        """Who has done neither so far."""
        return self.asked - self.joined - self.left


def ask(
    *,
    list_name: str,
    from_channel: str,
    to_sender: str,
    text: str,
    closes_old: bool = False,
    by: str,
    controller: Controller,
    registry: Registry,
    now: datetime,
) -> Asking:
    """Schedule the message for now; `text` has `{{move_link}}` where each person's link goes.

    Raises `NotFound`, and `Refused` with what stands against it: the new sender does not carry the list, has no links,
    or whatever stands against any broadcast.
    """
    with transaction() as session:
        list_ = find_list(session, list_name)
        sender = _new_sender(session, list_, from_channel, to_sender)
        link = gateway_of(sender, controller, registry).link(MARK)
        if link is None or MARK not in link:
            raise Refused(f"On {channel_named(sender.channel).name} no link can carry a code of ours.")
        if _SLOT not in text:
            raise Refused(f"Say where each person's link goes: write {_SLOT} in the text.")
        words = text.replace(_SLOT, f"{{{{{MOVE_LINK}|{link.replace(MARK, list_.keyword.lower())}}}}}")
        draft = draft_in(
            session,
            title=f"{list_.name}: {from_channel} to {sender.name}"[:120],
            text=words,
            list_ids=[list_.id],
            by=by,
            now=now,
            known=(*KNOWN, MOVE_LINK),
        )
        move = ChannelMove(
            broadcast_id=draft, list_id=list_.id, from_channel=from_channel, to_sender_id=sender.id,
            link=link, closes_old=closes_old, created_at=now, created_by=by,
        )  # fmt: skip
        session.add(move)
        session.flush()
        schedule_in(session, draft, at=None, zone="UTC", by=by, now=now)
        note(session, by, "move.ask", f"broadcast {draft}", now, closes_old=closes_old)
        return Asking(move.id, draft, _people(session, list_.id, from_channel))


def _new_sender(session: Session, list_: BroadcastList, from_channel: str, name: str) -> Sender:
    sender = session.scalar(select(Sender).where(Sender.name == name))
    carries = ways(session, [list_.id])
    if sender is None:
        raise NotFound(f"There is no sender {name}.")
    if from_channel not in carries:
        raise Refused(f"{list_.name} is not on {from_channel}; it is on {', '.join(sorted(carries))}.")
    if sender.channel == from_channel or sender.id not in carries.get(sender.channel, ()):
        raise Refused(
            f"{name} does not carry {list_.name} on another channel. "
            f'First: tidings lists sender "{list_.name}" {name}'
        )
    return sender


def _people(session: Session, list_id: int, channel: str) -> int:
    query = (
        select(func.count())
        .select_from(Subscription)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.list_id == list_id, Subscription.state == _ACTIVE, Subscriber.channel == channel)
    )
    return session.scalar(query) or 0


def progress() -> list[Progress]:
    """Return every move with what came of it so far, the newest first."""
    session = db.session()
    rows = session.execute(
        select(ChannelMove, BroadcastList.name, Sender)
        .join(BroadcastList, BroadcastList.id == ChannelMove.list_id)
        .join(Sender, Sender.id == ChannelMove.to_sender_id)
        .order_by(ChannelMove.id.desc())
    ).all()
    return [
        Progress(
            move.id, move.broadcast_id, name, move.from_channel, sender.name, *_counts(session, move, sender)
        )
        for move, name, sender in rows
    ]


def _counts(session: Session, move: ChannelMove, sender: Sender) -> tuple[int, int, int]:
    asked = (
        select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.broadcast_id == move.broadcast_id,
            Delivery.inbound_id == 0,
            Delivery.status.in_(_ASKED),
        )
    )
    mine, theirs = aliased(LinkedAddress), aliased(LinkedAddress)
    new, old = aliased(Subscription), aliased(Subscription)
    joined = exists().where(
        mine.subscriber_id == Delivery.subscriber_id,
        theirs.person_id == mine.person_id,
        theirs.channel == sender.channel,
        new.subscriber_id == theirs.subscriber_id,
        new.list_id == move.list_id,
        new.state == _ACTIVE,
    )
    on_old = exists().where(
        old.subscriber_id == Delivery.subscriber_id, old.list_id == move.list_id, old.state == _ACTIVE
    )
    counts = [
        session.scalar(query) or 0 for query in (asked, asked.where(joined), asked.where(~joined, ~on_old))
    ]
    return counts[0], counts[1], counts[2]
