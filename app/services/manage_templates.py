"""Templates: broadcasts that are kept to write others from; kept, named, written from, removed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.gaps import filled
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, targets_of
from app.services.controller import NotFound, Refused
from app.services.shares import save_variants
from app.services.write_drafts import check_words, copy_in
from app.storage.database import db, transaction
from app.storage.models import (
    Broadcast,
    BroadcastMedia,
    BroadcastRich,
    BroadcastTarget,
    BroadcastVariant,
    BroadcastVersion,
    VersionMedia,
)
from app.storage.variants import variants_of
from app.storage.versions import keep as keep_version

MAX_NAME: Final = 120
_IS_ONE: Final = Broadcast.state == BroadcastState.TEMPLATE.value
# What hangs on a template, in an order in which it can be deleted.
_PARTS: Final = (
    VersionMedia,
    BroadcastVersion,
    BroadcastMedia,
    BroadcastRich,
    BroadcastVariant,
    BroadcastTarget,
)


def all_templates() -> Sequence[Broadcast]:
    """Return every template, by name, which is its `title`."""
    return db.session.scalars(select(Broadcast).where(_IS_ONE).order_by(Broadcast.title)).all()


def template(template_id: int) -> Broadcast:
    """Return a template. Raises `NotFound`."""
    return _found(db.session.get(Broadcast, template_id))


def named(name: str) -> Broadcast:
    """Return the template of that name. Raises `NotFound`, which names those there are."""
    found = db.session.scalar(select(Broadcast).where(_IS_ONE, Broadcast.title == name.strip()))
    if found is None:
        there = ", ".join(f"“{one.title}”" for one in all_templates()) or "none"
        raise NotFound(f"There is no template “{name.strip()}”. There are: {there}.")
    return found


def keep(broadcast_id: int, name: str, *, by: str, now: datetime) -> int:
    """Keep all that a broadcast says, and whom it goes to, under a name; not its time. Returns the template's id.

    Closed lists and those of live events are left out. Raises `Refused` for a name that is taken, `NotFound`.
    """
    with transaction() as session:
        original = broadcast_for_change(session, broadcast_id)
        _check(session, 0, name)
        kept_id = copy_in(session, original, name.strip(), _open(session, broadcast_id), by, now)
        session.get_one(Broadcast, kept_id).state = BroadcastState.TEMPLATE.value
        note(session, by, "template.keep", f"template {kept_id}", now, name=name.strip(), of=broadcast_id)
        return kept_id


def write_from(
    template_id: int,
    *,
    by: str,
    now: datetime,
    title: str = "",
    fills: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Begin a draft with all that a template says; returns its id.

    `fills` has words for gaps by name, in every text; what it does not name stays a gap. Raises `NotFound`, `Refused`.
    """
    with transaction() as session:
        original = _found(session.get(Broadcast, template_id))
        name = title.strip() or original.title
        draft_id = copy_in(session, original, name, _open(session, template_id), by, now)
        if fills:
            _fill(session, session.get_one(Broadcast, draft_id), fills, by, now)
        return draft_id


def rename(template_id: int, name: str, *, by: str, now: datetime) -> None:
    """Give a template another name. Raises `NotFound`, and `Refused` for one that is taken."""
    with transaction() as session:
        row = _found(session.get(Broadcast, template_id, with_for_update=True))
        _check(session, template_id, name)
        before, row.title, row.updated_at = row.title, name.strip(), now
        note(session, by, "template.rename", f"template {template_id}", now, name=row.title, before=before)


def remove(template_id: int, *, by: str, now: datetime) -> str:
    """Remove a template for good; returns its name. Drafts that were written from it stay as they are."""
    with transaction() as session:
        row = _found(session.get(Broadcast, template_id, with_for_update=True))
        name = row.title
        for part in _PARTS:
            session.execute(delete(part).where(part.broadcast_id == template_id))
        session.execute(delete(Broadcast).where(Broadcast.id == template_id))
        note(session, by, "template.remove", f"template {template_id}", now, name=name)
        return name


def _fill(session: Session, draft: Broadcast, fills: Mapping[str, str], by: str, now: datetime) -> None:
    variants = {key: filled(words, fills) for key, words in variants_of(session, draft.id).items()}
    draft.text = filled(draft.text, fills)
    check_words(draft.title, draft.text, variants)
    save_variants(session, draft.id, variants)
    keep_version(session, draft, by, now)


def _open(session: Session, broadcast_id: int) -> list[int]:
    """Return the lists that a new draft may go to."""
    lists = targets_of(session, broadcast_id)
    return [one.id for one in lists if one.archived_at is None and one.ends_at is None]


def _found(row: Broadcast | None) -> Broadcast:
    if row is None or row.state != BroadcastState.TEMPLATE.value:
        raise NotFound("There is no such template.")
    return row


def _check(session: Session, template_id: int, name: str) -> None:
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise Refused(f"A template needs a name of 1 to {MAX_NAME} characters.")
    same = select(Broadcast.id).where(_IS_ONE, Broadcast.title == name.strip(), Broadcast.id != template_id)
    if session.scalar(same) is not None:
        raise Refused(f"There is a template “{name.strip()}” already. Choose another name.")
