"""Buttons below a message on a phone, read from what each messenger's wire protocol says of them."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Key(NamedTuple):
    """One button: a press sends `value`, or opens it where it `opens` a page."""

    label: str
    value: str
    opens: bool = False


Keys = tuple[Key, ...]


def of_telegram(body: Mapping[str, Any]) -> Keys:
    """Read the inline keyboard of `sendMessage`."""
    rows = _at(body, "reply_markup", "inline_keyboard") or ()
    return tuple(_key(one, "text", "callback_data", "url") for row in rows for one in row)


def of_line(message: Mapping[str, Any]) -> Keys:
    """Read the quick replies of a message, or the buttons below a card."""
    shown = _at(message, "quickReply", "items") or _at(message, "contents", "footer", "contents") or ()
    actions = [_at(one, "action") or {} for one in shown]
    return tuple(_key(one, "label", "data", "uri") for one in actions)


def of_viber(body: Mapping[str, Any]) -> Keys:
    """Read the keyboard of a message."""
    return tuple(
        Key(str(one["Text"]), str(one["ActionBody"]), one["ActionType"] == "open-url")
        for one in _at(body, "keyboard", "Buttons") or ()
    )


def of_messenger(message: Mapping[str, Any]) -> Keys:
    """Read quick replies, or the buttons of a template, in a card those of its first element."""
    payload = _at(message, "attachment", "payload")
    cards = _at(payload, "elements") or [None]
    quick = message.get("quick_replies") or _at(payload, "buttons") or _at(cards[0], "buttons") or ()
    return tuple(_key(one, "title", "payload", "url") for one in quick)


def of_whatsapp(body: Mapping[str, Any]) -> Keys:
    """Read answers or the link of an interactive message; of a template we hear what its buttons bring alone."""
    action = _at(body, "interactive", "action") or {}
    if link := action.get("parameters"):
        return (Key(str(link["display_text"]), str(link["url"]), opens=True),)
    replies = (one["reply"] for one in action.get("buttons", ()))
    return (*(Key(str(one["title"]), str(one["id"])) for one in replies), *_of_template(body))


def _of_template(body: Mapping[str, Any]) -> Iterable[Key]:
    parts = _at(body, "template", "components") or ()
    for part in parts:
        if part.get("type") == "button":
            yield Key(f"Button {int(part['index']) + 1}", str(part["parameters"][0]["payload"]))


def _key(found: Mapping[str, Any], label: str, value: str, link: str) -> Key:
    opens = link in found
    return Key(str(found[label]), str(found[link if opens else value]), opens)


def _at(found: object, *names: str) -> Any:
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
