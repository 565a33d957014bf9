"""The versions of a draft: what each save said and what went with it, the last fifty of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.storage.models import (
    Broadcast,
    BroadcastMedia,
    BroadcastRich,
    BroadcastVersion,
    VersionMedia,
)
from app.storage.variants import variants_of

KEPT: Final = 50
FOLDED_FOR: Final = timedelta(minutes=5)
"""For so long after a version, what the same person's page saves by itself makes no other."""


class File(NamedTuple):
    """A file as a draft carried it on one channel."""

    media_id: int
    name: str
    alt: str
    otherwise: str


class Said(NamedTuple):
    """All that a draft says: `variants` by `Scope.key`; what is by channel has "" for those without their own.

    `rich` has `content` and `template` as `BroadcastRich` stores them; None: nobody kept these and the files.
    """

    title: str
    text: str
    variants: Mapping[str, str]
    rich: Mapping[str, Mapping[str, Any]] | None
    files: Mapping[str, File]

    @property
    def words(self) -> tuple[str, str, Mapping[str, str]]:
        """What is there to read."""
        return self.title, self.text, self.variants


@dataclass
class Change:
    """What comes of one save. `beside`, set within, tells of a change outside the words, as of the lists.

    `folded`: it belongs to the version that the same person began a short time ago, or will.
    """

    beside: bool = False
    happened: bool = False
    folded: bool = False


@contextmanager
def new_version(
    session: Session, broadcast: Broadcast, by: str, at: datetime, *, by_itself: bool = False
) -> Iterator[Change]:
    """Make a version of what is changed within, and a new revision; of no change neither.

    What a draft said before is kept, too, where no version says it: in a draft of before this edition, and after a page
    saved by itself. That (`by_itself`) runs ahead of the newest version for a few minutes, unless somebody else saved
    the latter or somebody was asked for a yes: nobody's fifty versions are gone after an hour of typing.
    """
    change, before = Change(), _says(session, broadcast)
    asked = broadcast.approved_by or broadcast.approval_asked_by
    may_fold = by_itself and not asked
    change.folded = may_fold and _is_fresh(session, broadcast, by, at)
    if not change.folded:
        keep(session, broadcast, writer_of(session, broadcast), broadcast.updated_at)
    yield change
    session.flush()
    says_more = _says(session, broadcast) != before
    change.happened = says_more or change.beside
    if not change.happened:
        return
    broadcast.updated_at = at
    broadcast.revision += 1
    if not (may_fold and _is_fresh(session, broadcast, by, at)):
        keep(session, broadcast, by, at)
    if says_more:
        broadcast.void_approval()


def keep(session: Session, broadcast: Broadcast, by: str, at: datetime) -> None:
    """Keep what a draft says now, unless its newest version says the same; the oldest goes for the fifty-first.

    What came to a draft since its newest version without a change of its number, as to a copy, belongs to that version.
    """
    session.flush()
    now, newest = _says(session, broadcast), session.scalar(_of(broadcast.id).limit(1))
    before = said(newest, files_of(session, broadcast.id)) if newest else None
    if before == now:
        return
    unknown = before is not None and before.rich is None and before.words == now.words
    if newest is None or not (unknown or newest.revision == broadcast.revision):
        newest = BroadcastVersion(
            broadcast_id=broadcast.id, revision=broadcast.revision, saved_by=by, saved_at=at
        )
        session.add(newest)
    _write(session, newest, now)
    _forget(session, broadcast.id)


def writer_of(session: Session, broadcast: Broadcast) -> str:
    """Return who wrote what a draft says now: only who saved its newest version runs ahead of it."""
    newest = session.scalar(_of(broadcast.id).limit(1))
    return newest.saved_by if newest else broadcast.created_by


def with_latest(
    session: Session, broadcast: Broadcast
) -> tuple[Sequence[BroadcastVersion], Mapping[int, Mapping[str, File]]]:
    """Return `versions` and `files_of`, and before them what the draft says now where it runs ahead of its versions."""
    kept, files = versions(session, broadcast.id), files_of(session, broadcast.id)
    now = _says(session, broadcast)
    if not kept or kept[0].rich is None or said(kept[0], files) == now:
        return kept, files
    latest = BroadcastVersion(
        broadcast_id=broadcast.id,
        revision=broadcast.revision,
        title=now.title,
        text=now.text,
        variants=dict(now.variants),
        rich=dict(now.rich or {}),
        saved_by=kept[0].saved_by,
        saved_at=broadcast.updated_at,
    )
    return [latest, *kept], {**files, broadcast.revision: now.files}


def versions(session: Session, broadcast_id: int) -> Sequence[BroadcastVersion]:
    """Return the versions that are kept, newest first."""
    return session.scalars(_of(broadcast_id)).all()


def files_of(session: Session, broadcast_id: int) -> Mapping[int, Mapping[str, File]]:
    """Return revision -> channel -> the file that a version carried there."""
    found: defaultdict[int, dict[str, File]] = defaultdict(dict)
    for one in session.scalars(select(VersionMedia).where(VersionMedia.broadcast_id == broadcast_id)):
        found[one.revision][one.channel] = _file(one)
    return found


def said(version: BroadcastVersion, files: Mapping[int, Mapping[str, File]]) -> Said:
    """Return what a version says; `files` are those of all versions of its draft."""
    there = files.get(version.revision, {})
    return Said(version.title, version.text, version.variants, version.rich, there)


def _is_fresh(session: Session, broadcast: Broadcast, by: str, at: datetime) -> bool:
    newest = session.scalar(_of(broadcast.id).limit(1))
    return newest is not None and newest.saved_by == by and at - newest.saved_at < FOLDED_FOR


def _says(session: Session, broadcast: Broadcast) -> Said:
    one = broadcast.id
    rich = session.scalars(select(BroadcastRich).where(BroadcastRich.broadcast_id == one))
    files = session.scalars(select(BroadcastMedia).where(BroadcastMedia.broadcast_id == one))
    return Said(
        broadcast.title,
        broadcast.text,
        variants_of(session, one),
        {row.channel: {"content": row.content, "template": row.template} for row in rich},
        {row.channel: _file(row) for row in files},
    )


def _file(row: BroadcastMedia | VersionMedia) -> File:
    return File(row.media_id, row.name, row.alt, row.otherwise)


def _write(session: Session, version: BroadcastVersion, now: Said) -> None:
    version.title, version.text, version.variants = now.title, now.text, dict(now.variants)
    version.rich = {channel: dict(one) for channel, one in (now.rich or {}).items()}
    session.flush()
    _drop_files(session, version.broadcast_id, [version.revision])
    for channel, one in now.files.items():
        session.add(
            VersionMedia(
                broadcast_id=version.broadcast_id,
                revision=version.revision,
                channel=channel,
                **one._asdict(),
            )
        )
    session.flush()


def _forget(session: Session, broadcast_id: int) -> None:
    old = [one.revision for one in session.scalars(_of(broadcast_id).offset(KEPT))]
    if not old:
        return
    _drop_files(session, broadcast_id, old)
    session.execute(
        delete(BroadcastVersion).where(
            BroadcastVersion.broadcast_id == broadcast_id, BroadcastVersion.revision.in_(old)
        )
    )


def _drop_files(session: Session, broadcast_id: int, revisions: Sequence[int]) -> None:
    session.execute(
        delete(VersionMedia).where(
            VersionMedia.broadcast_id == broadcast_id, VersionMedia.revision.in_(revisions)
        )
    )


def _of(broadcast_id: int) -> Select[BroadcastVersion]:
    query = select(BroadcastVersion).where(BroadcastVersion.broadcast_id == broadcast_id)
    return query.order_by(BroadcastVersion.revision.desc())
