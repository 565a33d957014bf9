"""Files on WhatsApp's Cloud API: uploaded once, then named by the id, which Meta forgets after thirty days.

Source: developers.facebook.com/docs/whatsapp/cloud-api/reference/media.
"""

from datetime import timedelta
from typing import Any, Final

from app.domain.media.attached import Media
from app.domain.media.kinds import MediaKind
from app.gateways.base import Reply
from app.gateways.common import json_of
from app.gateways.paths import at
from app.gateways.uploads import Handle, file_name

# A day less than Meta keeps it, so that no broadcast begins with an id that ends before it does.
GOOD_FOR: Final = timedelta(days=29)
HEADERS: Final = (MediaKind.IMAGE.value, MediaKind.VIDEO.value, MediaKind.DOCUMENT.value)
FIELDS: Final = {"messaging_product": "whatsapp"}


def content(media: Media, text: str) -> dict[str, Any]:
    """Return the part of a message that has the file, and the words below it."""
    kind = media.kind.value
    return {"type": kind, kind: {**_named(media), "caption": text}}


def header(media: Media) -> dict[str, Any]:
    """Return the part of an approved template that has the file."""
    return {"type": "header", "parameters": [named(media)]}


def named(media: Media) -> dict[str, Any]:
    """Return the file with its kind, as headers have it."""
    return {"type": media.kind.value, media.kind.value: _named(media)}


def _named(media: Media) -> dict[str, str]:
    file = {"id": media.handle} if media.handle else {"link": media.url}
    name = {"filename": file_name(media)} if media.kind is MediaKind.DOCUMENT else {}
    return {**file, **name}


def handle_of(reply: Reply) -> Handle | None:
    """Return the id of a file that was taken."""
    id_ = at(json_of(reply.body), "id")
    return Handle(id_, GOOD_FOR) if reply.status == 200 and id_ else None
