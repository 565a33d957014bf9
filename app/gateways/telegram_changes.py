"""Changing what stands on Telegram: other words for a text or for a file's caption, or the whole message away.

Source: core.telegram.org/bots/api, "Updating messages" (10.1); the texts of errors are those of tdlib/telegram-bot-api.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.in_place import InPlace
from app.domain.messages import Standing
from app.gateways.base import Call
from app.gateways.common import json_of

_CAPTIONED: Final = ":caption"
"""Behind a message's number when its words are a file's caption: these are changed by another method."""
# A part of the description, in lower case: what was asked for is so already.
_DONE: Final[Mapping[InPlace, tuple[str, ...]]] = {
    InPlace.EDIT: ("message is not modified",),
    InPlace.DELETE: ("message to delete not found",),
}
_METHODS: Final[Mapping[str, InPlace]] = {
    "editMessageText": InPlace.EDIT,
    "editMessageCaption": InPlace.EDIT,
    "deleteMessage": InPlace.DELETE,
}


def provider_id_of(message: Mapping[str, Any]) -> str:
    """Return what a message is known by later on, as Telegram answered it."""
    return f"{message.get('message_id', '')}{_CAPTIONED if 'caption' in message else ''}"


def method_and_body(standing: Standing, text: str) -> tuple[str, dict[str, Any]]:
    """Return the method, and the part of its body that names the message and has its words."""
    number, captioned, _ = standing.provider_id.partition(_CAPTIONED)
    named: dict[str, Any] = {"message_id": int(number) if number.isdecimal() else number}
    if standing.act is InPlace.DELETE:
        return "deleteMessage", named
    return (
        ("editMessageCaption", named | {"caption": text})
        if captioned
        else ("editMessageText", named | {"text": text})
    )


def act_of(url: str) -> InPlace | None:
    """Return what a call asked for; None for a message of its own."""
    return _METHODS.get(url.rpartition("/")[2])


def named_in(call: Call) -> str | None:
    """Return what the message of a call is known by; None for one that is taken away."""
    body = json_of(call.body)
    if act_of(call.url) is not InPlace.EDIT:
        return None
    return provider_id_of(body)


def is_done(act: InPlace, description: str) -> bool:
    """Tell whether a refusal says that nothing is left to do, as after a request whose answer was lost."""
    return any(part in description.casefold() for part in _DONE[act])
