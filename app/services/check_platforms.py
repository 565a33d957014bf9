"""What the platforms hold against our senders, for the doctor."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select

from app.domain.platform_news import News
from app.storage.database import db
from app.storage.models import Sender, SenderNews

_SHOWN_FOR: Final = timedelta(days=14)
"""Platforms rarely say that a complaint is over; a template stays lost until they do."""


def said(now: datetime) -> tuple[list[str], list[str]]:
    """Return what is against us, and which templates were approved again, each with its sender."""
    lately = SenderNews.at > now - _SHOWN_FOR
    rows = db.session.execute(
        select(Sender.name, SenderNews.subject, SenderNews.news, SenderNews.why)
        .join(Sender, Sender.id == SenderNews.sender_id)
        .where(
            SenderNews.news != News.WELL.value,
            or_(SenderNews.news == News.TEMPLATE_LOST.value, lately),
        )
        .order_by(Sender.name, SenderNews.subject)
    ).all()
    against = [
        f"“{name}”: {_words(subject, news, why)}" for name, subject, news, why in rows if _is_bad(news)
    ]
    return against, [f"“{name}”: {subject}" for name, subject, news, _ in rows if not _is_bad(news)]


def _is_bad(news: str) -> bool:
    return news != News.TEMPLATE_BACK


def _words(subject: str, news: str, why: str) -> str:
    """Only of a template the subject says more than the words do."""
    return f"{subject} {why}" if news == News.TEMPLATE_LOST else why
