"""Files on Telegram: a method for each kind, the text as its caption; by our link first, then by Telegram's own id.

Source: core.telegram.org/bots/api, "Sending files": a `file_id` may be used again as often as one likes.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from app.domain.media.attached import Media
from app.domain.media.kinds import MediaKind
from app.gateways.base import Reply
from app.gateways.common import json_of
from app.gateways.paths import at
from app.gateways.uploads import Handle


class _Way(NamedTuple):
    """A method of the Bot API, and its field for the file."""

    method: str
    field: str


_PHOTO: Final = _Way("sendPhoto", "photo")
_ANIMATION: Final = _Way("sendAnimation", "animation")
_WAYS: Final[Mapping[MediaKind, _Way]] = {
    MediaKind.IMAGE: _PHOTO,
    MediaKind.AUDIO: _Way("sendAudio", "audio"),
    MediaKind.VIDEO: _Way("sendVideo", "video"),
    MediaKind.DOCUMENT: _Way("sendDocument", "document"),
}


def method_and_body(media: Media, text: str) -> tuple[str, dict[str, Any]]:
    """Return the method, and the part of its body that has the file and the words."""
    way = _ANIMATION if media.mime == "image/gif" else _WAYS[media.kind]
    return way.method, {way.field: media.handle or media.url, "caption": text}


def told_handle(reply: Reply) -> Handle | None:
    """Return the file's id in an answer; of a picture Telegram keeps several sizes, the largest last."""
    result = json_of(reply.body).get("result")
    if not isinstance(result, dict):
        return None
    photos = result.get("photo")
    if isinstance(photos, list) and photos:
        found = at(photos[-1], "file_id")
    else:
        # An animation comes as a document, too.
        found = next(
            (
                id_
                for field in ("animation", "video", "audio", "document")
                if (id_ := at(result, f"{field}.file_id"))
            ),
            "",
        )
    return Handle(found) if found else None
