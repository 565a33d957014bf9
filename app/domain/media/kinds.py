"""What a file is, told by its first bytes: a name can say anything."""

from enum import StrEnum
from typing import Final


class MediaKind(StrEnum):
    """What people see or hear."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


class UnknownMedia(ValueError):
    """The bytes are none of the types that we take."""


class DamagedMedia(ValueError):
    """The bytes begin like a type that we take, and do not go on like it."""


# MIME type -> what it is, and how its file names end. What could not be cleaned of a place is not among them
# (`app.domain.media.cleaning`), but for PDF, of which editors are told.
_KINDS: Final = {
    "image/jpeg": (MediaKind.IMAGE, "jpg"),
    "image/png": (MediaKind.IMAGE, "png"),
    "image/gif": (MediaKind.IMAGE, "gif"),
    "audio/mpeg": (MediaKind.AUDIO, "mp3"),
    "audio/mp4": (MediaKind.AUDIO, "m4a"),
    "video/mp4": (MediaKind.VIDEO, "mp4"),
    "application/pdf": (MediaKind.DOCUMENT, "pdf"),
}
TYPES: Final = tuple(_KINDS)
"""Every MIME type that we take."""

_BEGINNINGS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
)
# ISO base media files name their kind behind `ftyp` (mp4ra.org); QuickTime's own `qt  ` is none of them.
_SOUNDS: Final = (b"M4A ", b"M4B ")
_FILMS: Final = (
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"M4V ",
    b"M4VP",
    b"dash",
)


def type_of(data: bytes) -> str:
    """Return the MIME type of a file; raises `UnknownMedia`."""
    for beginning, mime in _BEGINNINGS:
        if data.startswith(beginning):
            return mime
    if data[4:8] == b"ftyp" and (brand := data[8:12]) in _SOUNDS + _FILMS:
        return "audio/mp4" if brand in _SOUNDS else "video/mp4"
    if _is_bare_mp3(data):
        return "audio/mpeg"
    raise UnknownMedia("This is none of the types that messengers carry.")


def kind_of(mime: str) -> MediaKind:
    """Return what people see or hear of a type."""
    return _KINDS[mime][0]


def ending_of(mime: str) -> str:
    """Return how the names of such files end, without the dot."""
    return _KINDS[mime][1]


def _is_bare_mp3(data: bytes) -> bool:
    """Eleven bits of one, then MPEG 1, 2 or 2.5 and layer III: an MP3 without a tag before its first frame."""
    if len(data) < 2 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    return data[1] & 0x06 == 0x02 and data[1] & 0x18 != 0x08
