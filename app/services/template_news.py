"""Which templates a broadcast needs, and what their platforms said of them last."""

from collections.abc import Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.platform_news import News
from app.storage.models import Broadcast, BroadcastRich, SenderNews
from app.storage.ways import ways_of_broadcast


def template_news(session: Session, broadcast_id: int, senders: Mapping[str, int]) -> list[SenderNews]:
    """Return the news of the templates by which a broadcast goes; `senders` is channel -> sender.

    On a channel for which it names none it goes by the sender's usual one, if there is one.
    """
    rows = session.scalars(
        select(BroadcastRich).where(
            BroadcastRich.broadcast_id == broadcast_id, BroadcastRich.template.is_not(None)
        )
    )
    own = {row.channel: f"{row.template['name']}:{row.template['language']}" for row in rows if row.template}
    wanted = [
        (SenderNews.sender_id == sender_id)
        & (SenderNews.subject == own[channel] if channel in own else SenderNews.usual)
        for channel, sender_id in senders.items()
    ]
    if not wanted:
        return []
    told = (News.TEMPLATE_LOST.value, News.TEMPLATE_BACK.value)
    query = select(SenderNews).where(SenderNews.news.in_(told), or_(*wanted)).order_by(SenderNews.subject)
    return list(session.scalars(query))


def lost_of(session: Session, broadcast: Broadcast) -> SenderNews | None:
    """Return the news that a template of a scheduled or running broadcast may not be sent; None when all may."""
    found = template_news(session, broadcast.id, ways_of_broadcast(session, broadcast.id))
    return next((one for one in found if one.news == News.TEMPLATE_LOST), None)


def problems_of(session: Session, broadcast: Broadcast, senders: Mapping[str, int]) -> list[str]:
    """Say what stands against a broadcast by a template that its platform took, one sentence for each."""
    return [
        f"{lost_words(one)}. Name another template, or wait until it is approved again."
        for one in template_news(session, broadcast.id, senders)
        if one.news == News.TEMPLATE_LOST
    ]


def lost_words(news: SenderNews) -> str:
    """Say that a template may not be sent now, with the platform's own words."""
    return f"The template {news.subject} may not be sent now, says the platform: {news.why}"[:220]


def back_again(session: Session, broadcast: Broadcast) -> Sequence[str]:
    """Return the templates of a paused broadcast that its platform approved again."""
    found = template_news(session, broadcast.id, ways_of_broadcast(session, broadcast.id))
    return [one.subject for one in found if one.news == News.TEMPLATE_BACK]
