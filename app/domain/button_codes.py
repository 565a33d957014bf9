"""The id that a button of a broadcast carries, and brings back when it is pressed: made by us, and by nobody else.

`bt-` and 26 letters of base64url: which broadcast, which of its buttons, and a tag (RFC 2104, cut to 96 bits). It is
the same for everybody who gets the message, so that they can share one request; who pressed, the webhook says.
"""

import re
from collections.abc import Callable
from hmac import compare_digest
from typing import Final, NamedTuple

from app.domain.base64url import decode, encode

LABEL: Final = "button-code"
"""The use of our key that the tag is made for."""
PREFIX: Final = "bt-"
_CODE: Final = re.compile(r"bt-[A-Za-z0-9_-]{26}")
_BROADCAST, _PLACE, _TAG = 6, 1, 12


class Pressed(NamedTuple):
    """Which button: the broadcast, and its place there from 0 on."""

    broadcast_id: int
    place: int


def write(button: Pressed, tag: Callable[[bytes], bytes]) -> str:
    """Return the id; `tag` signs bytes."""
    body = button.broadcast_id.to_bytes(_BROADCAST, "big") + button.place.to_bytes(_PLACE, "big")
    return PREFIX + encode(body + tag(body)[:_TAG])


def looks_like(text: str) -> bool:
    """Tell whether a text has the form of an id, ours or made up."""
    return _CODE.fullmatch(text.strip()) is not None


def read(text: str, tags: Callable[[bytes], list[bytes]]) -> Pressed | None:
    """Read an id; None for anything else, and for one that we did not make. `tags` signs with each of our keys."""
    if not looks_like(text):
        return None
    raw = decode(text.strip().removeprefix(PREFIX))
    body, tag = raw[: _BROADCAST + _PLACE], raw[_BROADCAST + _PLACE :]
    if not any(compare_digest(one[:_TAG], tag) for one in tags(body)):
        return None
    return Pressed(int.from_bytes(body[:_BROADCAST], "big"), body[_BROADCAST])
