"""Files on Matrix: uploaded to the media repository of our own server once; events name them by their mxc:// address.

Source: spec.matrix.org v1.16, Client-Server API, "Content repository" and "Media captions": `body` is the caption where
`filename` is another.
"""

from typing import Any, Final

from app.domain.media.attached import Media
from app.domain.media.kinds import MediaKind
from app.gateways.base import Reply
from app.gateways.common import json_of
from app.gateways.uploads import Handle, file_name

_TYPES: Final = {
    MediaKind.IMAGE: "m.image",
    MediaKind.AUDIO: "m.audio",
    MediaKind.VIDEO: "m.video",
    MediaKind.DOCUMENT: "m.file",
}


def content(media: Media, text: str) -> dict[str, Any]:
    """Return what a message with a file says."""
    info: dict[str, Any] = {"mimetype": media.mime, "size": media.size}
    if media.seconds is not None:
        info["duration"] = round(media.seconds * 1000)
    return {
        "msgtype": _TYPES[media.kind],
        "body": text,
        "filename": file_name(media),
        "url": media.handle,
        "info": info,
    }


def handle_of(reply: Reply) -> Handle | None:
    """Return the mxc:// address of a file that was taken; the server keeps it for good."""
    uri = json_of(reply.body).get("content_uri")
    return Handle(uri) if reply.status == 200 and isinstance(uri, str) and uri.startswith("mxc://") else None
