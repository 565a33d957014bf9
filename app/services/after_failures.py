"""What failures ask for beyond their deliveries, whether a request was refused or a report said so later."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef, ErrorKind, SendError
from app.domain.statuses import BroadcastState
from app.services.controller import Controller
from app.services.other_channels import fall_back
from app.services.react_to_failures import PERSONAL, react
from app.storage import allowances, linked
from app.storage.consent import lock_head
from app.storage.models import Broadcast, Sender

CLOSES_SENDER = frozenset({ErrorKind.AUTH, ErrorKind.CONFIG})

Failure = tuple[DeliveryRef, SendError]


def lock(
    session: Session, failures: Sequence[Failure], controller: Controller, among: Collection[ErrorKind] = ()
) -> None:
    """Take the locks that `follow` needs, before any delivery is written; those of `among` need their broadcast's, too.

    The ledger's head comes first, as in every STOP, then broadcasts, then deliveries: no deadlock.
    """
    if any(error.kind in PERSONAL for _, error in failures):
        lock_head(session, controller.ledger)
    moves = {ErrorKind.QUOTA, *among}
    ids = {ref.broadcast_id for ref, error in failures if error.kind in moves}
    if failures and linked.any_links(session):  # a finished broadcast may go on, on another channel
        ids |= {ref.broadcast_id for ref, _ in failures}
    if ids:
        rows = select(Broadcast).where(Broadcast.id.in_(ids)).order_by(Broadcast.id).with_for_update()
        session.scalars(rows).all()


def follow(
    session: Session,
    failures: Sequence[Failure],
    failed: Sequence[DeliveryRef],
    *,
    sender_id: int,
    controller: Controller,
    now: datetime,
) -> bool:
    """Record what failures say of people, sender and broadcasts, and let other channels take over from `failed`.

    Tells whether the sender was closed.
    """
    about = [(ref.subscriber_id, error) for ref, error in failures]
    react(session, about, sender_id=sender_id, controller=controller, now=now)
    fall_back(session, failed, now)
    closed = close_sender(session, sender_id, [error for _, error in failures], now)
    _pause_broadcasts(session, failures, now)
    if any(error.kind is ErrorKind.QUOTA for _, error in failures):
        allowances.ask_soon(session, sender_id)
    return closed


def close_sender(session: Session, sender_id: int, errors: Sequence[SendError], now: datetime) -> bool:
    """Pause the sender at the first error that says that its settings are wrong; tells whether one did."""
    for error in errors:
        if error.kind in CLOSES_SENDER:
            sender = session.get_one(Sender, sender_id)
            sender.paused_at = now
            sender.paused_reason = f"The provider refused our settings ({error.code}): {error.detail}"[:300]
            return True
    return False


def _pause_broadcasts(session: Session, failures: Sequence[Failure], now: datetime) -> None:
    hit = {ref.broadcast_id: error for ref, error in failures if error.kind is ErrorKind.QUOTA}
    if not hit:
        return
    rows = select(Broadcast).where(Broadcast.id.in_(hit), Broadcast.state == BroadcastState.SENDING.value)
    for broadcast in session.scalars(rows):
        error = hit[broadcast.id]
        broadcast.state, broadcast.state_at, broadcast.state_by = BroadcastState.PAUSED.value, now, "system"
        broadcast.state_reason = f"The provider's quota is used up ({error.code}): {error.detail}"[:300]
