"""What a WhatsApp message holds: free text with buttons, or an approved template with its variables and buttons.

A file goes with either: with buttons it stands above the text as the header, without them the text is its caption.

Source: developers.facebook.com/docs/whatsapp/cloud-api, "Interactive messages" and "Template messages", read in
November 2026.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.addresses import Address
from app.domain.buttons import TEXT_VARIABLE, Button, ButtonKind, Rich, TemplateUse
from app.domain.media.attached import Media
from app.gateways import whatsapp_media

Content = dict[str, Any]


def to(address: Address) -> dict[str, str]:
    """Return whom a message is for: a number, or the id of somebody who shows none."""
    if address.value.startswith("+"):
        return {"to": address.value.removeprefix("+")}
    return {"recipient": address.value}


def free_text(text: str, rich: Rich | None, media: Media | None = None) -> Content:
    """Words within the window: with up to three answers to press, or with one link, or with neither."""
    if rich is not None and rich.buttons:
        above = {} if media is None else {"header": whatsapp_media.named(media)}
        shown = {**above, "body": {"text": text}, **_interactive(rich.buttons)}
        return {"type": "interactive", "interactive": shown}
    if media is not None:
        return whatsapp_media.content(media, text)
    preview = {} if rich is None else {"preview_url": rich.preview}
    return {"type": "text", "text": {"body": text, **preview}}


def _interactive(buttons: Sequence[Button]) -> Content:
    if buttons[0].kind is ButtonKind.LINK:
        link = {"display_text": buttons[0].label, "url": buttons[0].value}
        return {"type": "cta_url", "action": {"name": "cta_url", "parameters": link}}
    keys = [{"type": "reply", "reply": {"id": one.value, "title": one.label}} for one in buttons]
    return {"type": "button", "action": {"buttons": keys}}


def own_template(text: str, rich: Rich, use: TemplateUse, media: Media | None = None) -> Content:
    """The template that the broadcast names: without variables of its own, our text is the only one."""
    values = [text if one == TEXT_VARIABLE else one for one in use.variables or (TEXT_VARIABLE,)]
    # Meta's description wants the policy, of which there is one.
    spoken = {"policy": "deterministic", "code": use.language}
    named = {"name": use.name, "language": spoken}
    return template(named, values, [one for one in rich.buttons if one.kind is ButtonKind.REPLY], media)


def template(
    named: Mapping[str, Any],
    values: Sequence[str],
    replies: Sequence[Button] = (),
    media: Media | None = None,
) -> Content:
    """An approved text. A variable holds one line only; its buttons were approved, and we say what a press brings."""
    lines = [{"type": "text", "text": " ".join(value.split())} for value in values]
    above = [] if media is None else [whatsapp_media.header(media)]
    body = {"type": "body", "parameters": lines}
    keys = [_key(number, one) for number, one in enumerate(replies)]
    return {"type": "template", "template": {**named, "components": [*above, body, *keys]}}


def _key(number: int, button: Button) -> Content:
    payload = {"type": "payload", "payload": button.value}
    return {"type": "button", "sub_type": "quick_reply", "index": str(number), "parameters": [payload]}
