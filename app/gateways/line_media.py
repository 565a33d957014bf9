"""Files on LINE: a message object of their own before the text, in the same request; LINE fetches them by our link.

Source: developers.line.biz, Messaging API reference: pictures and films need a preview, a sound its length.
"""

from typing import Any, Final

from app.domain.media.attached import Media
from app.domain.media.kinds import MediaKind

_LENGTH_UNKNOWN_MS: Final = 60_000


def message(media: Media) -> dict[str, Any]:
    """Return the message object of a file."""
    if media.kind is MediaKind.AUDIO:
        long = _LENGTH_UNKNOWN_MS if media.seconds is None else max(1, round(media.seconds * 1000))
        return {"type": "audio", "originalContentUrl": media.url, "duration": long}
    preview = media.url if media.kind is MediaKind.IMAGE else media.preview
    return {"type": media.kind.value, "originalContentUrl": media.url, "previewImageUrl": preview}
