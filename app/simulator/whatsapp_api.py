"""WhatsApp's Cloud API as far as numbers that send news need it: texts and templates, the window, statuses, and the
switch by which people end marketing.

After developers.facebook.com/docs/whatsapp/cloud-api. Nobody is told of a block. Numbers that end in 0202, 0299, 0403,
0404, 0424, 0429, 0449, 0456, 0500 or 0610 misbehave; most of it comes with the statuses, as Meta's errors do. Whoever's
ends in 0298 reads at once.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any, Final

from app.clock import utcnow
from app.simulator.chats import Chats
from app.simulator.keys import Keys, of_whatsapp
from app.simulator.later import Later
from app.simulator.limits import TokenBuckets
from app.simulator.magic import OneTimeFaults, ending_of
from app.simulator.medium import Medium
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.meta_api import WINDOW, Refusal, signed
from app.simulator.shelf import CannotFetch, Shelf

PER_SECOND: Final = 80.0
MAX_TEXT: Final = 4096
_FILES: Final = ("image", "video", "audio", "document")
_UNDELIVERABLE, _OUTSIDE, _CAPPED, _STOPPED = 131026, 131047, 131049, 131050
_FAILURES: Final = {
    "0202": _UNDELIVERABLE,
    "0403": _UNDELIVERABLE,
    "0404": _UNDELIVERABLE,
    "0424": _OUTSIDE,
    "0449": _CAPPED,
    "0610": _STOPPED,
}
_TITLES: Final = {
    _UNDELIVERABLE: "Message undeliverable",
    _OUTSIDE: "Re-engagement message",
    _CAPPED: "Not delivered, to keep the ecosystem healthy",
    _STOPPED: "The recipient stopped marketing messages from this business",
}
_REFUSALS: Final = {
    "0429": (130429, "Rate limit hit", 429),
    "0456": (131056, "Pair rate limit hit", 400),
    "0500": (131016, "Service unavailable", 503),
}

_TAKEN: Final = {"PAUSED": 132015, "DISABLED": 132016, "REJECTED": 132001}
_TELLS: Final = {"0298": ("sent", "delivered", "read"), "0299": ("delivered", "sent", "delivered")}


class WhatsAppMessenger(Messenger):
    """What a number's webhook is told."""

    channel = "whatsapp"

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock
        # Over restarts they count up, or the product would take new messages for repeats.
        self._numbers = count(int(clock().timestamp() * 1000))
        self._lost: dict[tuple[str, str], int] = {}

    def id_of(self, number: str) -> str:
        """A person's id: the digits of the phone."""
        return number.removeprefix("+")

    def opened(self, account: Account, number: str, scene: str, known: bool) -> None:
        """Nobody is told: only who writes is known to a business."""

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text."""
        message = {
            "from": self.id_of(number),
            "id": f"wamid.in{next(self._numbers)}",
            "timestamp": self._now(),
        }
        return self._changed(
            account, "messages", messages=[message | {"type": "text", "text": {"body": text}}]
        )

    def pressed(self, account: Account, number: str, label: str, value: str) -> Told:
        """An answer below a message."""
        message = {
            "from": self.id_of(number),
            "id": f"wamid.in{next(self._numbers)}",
            "timestamp": self._now(),
            "type": "interactive",
            "interactive": {"type": "button_reply", "button_reply": {"id": value, "title": label}},
        }
        return self._changed(account, "messages", messages=[message])

    def blocked(self, account: Account, number: str, blocked: bool) -> None:
        """Nobody is told."""

    def preferred(self, account: Account, number: str, wanted: bool) -> Told:
        """People's own switch for marketing from this number."""
        word = "resume" if wanted else "stop"
        change = {
            "wa_id": self.id_of(number),
            "category": "marketing_messages",
            "value": word,
            "detail": f"User requested to {word} marketing messages",
            "timestamp": self._now(),
        }
        return self._changed(account, "user_preferences", user_preferences=[change])

    def judged(self, account: Account, template: str, event: str, reason: str) -> Told:
        """News of a template, which is about the whole account and so names no number."""
        self._lost.pop((account.address, template), None)
        if event in _TAKEN:
            self._lost[account.address, template] = _TAKEN[event]
        name, _, language = template.partition(":")
        value = {
            "event": event,
            "message_template_id": 594425479261596,
            "message_template_name": name,
            "message_template_language": language,
            "reason": reason,
            "message_template_category": "MARKETING",
        }
        change = {"field": "message_template_status_update", "value": value}
        entry = {"id": "1", "time": int(self._now()), "changes": [change]}
        return signed(account, {"object": "whatsapp_business_account", "entry": [entry]})

    def refuse_lost(self, account: Account, body: dict[str, Any]) -> None:
        """Raise `Refusal` for a message by a template that was taken from us."""
        template = body.get("template")
        named = f"{_at(template, 'name')}:{_at(template, 'language', 'code')}"
        if code := self._lost.get((account.address, named)):
            raise Refusal(code, "Template is paused or disabled")

    def status(self, account: Account, sent: dict[str, str], word: str, code: int | None) -> Told:
        """What became of a message: `sent` has its `id`, `recipient_id` and `biz_opaque_callback_data`."""
        found: dict[str, object] = {**sent, "status": word, "timestamp": self._now()}
        if code is not None:
            title = _TITLES[code]
            found["errors"] = [{"code": code, "title": title, "error_data": {"details": title}}]
        return self._changed(account, "messages", statuses=[found])

    def _now(self) -> str:
        return str(int(self._clock().timestamp()))

    def _changed(self, account: Account, field: str, **value: object) -> Told:
        metadata = {
            "display_phone_number": account.address.removeprefix("+"),
            "phone_number_id": account.settings.get("phone_number_id", ""),
        }
        whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        entry = {"id": "1", "changes": [{"field": field, "value": whole}]}
        return signed(account, {"object": "whatsapp_business_account", "entry": [entry]})


class WhatsAppApi:
    """Messages from a number; `later` runs what is told after the answer."""

    channel = WhatsAppMessenger.channel
    node = "phone_number_id"

    def __init__(
        self,
        chats: Chats,
        messenger: WhatsAppMessenger,
        later: Later,
        shelf: Shelf,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._chats, self._messenger, self._later, self._clock = chats, messenger, later, clock
        self._shelf, self._buckets, self._faults = shelf, TokenBuckets(), OneTimeFaults(chats.on_reset)

    def send(self, account: Account, body: dict[str, Any]) -> dict[str, object]:
        """Take one message: a yes says little, its statuses say what became of it."""
        to, medium = str(body.get("to") or body.get("recipient") or ""), self._file(body)
        is_file = body.get("type") in _FILES
        text = str(body[body["type"]].get("caption", "")) if is_file else _words(account, body)
        if not to:
            raise Refusal(131008, "Required parameter is missing: to")
        if self._buckets.take(account.address, PER_SECOND, self._clock().timestamp()):
            raise Refusal(*_REFUSALS["0429"])
        self._messenger.refuse_lost(account, body)
        if ending := self._faults.take(to):
            raise Refusal(*_REFUSALS[ending])
        code = self._failure(account, to, text, body["type"] == "template", medium, of_whatsapp(body))
        data = str(body.get("biz_opaque_callback_data", ""))
        sent = {
            "id": f"wamid.{secrets.token_hex(12)}",
            "recipient_id": to,
            "biz_opaque_callback_data": data,
        }
        self._later(lambda: self._report(account, sent, code))
        contact = {"input": to, "wa_id": to}
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": sent["id"]}]}

    def _file(self, body: dict[str, Any]) -> Medium | None:
        """Return the file of a message that has one: uploaded before, or behind a link."""
        part = body.get(str(body.get("type"))) if body.get("type") in _FILES else _header(body)
        if not isinstance(part, dict):
            return None
        try:
            found = (
                self._shelf.named(str(part["id"]))
                if "id" in part
                else self._shelf.fetch(str(part.get("link")))
            )
        except CannotFetch as error:
            raise Refusal(131053, f"Media upload error: {error}") from error
        if found is None:
            raise Refusal(131009, "Parameter value is not valid: the media id is unknown")
        return found

    def _failure(
        self,
        account: Account,
        to: str,
        text: str,
        is_template: bool,
        medium: Medium | None = None,
        keys: Keys = (),
    ) -> int | None:
        """Return the code with which it fails, or show it on the phone. A template reaches whoever has a number."""
        if code := _FAILURES.get(ending_of(to)):
            return code
        if is_template and self._chats.is_unwanted(account, to):
            return _STOPPED
        if not is_template and not self._chats.wrote_within(account, to, WINDOW):
            return _OUTSIDE
        self._chats.open(f"+{to}", account)
        return None if self._chats.deliver(account, to, text, medium, keys) == "deliver" else _UNDELIVERABLE

    def _report(self, account: Account, sent: dict[str, str], code: int | None) -> None:
        words: tuple[str, ...] = ("sent", "delivered") if code is None else ("failed",)
        if code is None:
            words = _TELLS.get(ending_of(sent["recipient_id"]), words)
        for word in words:
            self._chats.report(account, self._messenger.status(account, sent, word, code))


def _words(account: Account, body: dict[str, Any]) -> str:
    """Return what the phone shows: a text, or the values of an approved template."""
    if body.get("messaging_product") != "whatsapp":
        raise Refusal(100, "The parameter messaging_product is required.")
    if body.get("type") == "template":
        return _filled(account, body.get("template"))
    kind = body.get("type")
    holder = body.get("text") if kind == "text" else _at(body, "interactive", "body")
    text = _at(holder, "body" if kind == "text" else "text")
    if kind not in ("text", "interactive") or not isinstance(text, str) or not text:
        raise Refusal(131008, "Required parameter is missing: text.body")
    if len(text) > MAX_TEXT:
        raise Refusal(100, f"Param text['body'] must be at most {MAX_TEXT} characters long.")
    return text


def _header(body: dict[str, Any]) -> object:
    """Return the file in the header of a message with buttons, or of a template."""
    above, template = _at(body, "interactive", "header"), body.get("template")
    if isinstance(above, dict):
        return above.get(str(above.get("type")))
    parts = template.get("components", ()) if isinstance(template, dict) else ()
    for part in parts:
        if part.get("type") == "header":
            (one,) = part["parameters"]
            return one.get(one.get("type"))
    return None


def _filled(account: Account, template: object) -> str:
    if not isinstance(template, dict) or not isinstance(template.get("language"), dict):
        raise Refusal(131008, "Required parameter is missing: template")
    named = f"{template.get('name')}:{template['language'].get('code')}"
    usual = account.settings.get("template")
    if named not in (usual, *account.settings.get("templates", "").split(",")):
        raise Refusal(132001, "Template name does not exist in the translation", 404)
    bodies = [part for part in template.get("components", ()) if part.get("type") == "body"]
    values = [str(one.get("text", "")) for part in bodies for one in part["parameters"]]
    if not values or (named == usual and len(values) != 1):
        raise Refusal(132000, "Number of parameters does not match the expected number of params")
    if any("\n" in value or "\t" in value for value in values):
        raise Refusal(132018, "Param text cannot have new-line/tab characters")
    return "\n".join(values)


def _at(found: object, *names: str) -> object:
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
