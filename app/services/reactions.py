"""What people can have done with a broadcast: which answers its buttons give, and which of its links are noted."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.domain.segments import Reacted, Reaction
from app.services.answers import labels_of
from app.services.controller import NotFound, Refused
from app.services.short_links import links_of
from app.storage.database import db
from app.storage.models import Broadcast, BroadcastRich, ShortLink
from app.storage.reactions import keeps_clicks

_LATELY: Final = 50


def known_answers() -> Mapping[int, Sequence[str]]:
    """Return the broadcasts of late that have reply buttons, the newest first -> their labels."""
    session = db.session()
    ids = _lately(session, Broadcast.id.in_(select(BroadcastRich.broadcast_id)))
    labels = labels_of(session, ids)
    return {one: labels[one] for one in ids if one in labels}


def known_links() -> Mapping[int, Sequence[str]]:
    """Return the broadcasts of late of which it is noted who opens their links, the newest first -> the addresses."""
    session = db.session()
    ids = _lately(session, keeps_clicks())
    rows = session.scalars(select(ShortLink).where(ShortLink.broadcast_id.in_(ids)).order_by(ShortLink.url))
    found: dict[int, list[str]] = {one: [] for one in ids}
    for row in rows:
        found[row.broadcast_id].append(row.url)
    return found


def check_reaction(session: Session, test: Reacted) -> None:
    """Raise `NotFound` or `Refused` when a rule asks for an answer or a click that nobody can have given."""
    broadcast = session.get(Broadcast, test.broadcast_id)
    if broadcast is None:
        raise NotFound(f"There is no broadcast {test.broadcast_id}.")
    if test.reaction is Reaction.ANSWERED:
        _check_answer(session, broadcast, test.to)
    else:
        _check_link(session, broadcast, test.to)


def _check_answer(session: Session, broadcast: Broadcast, label: str) -> None:
    labels = labels_of(session, [broadcast.id]).get(broadcast.id)
    if not labels:
        raise Refused(f"“{broadcast.title}” has no buttons, so nobody answers it by one.")
    if label and label not in labels:
        raise Refused(f"“{broadcast.title}” has no button “{label}”. Its buttons: {', '.join(labels)}.")


def _check_link(session: Session, broadcast: Broadcast, url: str) -> None:
    if session.scalar(select(Broadcast.id).where(Broadcast.id == broadcast.id, keeps_clicks())) is None:
        raise Refused(
            f"Nobody knows who opened a link of “{broadcast.title}”: it is kept only where a list's notice says so."
        )
    links = [row.url for row in links_of(session, broadcast.id)]
    if url and url not in links:
        raise Refused(f"“{broadcast.title}” has no link {url}. Its links: {', '.join(links)}")


def _lately(session: Session, condition: ColumnElement[bool]) -> Sequence[int]:
    began = select(Broadcast.id).where(
        Broadcast.started_at.is_not(None), Broadcast.tests_id.is_(None), condition
    )
    return session.scalars(
        began.order_by(Broadcast.started_at.desc(), Broadcast.id.desc()).limit(_LATELY)
    ).all()
