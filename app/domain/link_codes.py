"""The code in a personal link: it was sent to one address, and whoever uses it on another channel is the same person.

`me-` and 40 letters of base64url: whose it is, which list it is about, which move it belongs to, until when it is good
(4 numbers), and a tag that only we can make (RFC 2104, cut to 96 bits). Telegram allows 64 of these letters.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Final

from app.domain.base64url import decode, encode

PREFIX: Final = "me-"
_CODE: Final = re.compile(r"me-[A-Za-z0-9_-]{40}")
_WIDTHS: Final = (6, 4, 4, 4)
_NUMBERS: Final = sum(_WIDTHS)
_TAG: Final = 12
_HOUR: Final = 3600


@dataclass(frozen=True)
class LinkCode:
    """What a code says; `move_id` is 0 where it belongs to no move. `until` is cut to the hour."""

    subscriber_id: int
    list_id: int
    move_id: int
    until: datetime

    def is_good(self, now: datetime) -> bool:
        """Tell whether it still links; it is a word for its list for ever."""
        return now < self.until


def write(code: LinkCode, tag: Callable[[bytes], bytes]) -> str:
    """Return the code as text; `tag` signs bytes."""
    hours = int(code.until.timestamp()) // _HOUR
    numbers = (code.subscriber_id, code.list_id, code.move_id, hours)
    body = b"".join(one.to_bytes(width, "big") for one, width in zip(numbers, _WIDTHS, strict=True))
    return PREFIX + encode(body + tag(body)[:_TAG])


def read(text: str, tags: Callable[[bytes], list[bytes]]) -> LinkCode | None:
    """Read a code; None for anything else, and for one that we did not make. `tags` signs with each of our keys."""
    text = text.strip()
    if not _CODE.fullmatch(text):
        return None
    raw = decode(text.removeprefix(PREFIX))
    body, tag = raw[:_NUMBERS], raw[_NUMBERS:]
    if not any(compare_digest(one[:_TAG], tag) for one in tags(body)):
        return None
    whose, list_id, move_id, hours = (
        int.from_bytes(body[sum(_WIDTHS[:place]) :][:width], "big") for place, width in enumerate(_WIDTHS)
    )
    return LinkCode(whose, list_id, move_id, datetime.fromtimestamp(hours * _HOUR, UTC))
