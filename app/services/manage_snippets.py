"""Saved texts that drafts begin from: add, change, remove; for one list or for all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.placeholders import PlaceholderError, parse
from app.services.audit import note
from app.services.controller import Conflict, NotFound, Refused
from app.services.write_drafts import MAX_TEXT
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Snippet

MAX_NAME: Final = 80


def all_snippets() -> Sequence[tuple[Snippet, str]]:
    """Return every saved text with the name of its list ("": for all), by name; those of closed lists are left out."""
    rows = db.session.execute(
        select(Snippet, BroadcastList.name)
        .outerjoin(BroadcastList, BroadcastList.id == Snippet.list_id)
        .where(BroadcastList.archived_at.is_(None))
        .order_by(BroadcastList.name.is_not(None), BroadcastList.name, Snippet.name)
    )
    return [(snippet, name or "") for snippet, name in rows]


def text_of(snippet_id: int) -> str:
    """Return the words of a saved text; "" when somebody has removed it."""
    return db.session.scalar(select(Snippet.text).where(Snippet.id == snippet_id)) or ""


def add(name: str, text: str, list_id: int | None, *, by: str, now: datetime) -> int:
    """Keep a text under a name; returns its id. Raises `Refused` for a taken name or words that cannot be sent."""
    with transaction() as session:
        _check(session, 0, name, text, list_id)
        row = Snippet(name=name.strip(), text=text, list_id=list_id, changed_by=by, changed_at=now)
        session.add(row)
        session.flush()
        note(session, by, "snippet.add", f"snippet {row.id}", now, name=row.name)
        return row.id


def change(
    snippet_id: int, name: str, text: str, list_id: int | None, *, revision: int, by: str, now: datetime
) -> None:
    """Give a saved text other words; raises `Conflict` when somebody else did so since `revision` was shown."""
    with transaction() as session:
        row = _get(session, snippet_id)
        if row.revision != revision:
            raise Conflict(
                "Somebody else changed this text in the meantime. Load it again, then make your change."
            )
        _check(session, snippet_id, name, text, list_id)
        row.name, row.text, row.list_id = name.strip(), text, list_id
        row.revision, row.changed_by, row.changed_at = row.revision + 1, by, now
        note(session, by, "snippet.change", f"snippet {row.id}", now, name=row.name)


def remove(snippet_id: int, *, by: str, now: datetime) -> str:
    """Remove a saved text; returns its name. Drafts that began from it stay as they are."""
    with transaction() as session:
        row = _get(session, snippet_id)
        note(session, by, "snippet.remove", f"snippet {row.id}", now, name=row.name)
        session.delete(row)
        return row.name


def _get(session: Session, snippet_id: int) -> Snippet:
    row = session.get(Snippet, snippet_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such text.")
    return row


def _check(session: Session, snippet_id: int, name: str, text: str, list_id: int | None) -> None:
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise Refused(f"A saved text needs a name of 1 to {MAX_NAME} characters.")
    if not text.strip():
        raise Refused("The text is empty.")
    if len(text) > MAX_TEXT:
        raise Refused(f"The text has {len(text)} characters; an SMS carries {MAX_TEXT} at most.")
    try:
        parse(text)
    except PlaceholderError as error:
        raise Refused(str(error)) from error
    others = select(Snippet.id).where(Snippet.name == name.strip(), Snippet.id != snippet_id)
    if session.scalar(others) is not None:
        raise Refused(f"There is a text “{name.strip()}” already. Choose another name.")
    if list_id is not None:
        chosen = session.get(BroadcastList, list_id)
        if chosen is None or chosen.archived_at is not None:
            raise NotFound(f"There is no open list {list_id}.")
