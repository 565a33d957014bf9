"""What stands around the words of a message on Telegram: styles, the buttons below them, and no preview of a link.

Source: core.telegram.org/bots/api, "MessageEntity" and "InlineKeyboardMarkup", read in November 2026. Entities and not
`parse_mode`: there is nothing to escape, and no stray sign can fail a message.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.messages import Recipient
from app.domain.styled import utf16
from app.domain.styles import Style

_TYPES: Final[Mapping[Style, str]] = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.STRIKE: "strikethrough",
}


def entities(recipient: Recipient, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return where words are styled, in UTF-16 code units: of a text, or of the caption that `content` has instead."""
    if not recipient.styles or not {"text", "caption"} & content.keys():
        return {}
    found = [
        {"type": _TYPES[style], "offset": offset, "length": length}
        for offset, length, style in utf16(recipient.words)
    ]
    return {"caption_entities" if "caption" in content else "entities": found}


def preview(rich: Rich | None) -> dict[str, Any]:
    """Whether the page behind a link is shown; a caption never shows one."""
    return {} if rich is None or rich.preview else {"link_preview_options": {"is_disabled": True}}


def keyboard(rich: Rich | None) -> dict[str, Any]:
    """The keyboard below a text or a file, a button in each row."""
    rows = [[_key(one)] for one in rich.buttons] if rich else []
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def _key(button: Button) -> dict[str, str]:
    kind = "url" if button.kind is ButtonKind.LINK else "callback_data"
    return {"text": button.label, kind: button.value}
