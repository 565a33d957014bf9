"""Let a draft carry a file that was taken in, on all channels or on one; say what a broadcast carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.media.attached import Otherwise
from app.domain.media.kinds import MediaKind, kind_of
from app.services.audit import note
from app.services.broadcast_rows import draft_for_change
from app.services.controller import Refused
from app.services.media.take_in import file_row
from app.storage.database import transaction
from app.storage.models import BroadcastMedia, MediaFile
from app.storage.versions import File, new_version

EVERYWHERE = ""
"""Stands for every channel that has no file of its own."""
MAX_ALT = 300
MAX_NAME = 120


@dataclass(frozen=True)
class Attached:
    """A file as a broadcast carries it on a channel; `is_gone`: its bytes were let go."""

    media_id: int
    channel: str
    mime: str
    size: int
    sha256: str
    seconds: float | None
    name: str
    alt: str
    otherwise: Otherwise
    is_gone: bool

    @property
    def kind(self) -> MediaKind:
        """What people see or hear."""
        return kind_of(self.mime)


@dataclass(frozen=True)
class Given:
    """What a draft shall carry: a file that was taken in, its name, its description, and what goes where it cannot."""

    media_id: int
    name: str = ""
    alt: str = ""
    otherwise: Otherwise = Otherwise.LINK


def check_alt(alt: str, kind: MediaKind) -> None:
    """Raise `Refused` for a picture that nobody described, and for a description that is too long."""
    if kind is MediaKind.IMAGE and not alt.strip():
        raise Refused("Describe the picture in words: people who cannot see it get them instead.")
    if len(alt.strip()) > MAX_ALT:
        raise Refused(f"The description has {len(alt.strip())} characters; it may have {MAX_ALT}.")


def attach(broadcast_id: int, channel: str, given: Given, *, by: str, now: datetime) -> Attached:
    """Let a draft carry a file on a channel, or say something else of the one that it carries. Raises `Refused`."""
    with transaction() as session:
        with new_version(session, draft_for_change(session, broadcast_id), by, now):
            set_files(session, broadcast_id, {channel: given}, by, now)
        return attached_to(session, broadcast_id)[channel]


def detach(broadcast_id: int, channel: str, *, by: str, now: datetime) -> None:
    """Let a draft carry no file on a channel. Doing it again changes nothing. Raises `Refused`."""
    with transaction() as session:
        draft = draft_for_change(session, broadcast_id)
        if channel in attached_to(session, broadcast_id):
            with new_version(session, draft, by, now):
                set_files(session, broadcast_id, {channel: None}, by, now)


def set_files(
    session: Session, broadcast_id: int, given: Mapping[str, Given | None], by: str, now: datetime
) -> None:
    """Let a draft carry these files, by channel; None takes one away. Raises `Refused`."""
    subject = f"broadcast {broadcast_id}"
    for channel, one in given.items():
        row = session.get(BroadcastMedia, (broadcast_id, channel))
        if one is None:
            if row is not None:
                session.delete(row)
                note(session, by, "broadcast.media_off", subject, now, channel=channel)
            continue
        check_alt(one.alt, kind_of(file_row(session, one.media_id).mime))
        if row is None:
            row = BroadcastMedia(broadcast_id=broadcast_id, channel=channel)
            session.add(row)
        row.media_id, row.name = one.media_id, _tidy_name(one.name)
        row.alt, row.otherwise = one.alt.strip(), one.otherwise.value
        note(session, by, "broadcast.media", subject, now, media=one.media_id, channel=channel)
    session.flush()


def attached_to(session: Session, broadcast_id: int) -> dict[str, Attached]:
    """Return channel -> the file that a broadcast carries there; `EVERYWHERE` for the others."""
    rows = session.execute(
        select(BroadcastMedia, MediaFile)
        .join(MediaFile, MediaFile.id == BroadcastMedia.media_id)
        .where(BroadcastMedia.broadcast_id == broadcast_id)
    )
    return {row.channel: _attached(row, file) for row, file in rows}


def on_channel(there: Mapping[str, Attached], channel: str) -> Attached | None:
    """Return the file for a channel: its own, or that for all."""
    return there.get(channel) or there.get(EVERYWHERE)


def copy_media(session: Session, from_id: int, to_id: int) -> None:
    """Let another broadcast carry what this one does, but for files that are gone."""
    for one in attached_to(session, from_id).values():
        if not one.is_gone:
            session.add(
                BroadcastMedia(
                    broadcast_id=to_id,
                    channel=one.channel,
                    media_id=one.media_id,
                    name=one.name,
                    alt=one.alt,
                    otherwise=one.otherwise.value,
                )
            )


def put_back_media(session: Session, broadcast_id: int, files: Mapping[str, File]) -> None:
    """Let a draft carry exactly these files, as an earlier version of it did."""
    session.execute(delete(BroadcastMedia).where(BroadcastMedia.broadcast_id == broadcast_id))
    session.add_all(
        BroadcastMedia(broadcast_id=broadcast_id, channel=channel, **file._asdict())
        for channel, file in files.items()
    )


def _attached(row: BroadcastMedia, file: MediaFile) -> Attached:
    return Attached(
        file.id,
        row.channel,
        file.mime,
        file.size,
        file.sha256,
        file.seconds,
        row.name,
        row.alt,
        Otherwise(row.otherwise),
        file.removed_at is not None,
    )


def _tidy_name(name: str) -> str:
    """The last part of a path, without signs that would end a header or a line."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable() and sign != '"').strip()[:MAX_NAME] or "file"
