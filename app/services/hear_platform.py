"""Take in what a platform tells about ourselves: remember it, stop what would fail, close a sender that is banned."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.platform_news import News, PlatformNews
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import move
from app.services.manage_senders import find_sender
from app.services.template_news import lost_of, lost_words
from app.storage.database import db, is_sqlite, transaction
from app.storage.models import Broadcast, Sender, SenderNews

_SYSTEM = "system"


def hear(news: PlatformNews, *, sender_id: int, at: datetime | None, now: datetime) -> bool:
    """Do what one piece of news asks for; `at` is the platform's own moment. Tells whether it was new.

    What comes again, or after something newer of the same subject, changes nothing; so a broadcast that somebody
    resumed is not stopped by an old story. Good news lifts nothing by itself.
    """
    at = at or now
    with transaction() as session:
        if not _remembered(session, news, sender_id, at):
            return False
        if news.news is News.TEMPLATE_LOST:
            _stop_broadcasts(session, now)
        if news.news is News.CLOSED:
            _close(session, sender_id, news.why, now)
        return True


def told(name: str) -> list[SenderNews]:
    """Return what the platform told last of the sender `name`, by subject. Raises `NotFound`."""
    session = db.session()
    sender = find_sender(session, name)
    rows = select(SenderNews).where(SenderNews.sender_id == sender.id).order_by(SenderNews.subject)
    return list(session.scalars(rows))


def forget(name: str, *, by: str, now: datetime) -> int:
    """Forget what the platform told of a sender, where it never said that it is over. Raises `NotFound`."""
    with transaction() as session:
        sender = find_sender(session, name)
        gone = session.scalars(
            delete(SenderNews).where(SenderNews.sender_id == sender.id).returning(SenderNews.subject)
        ).all()
        note(session, by, "sender.forget_news", f"sender {name}", now, subjects=len(gone))
        return len(gone)


def _remembered(session: Session, news: PlatformNews, sender_id: int, at: datetime) -> bool:
    """Write the news down unless it is known, or older than what is."""
    dialect = sqlite if is_sqlite(session) else postgresql
    row = {"news": news.news.value, "why": news.why, "usual": news.usual, "at": at}
    fresh = session.scalar(
        dialect.insert(SenderNews)
        .values(sender_id=sender_id, subject=news.subject, **row)
        .on_conflict_do_nothing()
        .returning(SenderNews.sender_id)
    )
    if fresh is not None:
        return True
    known = session.get_one(
        SenderNews, (sender_id, news.subject), with_for_update=True, populate_existing=True
    )
    if at < known.at or (at == known.at and known.news == news.news):
        return False
    known.news, known.why, known.usual, known.at = news.news.value, news.why, news.usual, at
    return True


def _stop_broadcasts(session: Session, now: datetime) -> None:
    """Pause what is being sent by a template that was lost. What is scheduled is stopped when its time comes."""
    session.flush()
    rows = (
        select(Broadcast)
        .where(Broadcast.state == BroadcastState.SENDING.value, Broadcast.tests_id.is_(None))
        .order_by(Broadcast.id)
        .with_for_update()
    )
    for broadcast in session.scalars(rows):
        stop_if_lost(session, broadcast, now)


def stop_if_lost(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """Pause a broadcast that is being sent if one of its templates may not be; tells whether it was."""
    lost = lost_of(session, broadcast)
    if lost is None:
        return False
    reason = lost_words(lost)
    move(broadcast, BroadcastState.PAUSED, _SYSTEM, now, reason)
    note(session, _SYSTEM, "broadcast.brake", f"broadcast {broadcast.id}", now, reason=reason)
    return True


def _close(session: Session, sender_id: int, why: str, now: datetime) -> None:
    """Pause the sender; one that is paused keeps its reason."""
    sender = session.get_one(Sender, sender_id, with_for_update=True)
    if sender.paused_at is None:
        sender.paused_at = now
        sender.paused_reason = f"The platform closed this account to us: {why}"[:300]
        note(session, _SYSTEM, "sender.pause", f"sender {sender.name}", now, reason=why)
