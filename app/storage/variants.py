"""The other words of broadcasts: read and written by the key of their scope."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.wording import Scope, Wording, scope, wording
from app.storage.models import Broadcast, BroadcastList, BroadcastVariant, Notice, Subscriber

# So many people tell which languages there are: a few milliseconds.
_NEWEST: Final = 5000


def variants_of(session: Session, broadcast_id: int) -> dict[str, str]:
    """Return `Scope.key` -> other words of a broadcast, in the order of their keys."""
    rows = session.execute(
        select(BroadcastVariant.channel, BroadcastVariant.language, BroadcastVariant.text).where(
            BroadcastVariant.broadcast_id == broadcast_id
        )
    )
    return dict(sorted((Scope(channel, language).key, text) for channel, language, text in rows))


def wording_of(session: Session, broadcast: Broadcast, channel: str) -> Wording:
    """Return what a broadcast says on a channel."""
    return wording(broadcast.text, variants_of(session, broadcast.id), channel, styled=broadcast.styled)


def wordings_of(session: Session, broadcasts: Iterable[Broadcast], channel: str) -> Mapping[int, Wording]:
    """Return broadcast id -> what it says on a channel."""
    return {one.id: wording_of(session, one, channel) for one in broadcasts}


def languages_of_people(session: Session) -> set[str]:
    """Return the languages that people have, without looking at each of a million: those of lists, of the notices in
    which they were asked, and of whoever came last, by an import, say.
    """
    newest = select(Subscriber.language).order_by(Subscriber.id.desc()).limit(_NEWEST).subquery()
    asked = session.scalars(select(Notice.language).union(select(BroadcastList.language)))
    came = session.scalars(select(newest.c.language).distinct())
    return {*asked, *came}


def put_variant(session: Session, broadcast_id: int, key: str, text: str) -> None:
    """Keep other words; blank ones take those away that are there."""
    one = scope(key)
    row = session.get(BroadcastVariant, (broadcast_id, one.channel, one.language))
    if not text.strip():
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(BroadcastVariant(broadcast_id=broadcast_id, **one._asdict(), text=text))
    else:
        row.text = text
