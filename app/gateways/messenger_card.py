"""A picture, words and buttons on Messenger as one card: a generic template, for words that are short enough.

Source: developers.facebook.com/docs/messenger-platform, "Generic template", read in November 2026: a title and a
subtitle of 80 characters each, a picture behind a link, up to three buttons.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.media.attached import Media
from app.domain.media.kinds import MediaKind

LONGEST: Final = 80
MOST: Final = 3


def card(text: str, media: Media, buttons: Sequence[Mapping[str, str]]) -> dict[str, Any] | None:
    """Return the content of a message, the first line as the title; None where these are no card."""
    title, _, subtitle = text.strip().partition("\n")
    too_long = max(len(title), len(subtitle)) > LONGEST
    if media.kind is not MediaKind.IMAGE or not 1 <= len(buttons) <= MOST or too_long:
        return None
    element = {"title": title, "image_url": media.url, "buttons": list(buttons)}
    if subtitle:
        element["subtitle"] = subtitle
    return {
        "attachment": {"type": "template", "payload": {"template_type": "generic", "elements": [element]}}
    }
