"""A picture, words and buttons on LINE as one bubble: a Flex Message, whose buttons stay below its words.

Source: developers.line.biz, Messaging API reference, "Flex Message", November 2026: a bubble has 30 KB at most.
Quick replies, where there is no card, go with the next message and are not there on a computer.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.media.attached import Media
from app.domain.media.kinds import MediaKind

LONGEST: Final = 1000
"""Characters of a text in a card: more is a page to read, and better a message of its own."""
_ALT: Final = 400
# LINE makes links of what looks like one in a text message, and not in a card.
_LIKE_A_LINK: Final = re.compile(r"https?://|www\.|\S@\S", re.IGNORECASE)


def card(text: str, media: Media, actions: Sequence[Mapping[str, str]]) -> dict[str, Any] | None:
    """Return the message object for a picture and some buttons, or None where a card is no better than a text.

    The picture is shown whole, whatever its shape.
    """
    if media.kind is not MediaKind.IMAGE or not actions or len(text) > LONGEST or _LIKE_A_LINK.search(text):
        return None
    hero = {"type": "image", "url": media.url, "size": "full", "aspectRatio": "4:3", "aspectMode": "fit"}
    words = {"type": "text", "text": text, "wrap": True}
    buttons = [{"type": "button", "height": "sm", "action": one} for one in actions]
    bubble = {
        "type": "bubble",
        "hero": hero,
        "body": {"type": "box", "layout": "vertical", "contents": [words]},
        "footer": {"type": "box", "layout": "vertical", "contents": buttons},
    }
    return {"type": "flex", "altText": text[:_ALT], "contents": bubble}
