"""The fields for files in the compose form: read, kept while the rest is corrected, and stored with the draft."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from flask import request

from app.clock import utcnow
from app.desk.access import me
from app.desk.forms import Errors
from app.desk.refusals import translated
from app.domain.media.attached import Otherwise
from app.domain.media.kinds import MediaKind, kind_of
from app.domain.media.limits import LARGEST as LARGEST_FILE
from app.runtime import runtime
from app.services.controller import NotFound, Refused
from app.services.media import attach
from app.services.media.attach import EVERYWHERE, Attached, Given
from app.services.media.links import link_to
from app.services.media.take_in import file_row, take_in
from app.storage.database import db

LARGEST: Final = 2 * LARGEST_FILE
"""Bytes of the whole form: one file for all channels, and others for some of them."""
_SHOWN_FOR: Final = timedelta(hours=12)
_OTHERWISE: Final = frozenset(one.value for one in Otherwise)


@dataclass
class FileField:
    """The fields of one channel's file: `prefix` begins their names. `media_id` 0: there is none."""

    channel: str
    media_id: int = 0
    mime: str = ""
    name: str = ""
    alt: str = ""
    otherwise: str = Otherwise.LINK.value
    off: bool = False

    @property
    def prefix(self) -> str:
        """How the names of the fields begin."""
        return f"media-{self.channel}" if self.channel else "media"

    @property
    def kind(self) -> MediaKind | None:
        """What people see or hear."""
        return kind_of(self.mime) if self.mime else None

    @property
    def link(self) -> str:
        """Where this site shows it."""
        until = utcnow().replace(minute=0, second=0, microsecond=0) + _SHOWN_FOR
        return link_to(self.media_id, self.mime, until, public_url="", controller=runtime().controller)

    def given(self) -> Given:
        """Return what a draft shall carry."""
        return Given(self.media_id, self.name, self.alt, Otherwise(self.otherwise))

    def is_shown(self) -> bool:
        """Whether the preview has something to show."""
        return bool(self.media_id) and not self.off


@dataclass
class FilesGiven:
    """The fields of all channels as they were posted; files that came are taken in already."""

    fields: list[FileField] = field(default_factory=list)
    errors: Errors = field(default_factory=dict)

    def changes(self, broadcast_id: int | None) -> dict[str, Given | None]:
        """Return what of it a draft does not carry yet, by channel; None for a file that it shall carry no more."""
        there = attach.attached_to(db.session(), broadcast_id) if broadcast_id else {}
        db.session.rollback()
        before = {channel: _given(one) for channel, one in there.items()}
        wanted = {one.channel: one.given() if one.is_shown() else None for one in self.fields}
        return {channel: one for channel, one in wanted.items() if one != before.get(channel)}


def stored(broadcast_id: int | None, channels: Sequence[str]) -> list[FileField]:
    """Return the fields as they are stored: for all channels first, then for each of these."""
    there = attach.attached_to(db.session(), broadcast_id) if broadcast_id else {}
    return [_field(channel, there.get(channel)) for channel in (EVERYWHERE, *channels)]


def posted_files(channels: Sequence[str]) -> FilesGiven:
    """Read the fields. A file that came is stored at once: browsers do not send it again with the corrected form."""
    given = FilesGiven()
    for channel in (EVERYWHERE, *channels):
        one = _posted(channel)
        given.fields.append(one)
        try:
            _take(one)
        except Refused as refusal:
            given.errors[one.prefix] = translated(refusal)
            continue
        try:
            if one.is_shown() and one.kind:
                attach.check_alt(one.alt, one.kind)
        except Refused as refusal:
            given.errors[f"{one.prefix}-alt"] = translated(refusal)
    return given


def _posted(channel: str) -> FileField:
    one = FileField(channel)
    form: Mapping[str, str] = request.form
    number_ = form.get(f"{one.prefix}-id", "")
    one.media_id = int(number_) if number_.isdecimal() and len(number_) < 19 else 0
    one.name = form.get(f"{one.prefix}-name", "")
    one.alt = form.get(f"{one.prefix}-alt", "").replace("\r\n", " ").strip()
    otherwise = form.get(f"{one.prefix}-otherwise", "")
    one.otherwise = otherwise if otherwise in _OTHERWISE else Otherwise.LINK.value
    one.off = f"{one.prefix}-off" in form
    return one


def _take(one: FileField) -> None:
    """Store what came, or look up what came before. Raises `Refused`."""
    sent = request.files.get(one.prefix)
    if sent is not None and sent.filename:
        with closing(sent):
            data = sent.stream.read(LARGEST_FILE + 1)
        one.media_id = take_in(data, files=runtime().files, by=me().actor, now=utcnow())
        one.name, one.off = sent.filename, False
    if one.media_id:
        try:
            one.mime = file_row(db.session(), one.media_id).mime
        except NotFound:
            one.media_id = 0
            raise


def _field(channel: str, there: Attached | None) -> FileField:
    if there is None or there.is_gone:
        return FileField(channel)
    return FileField(channel, there.media_id, there.mime, there.name, there.alt, there.otherwise.value)


def _given(there: Attached) -> Given:
    return Given(there.media_id, there.name, there.alt, there.otherwise)
