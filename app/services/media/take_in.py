"""Take a file in: told by its bytes, cleaned, and stored once for the same content."""

import hashlib
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.media.cleaning import cleaned, seconds_of
from app.domain.media.kinds import DamagedMedia, UnknownMedia, type_of
from app.domain.media.limits import LARGEST
from app.services.controller import NotFound, Refused
from app.services.media.files import Files
from app.storage.database import transaction
from app.storage.models import MediaFile

MEGABYTE: Final = 1024 * 1024


def take_in(data: bytes, *, files: Files, by: str, now: datetime) -> int:
    """Clean a file and store it, once for the same content; returns its id. Raises `Refused`."""
    mime = read_type(data)
    try:
        clean = cleaned(data, mime)
        seconds = seconds_of(clean, mime)
    except DamagedMedia as error:
        raise Refused("This file is damaged: it does not go on as it begins.") from error
    sha256 = hashlib.sha256(clean).hexdigest()
    # Before the row: a row without bytes would be a promise that nobody keeps.
    files.put(sha256, clean)
    with transaction() as session:
        row = session.scalar(select(MediaFile).where(MediaFile.sha256 == sha256).with_for_update())
        if row is None:
            row = MediaFile(
                sha256=sha256, mime=mime, size=len(clean), seconds=seconds, created_by=by, created_at=now
            )
            session.add(row)
        elif row.removed_at is not None:  # who let it go held this row, and may have deleted what we just put
            files.put(sha256, clean)
        row.removed_at, row.created_at = None, now
        session.flush()
        return row.id


def read_type(data: bytes) -> str:
    """Return the type of a file by its bytes. Raises `Refused` for one that is empty, too large or none of ours."""
    if not data:
        raise Refused("The file is empty.")
    if len(data) > LARGEST:
        raise Refused(f"The file has {_megabytes(len(data))} MB; it may have {_megabytes(LARGEST)}.")
    try:
        return type_of(data)
    except UnknownMedia as error:
        raise Refused(
            "No messenger carries this file. "
            "Take a JPEG, PNG or GIF picture, an MP3 or M4A sound, an MP4 film or a PDF."
        ) from error


def file_row(session: Session, media_id: int) -> MediaFile:
    """Return what we know of a file whose bytes are there. Raises `NotFound`."""
    row = session.get(MediaFile, media_id)
    if row is None or row.removed_at is not None:
        raise NotFound("There is no such file.")
    return row


def _megabytes(size: int) -> int:
    return -(-size // MEGABYTE)
