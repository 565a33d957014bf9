"""Write, save and copy drafts of broadcasts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.buttons import Rich
from app.domain.placeholders import KNOWN, PlaceholderError, parse
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, draft_for_change, targets_of
from app.services.controller import NotFound, Refused
from app.services.media.attach import Given, copy_media, set_files
from app.services.rich_messages import check_rich_of, copy_rich, save_rich
from app.services.shares import (
    save_variants,
)
from app.storage.database import transaction
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget
from app.storage.variants import variants_of
from app.storage.versions import keep, new_version

MAX_TEXT = 1600
FRESH_MINUTES = 120


def create_draft(
    *,
    title: str,
    text: str,
    list_ids: Sequence[int],
    by: str,
    now: datetime,
    variants: Mapping[str, str] = MappingProxyType({}),
    rich: Mapping[str, Rich] = MappingProxyType({}),
    files: Mapping[str, Given | None] = MappingProxyType({}),
) -> int:
    """Store a new draft and return its id. `variants` has other words for some channels, `rich` and `files` what goes
    with them, by channel.
    """
    with transaction() as session:
        broadcast_id = draft_in(
            session, title=title, text=text, list_ids=list_ids, by=by, now=now, variants=variants
        )
        _add_extras(session, broadcast_id, rich, files, by, now)
        keep(session, session.get_one(Broadcast, broadcast_id), by, now)
        return broadcast_id


def draft_in(
    session: Session,
    *,
    title: str,
    text: str,
    list_ids: Sequence[int],
    by: str,
    now: datetime,
    variants: Mapping[str, str] = MappingProxyType({}),
    known: Collection[str] = KNOWN,
) -> int:
    """Do what `create_draft` does within the caller's transaction; `known` are the placeholders that it may hold."""
    check_words(title, text, variants, known)
    broadcast = Broadcast(
        title=title.strip(),
        text=text,
        state=BroadcastState.DRAFT.value,
        zone="UTC",
        fresh_minutes=FRESH_MINUTES,
        created_by=by,
        created_at=now,
        updated_at=now,
    )
    session.add(broadcast)
    session.flush()
    _set_targets(session, broadcast, list_ids)
    save_variants(session, broadcast.id, variants)
    keep(session, broadcast, by, now)
    note(session, by, "broadcast.create", f"broadcast {broadcast.id}", now)
    return broadcast.id


def save_draft(
    broadcast_id: int,
    *,
    title: str,
    text: str,
    list_ids: Sequence[int],
    revision: int,
    by: str,
    now: datetime,
    variants: Mapping[str, str] = MappingProxyType({}),
    rich: Mapping[str, Rich] = MappingProxyType({}),
    files: Mapping[str, Given | None] = MappingProxyType({}),
    by_itself: bool = False,
) -> int:
    """Change a draft; `revision` is the one that was shown. Returns the new revision, or the same if nothing changed.

    `variants` has other words for some channels; an empty text takes them away. `rich` has buttons and templates by
    channel, "" for all, `files` what is carried there or None; channels that are not named stay. `by_itself`: the page
    saved it while somebody wrote, so that a few minutes of it make one version and one line in the audit log.

    Raises `Conflict` when somebody else saved in between, `Refused` when it is no draft any more.
    """
    check_words(title, text, variants)
    with transaction() as session:
        broadcast = draft_for_change(session, broadcast_id, revision)
        with new_version(session, broadcast, by, now, by_itself=by_itself) as change:
            # A correction goes to whoever got the wrong one, on whatever list.
            if broadcast.corrects_id is None:
                change.beside = _set_targets(session, broadcast, list_ids)
            broadcast.title, broadcast.text, broadcast.styled = title.strip(), text, True
            save_variants(session, broadcast_id, variants)
            _add_extras(session, broadcast_id, rich, files, by, now)
        if change.happened and not change.folded:
            note(session, by, "broadcast.save", f"broadcast {broadcast_id}", now, revision=broadcast.revision)
        return broadcast.revision


def copy_broadcast(broadcast_id: int, *, by: str, now: datetime) -> int:
    """Make a new draft with the same words, lists, files and buttons."""
    with transaction() as session:
        original = broadcast_for_change(session, broadcast_id)
        return copy_in(session, original, original.title, _target_ids(session, broadcast_id), by, now)


def copy_in(
    session: Session, original: Broadcast, title: str, list_ids: Sequence[int], by: str, now: datetime
) -> int:
    """Within the caller's transaction, make a draft with a broadcast's words, files, buttons and part of the lists."""
    copy_id = draft_in(
        session,
        title=title,
        text=original.text,
        list_ids=list_ids,
        variants=variants_of(session, original.id),
        by=by,
        now=now,
    )
    choose_as(session, original, copy_id)
    copy_media(session, original.id, copy_id)
    copy_rich(session, original.id, copy_id)
    keep(session, session.get_one(Broadcast, copy_id), by, now)
    return copy_id


def choose_as(session: Session, original: Broadcast, broadcast_id: int) -> None:
    """Let a draft go to the same part of its lists as another broadcast."""
    draft = session.get_one(Broadcast, broadcast_id)
    draft.segment_id, draft.segment_rule = original.segment_id, original.segment_rule
    draft.segment_but = original.segment_but
    if draft.segment_id is not None:
        draft.segment_rule = None  # as the saved one is now


def check_words(
    title: str,
    text: str,
    variants: Mapping[str, str] = MappingProxyType({}),
    known: Collection[str] = KNOWN,
) -> None:
    if not title.strip():
        raise Refused("Give the broadcast a title; it is for your team and is not sent.")
    if len(title.strip()) > 120:
        raise Refused(f"The title has {len(title.strip())} characters; it may have 120.")
    if len(text) > MAX_TEXT:
        raise Refused(f"The text has {len(text)} characters; an SMS carries {MAX_TEXT} at most.")
    try:
        for words in (text, *variants.values()):
            parse(words, known)
    except PlaceholderError as error:
        raise Refused(str(error)) from error


def _add_extras(
    session: Session,
    broadcast_id: int,
    rich: Mapping[str, Rich],
    files: Mapping[str, Given | None],
    by: str,
    now: datetime,
) -> None:
    """Check buttons against the lists that the draft goes to, and keep them and the files."""
    check_rich_of(session, broadcast_id, rich)
    save_rich(session, broadcast_id, rich)
    set_files(session, broadcast_id, files, by, now)


def _fresh_on(lists: Iterable[BroadcastList]) -> int:
    """Return for how many minutes news to these lists is fresh: as long as on the list where it is old first."""
    return min((one.fresh_minutes for one in lists), default=FRESH_MINUTES)


def _target_ids(session: Session, broadcast_id: int) -> list[int]:
    return [one.id for one in targets_of(session, broadcast_id)]


def _set_targets(session: Session, broadcast: Broadcast, list_ids: Sequence[int]) -> bool:
    """Tell whether that is another choice of lists than before."""
    open_ = BroadcastList.id.in_(list_ids), BroadcastList.archived_at.is_(None)
    known = {one.id: one for one in session.scalars(select(BroadcastList).where(*open_))}
    for list_id in list_ids:
        if list_id not in known:
            raise NotFound(f"There is no open list {list_id}.")
        if known[list_id].ends_at is not None:
            raise Refused(
                f"“{known[list_id].name}” is a live event; its messages are written on its own page."
            )
    before = targets_of(session, broadcast.id)
    if set(known) == {one.id for one in before}:
        return False
    if broadcast.fresh_minutes == _fresh_on(before):  # else its author chose
        broadcast.fresh_minutes = _fresh_on(known.values())
    broadcast.void_approval()
    session.execute(delete(BroadcastTarget).where(BroadcastTarget.broadcast_id == broadcast.id))
    session.add_all(BroadcastTarget(broadcast_id=broadcast.id, list_id=list_id) for list_id in sorted(known))
    return True
