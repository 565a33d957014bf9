"""The versions of a draft: what each save said and what went with it, the last fifty of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
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


@contextmanager
def new_version(session: Session, broadcast: Broadcast, by: str, at: datetime) -> Iterator[None]:
    """Make a version of what is changed within. What a draft of before this edition said is kept, too."""
    keep(session, broadcast, broadcast.created_by, broadcast.updated_at)
    before = _says(session, broadcast)
    yield
    broadcast.updated_at = at
    broadcast.revision += 1
    keep(session, broadcast, by, at)
    if _says(session, broadcast) != before:
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
