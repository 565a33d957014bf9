"""Whom we do not answer: machines, and whoever sends the same again and again (consent.md 3.2, loop guard)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.keywords import squeeze
from app.domain.messages import InboundMessage, ProviderSignal
from app.storage.models import InboundRow, Subscriber

LOOP_WINDOW: Final = timedelta(minutes=10)
LOOP_AFTER: Final = 3
_SHORTEST_NUMBER: Final = 7


def silence_for(session: Session, message: InboundMessage, person: Subscriber, now: datetime) -> str | None:
    """Return why this message is not answered, or None. Asked before the message itself is stored.

    The word takes effect all the same: only the answer is left out.
    """
    if message.signal in (ProviderSignal.STOP, ProviderSignal.HELP):
        return "provider"
    if message.address.channel == "sms" and _is_machine(message.address.value):
        return "machine"
    if _said_before(session, message.text, person, now) >= LOOP_AFTER:
        return "loop"
    return "echo" if _is_our_own_text(session, message.text, person) else None


def _is_machine(address: str) -> bool:
    """Short codes and names of letters: nobody reads there."""
    digits = address.removeprefix("+")
    return not digits.isdigit() or len(digits) < _SHORTEST_NUMBER


def _said_before(session: Session, text: str, person: Subscriber, now: datetime) -> int:
    same = select(func.count()).where(
        InboundRow.subscriber_id == person.id,
        InboundRow.received_at > now - LOOP_WINDOW,
        InboundRow.text == text,
    )
    return session.scalar(same) or 0


def _is_our_own_text(session: Session, text: str, person: Subscriber) -> bool:
    last = session.scalar(
        select(InboundRow.reply_text)
        .where(InboundRow.subscriber_id == person.id, InboundRow.reply_text.is_not(None))
        .order_by(InboundRow.received_at.desc(), InboundRow.id.desc())
        .limit(1)
    )
    return last is not None and squeeze(last) in squeeze(text)
