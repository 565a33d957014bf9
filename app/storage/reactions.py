"""What people did with a broadcast, as SQL: that they answered it, and that they are known to have opened a link."""

from sqlalchemy import ColumnElement, exists

from app.domain.segments import Reacted, Reaction
from app.domain.short_links import Clicks
from app.storage.models import (
    Broadcast,
    BroadcastAnswer,
    BroadcastList,
    BroadcastTarget,
    PersonClick,
    ShortLink,
    Subscriber,
)


def reacted(test: Reacted) -> ColumnElement[bool]:
    """SQL, of the joined `Subscriber`: whether they did this. Who was erased has no answer and no click any more."""
    if test.reaction is Reaction.ANSWERED:
        return exists().where(
            BroadcastAnswer.subscriber_id == Subscriber.id,
            BroadcastAnswer.broadcast_id == test.broadcast_id,
            *([BroadcastAnswer.label == test.to] if test.to else []),
        )
    return exists().where(
        PersonClick.subscriber_id == Subscriber.id,
        PersonClick.code == ShortLink.code,
        ShortLink.broadcast_id == test.broadcast_id,
        *([ShortLink.url == test.to] if test.to else []),
    )


def keeps_clicks() -> ColumnElement[bool]:
    """SQL, of `Broadcast`: whether it may be known who opened its links.

    All of its lists keep clicks with people, or did so when it went out, and of somebody it is still known.
    """
    other = exists().where(
        BroadcastTarget.broadcast_id == Broadcast.id,
        BroadcastList.id == BroadcastTarget.list_id,
        BroadcastList.clicks != Clicks.PEOPLE.value,
    )
    kept = exists().where(ShortLink.broadcast_id == Broadcast.id, PersonClick.code == ShortLink.code)
    return exists().where(ShortLink.broadcast_id == Broadcast.id) & (~other | kept)
