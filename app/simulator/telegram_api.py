"""Telegram's Bot API as far as bots that send news need it: messages sent, edited and deleted, and updates.

After core.telegram.org/bots/api. Chats whose id ends in 0403, 0404, 0429 or 0500 misbehave as SMS numbers do.
"""

import json
import time
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from flask import Blueprint, Response, request

from app.clock import utcnow
from app.simulator import looks
from app.simulator.chats import Chats
from app.simulator.keys import of_telegram
from app.simulator.limits import TokenBuckets
from app.simulator.medium import Medium
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.shelf import CannotFetch, Shelf
from app.simulator.twilio_json import json_response

PER_SECOND = 30.0
PAID_PER_SECOND = 1000.0
MAX_TEXT = 4096
MAX_CAPTION = 1024
_FILES = {
    "sendPhoto": "photo",
    "sendAnimation": "animation",
    "sendAudio": "audio",
    "sendVideo": "video",
    "sendDocument": "document",
}


# A method that changes a message, and its field for the words.
_CHANGES = {"editMessageText": "text", "editMessageCaption": "caption", "deleteMessage": ""}


class TelegramMessenger(Messenger):
    """Updates as a bot's webhook gets them."""

    channel = "telegram"

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock
        # Updates count up over restarts, or the product would take new ones for repeats.
        self._numbers = count(int(clock().timestamp()) % 1_000_000_000)

    def id_of(self, number: str) -> str:
        """A chat's id: the digits of the phone, which is a number as Telegram's are."""
        return number.removeprefix("+")

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told | None:
        """Nobody is told: only who writes is known to a bot."""
        return None

    def said(self, account: Account, number: str, text: str) -> Told:
        """A private message."""
        chat = {"id": int(self.id_of(number)), "type": "private", "first_name": "Somebody"}
        message = {"message_id": next(self._numbers), "date": self._now(), "chat": chat, "text": text}
        return self._update(account, "message", message | {"from": {"id": chat["id"], "is_bot": False}})

    def pressed(self, account: Account, number: str, label: str, value: str) -> Told:
        """A key of the inline keyboard."""
        who = int(self.id_of(number))
        message = {"message_id": next(self._numbers), "chat": {"id": who, "type": "private"}}
        query = {"id": str(next(self._numbers)), "from": {"id": who, "is_bot": False}, "message": message}
        return self._update(account, "callback_query", query | {"data": value})

    def blocked(self, account: Account, number: str, blocked: bool) -> Told:
        """The bot was blocked or unblocked."""
        chat = {"id": int(self.id_of(number)), "type": "private"}
        status = "kicked" if blocked else "member"
        change = {"chat": chat, "date": self._now(), "new_chat_member": {"status": status}}
        return self._update(account, "my_chat_member", change)

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _update(self, account: Account, kind: str, content: dict[str, Any]) -> Told:
        body = json.dumps({"update_id": next(self._numbers), kind: content}).encode()
        secret = account.settings.get("secret", "")
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}
        return Told(body, headers)


class TelegramApi:
    """`/bot<token>/sendMessage`, the methods that send files, and those that change what was sent."""

    def __init__(self, chats: Chats, shelf: Shelf, ticks: Callable[[], float] = time.monotonic) -> None:
        self._chats, self._shelf, self._ticks = chats, shelf, ticks
        self._buckets = TokenBuckets()
        # They count up over restarts, for what stands on a phone can be named later.
        self._message_ids = count(int(utcnow().timestamp()) % 1_000_000_000)
        self._failed_once: set[str] = set()
        chats.on_reset.append(self._failed_once.clear)

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("telegram", __name__)
        routes.add_url_rule("/bot<token>/sendMessage", "send", self.send, methods=["POST"])
        for method, field in _FILES.items():
            routes.add_url_rule(
                f"/bot<token>/{method}", method, self.send, methods=["POST"], defaults={"field": field}
            )
        for method, words in _CHANGES.items():
            routes.add_url_rule(
                f"/bot<token>/{method}", method, self.change, methods=["POST"], defaults={"field": words}
            )
        return routes

    def change(self, token: str, field: str) -> Response:
        """Change a message that was sent; without a `field` for its words it is deleted."""
        account, body = self._account(token), request.get_json(silent=True)
        if account is None:
            return _error(401, "Unauthorized")
        if not isinstance(body, dict) or not {"chat_id", "message_id"} <= body.keys():
            return _error(400, "Bad Request: message identifier is not specified")
        chat, text = str(body["chat_id"]), str(body.get(field) or "")
        most = MAX_CAPTION if field == "caption" else MAX_TEXT
        if (refused := self._refusal(account, chat, text if field else "-", most)) is not None:
            return refused
        name = str(body["message_id"])
        fate = self._chats.change(
            account, chat, name, text if field else None, of_telegram(body), looks.of_telegram(body)
        )
        if fate not in ("done", "deliver"):
            return _not_changed(fate, "edit" if field else "delete")
        message = {"message_id": body["message_id"], field: text, "chat": {"id": int(chat)}}
        return json_response({"ok": True, "result": message if field else True})

    def _account(self, token: str) -> Account | None:
        return next((one for one in self._chats.all() if one.settings.get("token") == token), None)

    def send(self, token: str, field: str = "") -> Response:
        """Take one message, as JSON; `field` has the file, by a link or by the id of an earlier answer."""
        account = self._account(token)
        if account is None:
            return _error(401, "Unauthorized")
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or "chat_id" not in body:
            return _error(400, "Bad Request: chat_id is empty")
        chat, text = str(body["chat_id"]), str(body.get("caption" if field else "text") or "")
        if (refused := self._refusal(account, chat, text, MAX_CAPTION if field else MAX_TEXT)) is not None:
            return refused
        if self._too_fast(account, paid=body.get("allow_paid_broadcast") is True):
            return _too_many(1)
        try:
            id_, medium = self._file(str(body.get(field) or "")) if field else ("", None)
        except CannotFetch as error:
            return _error(400, f"Bad Request: failed to get HTTP URL content ({error})")
        number = next(self._message_ids)
        fate = self._chats.deliver(
            account, chat, text, medium, of_telegram(body), str(number), looks=looks.of_telegram(body)
        )
        if fate == "blocked":
            return _error(403, "Forbidden: bot was blocked by the user")
        if fate == "no_chat":
            return _error(400, "Bad Request: chat not found")
        result: dict[str, object] = {
            "message_id": number,
            "caption" if field else "text": text,
        }
        if field:
            result[field] = [{"file_id": id_}] if field == "photo" else {"file_id": id_}
        return json_response({"ok": True, "result": result | {"chat": {"id": int(chat), "type": "private"}}})

    def _file(self, named: str) -> tuple[str, Medium]:
        """Return the id of a file and itself: a link is fetched each time, as Telegram does."""
        if named.startswith(("http://", "https://")):
            medium = self._shelf.fetch(named)
            return self._shelf.name(medium), medium
        if (known := self._shelf.named(named)) is None:
            raise CannotFetch("wrong file identifier")
        return named, known

    def _refusal(self, account: Account, chat: str, text: str, most: int) -> Response | None:
        if not text.strip():
            return _error(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > most:
            words = "message is too long" if most == MAX_TEXT else "message caption is too long"
            return _error(400, f"Bad Request: {words}")
        return self._magic(chat)

    def _too_fast(self, account: Account, *, paid: bool) -> bool:
        """What a bot pays for has a pace of its own."""
        if paid:
            return self._buckets.take(f"{account.address} paid", PAID_PER_SECOND, self._ticks()) > 0
        return self._buckets.take(account.address, PER_SECOND, self._ticks()) > 0

    def _magic(self, chat: str) -> Response | None:
        ending = chat[-4:]
        if ending == "0404":
            return _error(400, "Bad Request: chat not found")
        if ending == "0403":
            return _error(403, "Forbidden: bot was blocked by the user")
        if ending in ("0429", "0500") and chat not in self._failed_once:
            self._failed_once.add(chat)
            return _too_many(2) if ending == "0429" else _error(500, "Internal Server Error")
        return None


def _error(status: int, description: str, **parameters: int) -> Response:
    body: dict[str, object] = {"ok": False, "error_code": status, "description": description}
    return json_response(body | ({"parameters": parameters} if parameters else {}), status)


def _not_changed(fate: str, what: str) -> Response:
    if fate == "blocked":
        return _error(403, "Forbidden: bot was blocked by the user")
    words = {
        "no_chat": "chat not found",
        "same": "message is not modified: specified new message content and reply markup are exactly the same",
        "missing": f"message to {what} not found",
    }
    return _error(400, f"Bad Request: {words[fate]}")


def _too_many(seconds: int) -> Response:
    return _error(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
