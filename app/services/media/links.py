"""Links to files for providers and people without an account: signed by us, good for some weeks, and never listed.

`/m/<id>.<until><signature>.<ending>`: the id, then base64url of four bytes of the moment (seconds since 1970) and the
first twelve of an HMAC-SHA256 over both. Some platforms look at how an address ends, so it ends like a file's name.
"""

import hmac
import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from app.domain import base64url
from app.domain.media.kinds import ending_of
from app.services.controller import Controller

GOOD_FOR: Final = timedelta(days=30)
"""How long a link is good after its broadcast has ended: people open messages late, and again."""
PATH: Final = "/m/"
_LABEL: Final = "media-link"
_TAG_BYTES: Final = 12


def link_to(media_id: int, mime: str, until: datetime, *, public_url: str, controller: Controller) -> str:
    """Return the address of a file that is good until a moment; the same input gives the same address."""
    stamp = struct.pack(">I", int(until.timestamp()))
    tag = controller.keys.tag(_LABEL, _signed(media_id, stamp))[:_TAG_BYTES]
    return f"{public_url}{PATH}{media_id}.{base64url.encode(stamp + tag)}.{ending_of(mime)}"


def opened(media_id: int, code: str, *, controller: Controller, now: datetime) -> datetime | None:
    """Return until when a link is good; None for one that we did not make or that is too old."""
    try:
        raw = base64url.decode(code)
    except ValueError:
        return None
    stamp, tag = raw[:4], raw[4:]
    expected = controller.keys.tags(_LABEL, _signed(media_id, stamp)) if len(raw) == 4 + _TAG_BYTES else []
    if not any(hmac.compare_digest(tag, one[:_TAG_BYTES]) for one in expected):
        return None
    until = datetime.fromtimestamp(struct.unpack(">I", stamp)[0], UTC)
    return until if now < until else None


def _signed(media_id: int, stamp: bytes) -> bytes:
    return f"{media_id}:{stamp.hex()}".encode()
