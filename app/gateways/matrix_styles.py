"""Styled words in a Matrix event: the same text once more as HTML, which clients show that can.

Source: spec.matrix.org v1.16, Client-Server API, "m.room.message msgtypes": `strong`, `em` and `del` are tags of it.
"""

from typing import Final

from app.domain.messages import Recipient
from app.domain.styled import html

MOST_BYTES: Final = 24_000
"""An event has 65,536 bytes, and one that replaces another says everything twice: what is longer goes unstyled."""


def formatted(recipient: Recipient) -> dict[str, str]:
    """Return the fields of a message that has styles."""
    if not recipient.styles:
        return {}
    found = html(recipient.words)
    if len(found.encode()) + len(recipient.text.encode()) > MOST_BYTES:
        return {}
    return {"format": "org.matrix.custom.html", "formatted_body": found}
