"""Whom we do not answer: machines, and whoever sends the same again and again (consent.md 3.2, loop guard)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.keywords import squeeze
from app.domain.messages import InboundMessage, ProviderSignal
from app.storage.database import among
from app.storage.models import InboundRow, Subscriber
from app.storage.shared import about

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
    said = about(session, person.id, "said lately", partial(_said_lately, now=now)) or {}
    return said.get(text, 0)


def _said_lately(
    session: Session, subscriber_ids: Collection[int], *, now: datetime
) -> dict[int, dict[str, int]]:
    rows = session.execute(
        select(InboundRow.subscriber_id, InboundRow.text, func.count())
        .where(
            among(session, InboundRow.subscriber_id, subscriber_ids),
            InboundRow.received_at > now - LOOP_WINDOW,
        )
        .group_by(InboundRow.subscriber_id, InboundRow.text)
    )
    found: dict[int, dict[str, int]] = {}
    for id_, text, count in rows:
        found.setdefault(id_, {})[text] = count
    return found


def _is_our_own_text(session: Session, text: str, person: Subscriber) -> bool:
    last = about(session, person.id, "last answer", _last_answers)
    return last is not None and squeeze(last) in squeeze(text)


def _last_answers(session: Session, subscriber_ids: Collection[int]) -> dict[int, str]:
    newest = (
        select(InboundRow.reply_text)
        .where(InboundRow.subscriber_id == Subscriber.id, InboundRow.reply_text.is_not(None))
        .order_by(InboundRow.received_at.desc(), InboundRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(select(Subscriber.id, newest).where(among(session, Subscriber.id, subscriber_ids)))
    return {id_: text for id_, text in rows if text is not None}
