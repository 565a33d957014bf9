"""Facebook Messenger's Send API as far as pages that send news need it: the window, echoes, and what people press.

After developers.facebook.com/docs/messenger-platform. Nobody is told of a block; error 551 shows it. People whose id
ends in 0403, 0404, 0424, 0429, 0449 or 0500 misbehave as phone numbers do.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from app.clock import utcnow
from app.simulator.chats import Chats
from app.simulator.keys import of_messenger
from app.simulator.later import Later
from app.simulator.magic import OneTimeFaults, ending_of
from app.simulator.medium import Medium
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.meta_api import WINDOW, Refusal, signed
from app.simulator.shelf import CannotFetch, Shelf

MAX_TEXT: Final = 2000
MAX_LINE: Final = 80
_NOBODY: Final = (100, "No matching user found", 400, 2018001)
_BLOCKED: Final = (551, "This person isn't available right now.", 400, 1545041)
_OUTSIDE: Final = (10, "This message is sent outside of allowed window.", 403, 2018278)
_REFUSALS: Final = {
    "0403": _BLOCKED,
    "0404": _NOBODY,
    "0424": _OUTSIDE,
    "0449": (4, "Too many messages of this kind to this person", 400, 2018354),
}
_ONCE: Final = {
    "0429": (613, "Calls to this API have exceeded the rate limit.", 400, None),
    "0456": (613, "Calls to this API have exceeded the rate limit.", 400, None),
    "0500": (2, "Service temporarily unavailable", 500, None),
}


class FacebookMessenger(Messenger):
    """What a page's webhook is told."""

    channel = "messenger"
    opens_by_a_press = True

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock

    def id_of(self, number: str) -> str:
        """A person's id for this page: sixteen digits, the last of them the phone's."""
        return f"7{number.removeprefix('+'):0>15}"

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told:
        """Newcomers press Get Started; a link that brought somebody tells its `ref`."""
        found = {"referral": {"ref": scene, "source": "SHORTLINK", "type": "OPEN_THREAD"}} if scene else {}
        if known:
            return self._event(account, number, **found)
        press = {"mid": _new_id(), "title": "Get Started", "payload": "GET_STARTED", **found}
        return self._event(account, number, postback=press)

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text."""
        return self._event(account, number, message={"mid": _new_id(), "text": text})

    def pressed(self, account: Account, number: str, label: str, value: str) -> Told:
        """A quick reply."""
        words = {"mid": _new_id(), "text": label, "quick_reply": {"payload": value}}
        return self._event(account, number, message=words)

    def blocked(self, account: Account, number: str, blocked: bool) -> None:
        """Nobody is told."""

    def preferred(self, account: Account, number: str, wanted: bool) -> Told:
        """People's own switch for notifications of this page."""
        status = "RESUME_NOTIFICATIONS" if wanted else "STOP_NOTIFICATIONS"
        switch = {"type": "notification_messages", "notification_messages_status": status}
        return self._event(account, number, optin=switch)

    def sent(self, account: Account, person: str, message: dict[str, Any]) -> Told:
        """The copy of a message of ours, and that it arrived."""
        page, now = account.settings.get("page_id", ""), self._now()
        echo = {**message, "is_echo": True, "app_id": 1}
        arrived = {"mids": [message["mid"]], "watermark": now}
        return self._told(
            account,
            {"sender": {"id": page}, "recipient": {"id": person}, "timestamp": now, "message": echo},
            {"sender": {"id": person}, "recipient": {"id": page}, "timestamp": now, "delivery": arrived},
        )

    def _event(self, account: Account, number: str, **what: object) -> Told:
        page = account.settings.get("page_id", "")
        who = {"sender": {"id": self.id_of(number)}, "recipient": {"id": page}, "timestamp": self._now()}
        return self._told(account, who | what)

    def _told(self, account: Account, *events: dict[str, Any]) -> Told:
        entry = {"id": account.settings.get("page_id", ""), "time": self._now(), "messaging": list(events)}
        return signed(account, {"object": "page", "entry": [entry]})

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)


class MessengerApi:
    """Messages from a page; `later` runs what is told after the answer."""

    channel = FacebookMessenger.channel
    node = "page_id"

    def __init__(self, chats: Chats, messenger: FacebookMessenger, later: Later, shelf: Shelf) -> None:
        self._chats, self._messenger, self._later, self._shelf = chats, messenger, later, shelf
        self._faults = OneTimeFaults(chats.on_reset)

    def send(self, account: Account, body: dict[str, Any]) -> dict[str, object]:
        """Take one message to somebody who wrote within a day."""
        medium = self._file(body.get("message"))
        person, text = _whom_and_what(body, has_file=medium is not None)
        if ending := self._faults.take(person):
            raise Refusal(*_ONCE[ending])
        if refusal := _REFUSALS.get(ending_of(person)):
            raise Refusal(*refusal)
        if self._chats.number_of(account, person) is None:
            raise Refusal(*_NOBODY)
        if not self._chats.wrote_within(account, person, WINDOW):
            raise Refusal(*_OUTSIDE)
        if self._chats.deliver(account, person, text, medium, of_messenger(body["message"])) == "blocked":
            raise Refusal(*_BLOCKED)
        message = {"mid": _new_id(), "text": text, "metadata": str(body["message"].get("metadata", ""))}
        self._later(lambda: self._chats.report(account, self._messenger.sent(account, person, message)))
        return {"recipient_id": person, "message_id": message["mid"]}

    def _file(self, message: object) -> Medium | None:
        attachment = message.get("attachment") if isinstance(message, dict) else None
        if not isinstance(attachment, dict):
            return None
        if attachment.get("type") == "template":
            return self._picture(_element(attachment.get("payload")))
        found = self._shelf.named(str(attachment.get("payload", {}).get("attachment_id")))
        if found is None or "text" in (message if isinstance(message, dict) else ()):
            raise Refusal(100, "Invalid data: an attachment is known and stands alone", subcode=2018074)
        return found

    def _picture(self, element: dict[str, Any]) -> Medium | None:
        if "image_url" not in element:
            return None
        try:
            return self._shelf.fetch(str(element["image_url"]))
        except CannotFetch as error:
            raise Refusal(100, f"The image cannot be fetched: {error}") from error


def _element(payload: object) -> dict[str, Any]:
    """The first card of a generic template; nothing of another one."""
    elements = payload.get("elements") if isinstance(payload, dict) else None
    first = elements[0] if isinstance(elements, list) and elements else None
    return first if isinstance(first, dict) else {}


def _whom_and_what(body: dict[str, Any], *, has_file: bool) -> tuple[str, str]:
    recipient, message = body.get("recipient"), body.get("message")
    if not isinstance(recipient, dict) or not isinstance(recipient.get("id"), str):
        raise Refusal(100, "The parameter recipient is required")
    text = _words(message)
    if any(len(line) > MAX_LINE for line in _card_lines(message)):
        raise Refusal(100, f"Length of title and subtitle must be less than or equal to {MAX_LINE}")
    if not has_file and not text:
        raise Refusal(100, "Message cannot be empty, must provide valid attachment or text", subcode=2018034)
    if len(text) > MAX_TEXT:
        raise Refusal(100, f"Length of param message[text] must be less than or equal to {MAX_TEXT}")
    if body.get("messaging_type") not in (
        "RESPONSE",
        "UPDATE",
    ):  # the tags for news are gone since April 2026
        raise Refusal(100, "Invalid messaging type")
    return recipient["id"], text


def _words(message: object) -> str:
    """A text, or that of a template of buttons."""
    if not isinstance(message, dict):
        return ""
    attachment = message.get("attachment")
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    text = payload.get("text") if isinstance(payload, dict) else message.get("text")
    return text if isinstance(text, str) else "\n".join(_card_lines(message))


def _card_lines(message: object) -> list[str]:
    """Title and subtitle of a card."""
    attachment = message.get("attachment") if isinstance(message, dict) else None
    element = _element(attachment.get("payload") if isinstance(attachment, dict) else None)
    return [str(element[name]) for name in ("title", "subtitle") if element.get(name)]


def _new_id() -> str:
    return f"m_{secrets.token_urlsafe(18)}"
