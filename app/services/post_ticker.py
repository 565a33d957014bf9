"""Say something on a live ticker at once, put the last message right, and end the event."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.policy.content import Severity, lint
from app.domain.statuses import BroadcastState
from app.services import fan_out, stop_broadcasts
from app.services.audit import note
from app.services.controller import Controller, NotFound, Refused
from app.services.correct_broadcasts import correction_in, had_it
from app.services.end_canceled import end_canceled
from app.services.obstacles import advice
from app.services.schedule_broadcasts import schedule_in
from app.services.tickers import Stage, sent_of, stage_of
from app.services.write_drafts import check_words, draft_in
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget, Ticker, TickerMessage
from app.storage.ways import ways_of_broadcast

MAX_TOKEN: Final = 64
_TITLE: Final = 120


@dataclass(frozen=True)
class Posted:
    """A message that is on its way, and the senders whose lanes have work; `again`: this form was sent before."""

    broadcast_id: int
    sender_ids: tuple[int, ...]
    again: bool = False


def post(list_id: int, text: str, *, token: str, by: str, controller: Controller, now: datetime) -> Posted:
    """Send a message to the people of an event now, before the other broadcasts of its sender.

    The same `token` twice sends one message. Raises `NotFound`, and `Refused` for an event that has not begun or is
    closing, for one message more than promised, and for all that forbids a broadcast.
    """
    with transaction() as session:
        row, its = _event(session, list_id)
        posted = _posted(session, list_id, token)
        if posted is None:
            _refuse_unless_on(row, its, now)
            _refuse_over_promise(session, row, its, keep_one=row.farewell is not None)
            broadcast_id = _write(session, row, its, text, token, by, now)
    return posted or _open(broadcast_id, controller, now)


def correct_last(
    list_id: int, text: str, *, token: str, by: str, controller: Controller, now: datetime
) -> Posted:
    """Put the last message right: who has not had it does not get it, who had it gets `text` instead.

    The same `token` twice corrects once. Raises `NotFound`; `Refused` when there is none, for words that cannot be
    sent, and when nobody got it: then alone nothing more of it goes out either.
    """
    with transaction() as session:
        row, its = _event(session, list_id)
        posted = _posted(session, list_id, token)
        if posted is None:
            last = _to_correct(session, row, now)
            _refuse_words(text)
            wrong_id = last.id
            broadcast_id = _put_right(session, last, its, text, token, by, now)
    if posted is not None:
        return posted
    end_canceled(wrong_id, now)
    if broadcast_id is None:
        raise Refused("Nobody got this broadcast, so there is nobody to correct it for.")
    return _open(broadcast_id, controller, now)


def close(list_id: int, last_words: str, *, by: str, controller: Controller, now: datetime) -> Posted | None:
    """End an event early, with last words or (empty) without; the clock ends its subscriptions when these are out.

    Twice changes nothing. Raises `NotFound`, and `Refused` for words that cannot be sent.
    """
    with transaction() as session:
        row, its = _event(session, list_id)
        if stage_of(row, now) in (Stage.CLOSING, Stage.ENDED):
            return None
        note(session, by, "ticker.close", f"list {list_id}", now)
        if not last_words.strip():
            row.farewell, row.closes_at = None, now
            return None
        broadcast_id = say_farewell(session, row, its, last_words, by, now)
    return _open(broadcast_id, controller, now)


def say_farewell(session: Session, row: Ticker, its: BroadcastList, text: str, by: str, now: datetime) -> int:
    """Schedule the last words for now, after which nothing more is said; returns the broadcast. Raises `Refused`."""
    _refuse_over_promise(session, row, its)
    broadcast_id = _write(session, row, its, text, "farewell", by, now)
    row.farewell, row.farewell_id = text.strip(), broadcast_id
    row.closes_at = min(row.closes_at, now + timedelta(minutes=row.fresh_minutes))
    return broadcast_id


def _event(session: Session, list_id: int) -> tuple[Ticker, BroadcastList]:
    """Return an event, locked: of two forms that are sent at once one comes first."""
    row = session.get(Ticker, list_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no live event {list_id}.")
    return row, session.get_one(BroadcastList, list_id)


def _posted(session: Session, list_id: int, token: str) -> Posted | None:
    if not token.strip():
        raise Refused("This form has no number of its own. Load the page again.")
    found = session.scalar(
        select(TickerMessage.broadcast_id).where(
            TickerMessage.list_id == list_id, TickerMessage.token == token[:MAX_TOKEN]
        )
    )
    return None if found is None else Posted(found, _senders(session, found), again=True)


def _refuse_unless_on(row: Ticker, its: BroadcastList, now: datetime) -> None:
    match stage_of(row, now):
        case Stage.BEFORE:
            raise Refused(f"This event has not begun. It begins at {row.begins_at:%Y-%m-%d %H:%M} UTC.")
        case Stage.CLOSING | Stage.ENDED:
            raise Refused("This event is over, and with it the consent of its people.")
    if its.archived_at is not None:
        raise Refused("This event is over, and with it the consent of its people.")


def _refuse_over_promise(
    session: Session, row: Ticker, its: BroadcastList, *, keep_one: bool = False
) -> None:
    most = its.most or 0
    if sent_of(session, [row.list_id]).get(row.list_id, 0) + keep_one >= most:
        raise Refused(f"People were promised at most {most} messages, and this would be one more.")


def _write(
    session: Session, row: Ticker, its: BroadcastList, text: str, token: str, by: str, now: datetime
) -> int:
    title = _title(its, text)
    broadcast_id = draft_in(session, title=title, text=text.strip(), list_ids=(), by=by, now=now)
    broadcast = session.get_one(Broadcast, broadcast_id)
    broadcast.urgent, broadcast.fresh_minutes = True, row.fresh_minutes
    session.add(BroadcastTarget(broadcast_id=broadcast_id, list_id=its.id))
    session.add(TickerMessage(broadcast_id=broadcast_id, list_id=its.id, token=token[:MAX_TOKEN]))
    session.flush()
    schedule_in(session, broadcast_id, at=None, zone=its.zone, by=by, now=now)
    return broadcast_id


def _title(its: BroadcastList, text: str) -> str:
    return " ".join(f"{its.name}: {text}".split())[:_TITLE]


def _open(broadcast_id: int, controller: Controller, now: datetime) -> Posted:
    """Begin at once: the second that the clock would take is long for a goal."""
    fan_out.open_now(broadcast_id, controller=controller, now=now)
    return Posted(broadcast_id, _senders(db.session(), broadcast_id))


def _senders(session: Session, broadcast_id: int) -> tuple[int, ...]:
    return tuple(ways_of_broadcast(session, broadcast_id).values())


def _to_correct(session: Session, row: Ticker, now: datetime) -> Broadcast:
    """Return the last message. Raises `Refused`."""
    last = session.scalar(
        select(Broadcast)
        .join(TickerMessage, TickerMessage.broadcast_id == Broadcast.id)
        .where(TickerMessage.list_id == row.list_id)
        .order_by(Broadcast.id.desc())
        .limit(1)
    )
    if last is None:
        raise Refused("Nothing was said yet, so there is nothing to correct.")
    if stage_of(row, now) is Stage.ENDED:
        raise Refused("This event is over, and with it the consent of its people.")
    return last


def _refuse_words(text: str) -> None:
    if not text.strip():
        raise Refused("The text is empty.")
    check_words("-", text)  # its title is ours
    if wrong := advice(lint(text, brand=""), Severity.ERROR):
        raise Refused(" ".join(wrong))


def _put_right(
    session: Session, last: Broadcast, its: BroadcastList, text: str, token: str, by: str, now: datetime
) -> int | None:
    """Stop what is left of a message and schedule its correction; returns that, or None when nobody got the message.

    Both happen in one transaction: what is refused stops nothing.
    """
    if last.state in (BroadcastState.SENDING.value, BroadcastState.PAUSED.value):
        stop_broadcasts.cancel_in(session, last.id, by=by, now=now)
    if not had_it(last.id, session):
        return None
    title, words = _title(its, text), text.strip()
    broadcast_id = correction_in(session, last.id, title=title, text=words, by=by, now=now)
    session.add(TickerMessage(broadcast_id=broadcast_id, list_id=its.id, token=token[:MAX_TOKEN]))
    schedule_in(session, broadcast_id, at=None, zone=its.zone, by=by, now=now)
    return broadcast_id
