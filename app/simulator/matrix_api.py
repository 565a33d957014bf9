"""A small homeserver: rooms for two, invitations, messages, and the transactions that an application service gets.

After spec.matrix.org. Each phone has a user and one room with each bot; our bot is in it from the invitation that it
accepts until somebody leaves. Users whose name ends in 0403, 0404, 0429 or 0500 misbehave as SMS numbers do.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from threading import Lock
from typing import Any

from flask import Blueprint, Response, request

from app.clock import utcnow
from app.simulator.chats import Chats
from app.simulator.looks import of_matrix
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.shelf import Shelf
from app.simulator.twilio_json import json_response

DOMAIN = "people.localhost"
MAX_EVENT = 65_536
_TRANSACTIONS = "/_matrix/app/v1/transactions/"


class MatrixMessenger(Messenger):
    """Transactions as a bot's application service gets them; remembers the rooms that the bot is not in."""

    channel = "matrix"
    closes = True

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock
        # Over restarts they count up, or the product would take new events for repeats.
        self._numbers = count(int(clock().timestamp() * 1000))
        self._lock = Lock()
        self._invited: set[str] = set()
        self._outside: set[str] = set()

    def id_of(self, number: str) -> str:
        """The user of a phone, named after its digits."""
        return f"@{number.removeprefix('+')}:{DOMAIN}"

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told:
        """An invitation into a direct room."""
        room = self._room(number)
        with self._lock:
            self._invited.add(room)
            self._outside.add(room)
        content = {"membership": "invite", "is_direct": True}
        return self._event(account, number, "m.room.member", content, state_key=account.address)

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text in the room."""
        return self._event(account, number, "m.room.message", {"msgtype": "m.text", "body": text})

    def blocked(self, account: Account, number: str, blocked: bool) -> Told | None:
        """Somebody leaves the room; there is no way back into it without a new invitation, so nothing to lift."""
        if not blocked:
            return None
        content = {"membership": "leave"}
        return self._event(account, number, "m.room.member", content, state_key=self.id_of(number))

    def join(self, room: str) -> bool:
        """The bot comes in; tells whether it was invited, or is in already."""
        with self._lock:
            if room in self._outside and room not in self._invited:
                return False
            self._invited.discard(room)
            self._outside.discard(room)
            return True

    def leave(self, room: str) -> None:
        """The bot goes."""
        with self._lock:
            self._invited.discard(room)
            self._outside.add(room)

    def is_inside(self, room: str) -> bool:
        """Tell whether the bot is in a room."""
        with self._lock:
            return room not in self._outside

    def _room(self, number: str) -> str:
        return "!" + self.id_of(number)[1:]

    def _event(self, account: Account, number: str, kind: str, content: dict[str, Any], **more: str) -> Told:
        number_of_event = next(self._numbers)
        event = {
            "type": kind,
            "event_id": f"$theirs-{number_of_event}",
            "room_id": self._room(number),
            "sender": self.id_of(number),
            "origin_server_ts": int(self._clock().timestamp() * 1000),
            "content": content,
        }
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {account.settings.get('hs_token', '')}",
        }
        body = json.dumps({"events": [event | more]}).encode()
        return Told(body, headers, method="PUT", path=f"{_TRANSACTIONS}{number_of_event}")


class MatrixApi:
    """`/_matrix/client/v3/rooms/…`: messages by transaction, their redaction, join and leave; and uploads."""

    def __init__(self, chats: Chats, rooms: MatrixMessenger, shelf: Shelf) -> None:
        self._chats, self._rooms, self._shelf = chats, rooms, shelf
        # They count up over restarts, for what stands on a phone can be named later.
        self._ids = count(int(utcnow().timestamp()) % 1_000_000_000)
        self._sent: dict[tuple[str, str, str], str] = {}
        self._failed_once: set[str] = set()
        chats.on_reset.append(self._failed_once.clear)

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("matrix", __name__, url_prefix="/_matrix")
        room = "/client/v3/rooms/<room>"
        routes.add_url_rule(f"{room}/send/m.room.message/<txn>", "send", self.send, methods=["PUT"])
        routes.add_url_rule(f"{room}/redact/<event>/<txn>", "redact", self.redact, methods=["PUT"])
        routes.add_url_rule(f"{room}/join", "join", self.join, methods=["POST"])
        routes.add_url_rule(f"{room}/leave", "leave", self.leave, methods=["POST"])
        routes.add_url_rule("/media/v3/upload", "upload", self.upload, methods=["POST"])
        return routes

    def send(self, room: str, txn: str) -> Response:
        """Take one message; the same transaction again gives the same event."""
        account = self._account()
        if account is None:
            return _error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
        known = self._sent.get((account.address, room, txn))
        if known is not None:
            return json_response({"event_id": known})
        refused = self._refusal(room, request.get_json(silent=True))
        if refused is not None:
            return refused
        body = request.get_json()
        medium = self._shelf.named(str(body.get("url", "")).removeprefix(f"mxc://{DOMAIN}/"))
        if body.get("msgtype") != "m.text" and medium is None:
            return _error(400, "M_BAD_JSON", "There is no such file here.")
        event_id, user = f"$ours-{next(self._ids)}", "@" + room[1:]
        if (old := _within(body, "m.relates_to", "event_id")) and (
            words := _within(body, "m.new_content", "body")
        ):
            fate = self._chats.change(account, user, old, words, looks=of_matrix(body["m.new_content"]))
        else:
            fate = self._chats.deliver(
                account, user, body["body"], medium, name=event_id, looks=of_matrix(body)
            )
        if fate in ("no_chat", "blocked"):
            return _outside(account, room)
        return self._noted(account, room, txn, event_id)

    def redact(self, room: str, event: str, txn: str) -> Response:
        """Take a message away; the same transaction again gives the same event."""
        account = self._account()
        if account is None:
            return _error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
        known = self._sent.get((account.address, room, txn))
        if known is not None:
            return json_response({"event_id": known})
        if (refused := self._magic(room)) is not None:
            return refused
        fate = self._chats.change(account, "@" + room[1:], event, None)
        if fate in ("no_chat", "blocked"):
            return _outside(account, room)
        if fate == "missing":
            return _error(404, "M_NOT_FOUND", "Could not find event")
        return self._noted(account, room, txn, f"$ours-{next(self._ids)}")

    def _noted(self, account: Account, room: str, txn: str, event_id: str) -> Response:
        self._sent[account.address, room, txn] = event_id
        return json_response({"event_id": event_id})

    def upload(self) -> Response:
        """Keep a file for good."""
        if self._account() is None:
            return _error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
        id_ = self._shelf.take(request.get_data(), request.content_type or "application/octet-stream")
        return json_response({"content_uri": f"mxc://{DOMAIN}/{id_}"})

    def join(self, room: str) -> Response:
        """Accept an invitation."""
        account = self._account()
        if account is None:
            return _error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
        if not self._rooms.join(room):
            return _error(403, "M_FORBIDDEN", "You are not invited to this room.")
        return json_response({"room_id": room})

    def leave(self, room: str) -> Response:
        """Go out of a room, or decline an invitation."""
        if self._account() is None:
            return _error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
        self._rooms.leave(room)
        return json_response({})

    def _account(self) -> Account | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return next(
            (one for one in self._chats.all() if token and one.settings.get("as_token") == token), None
        )

    def _refusal(self, room: str, body: object) -> Response | None:
        if not isinstance(body, dict) or not isinstance(body.get("body"), str):
            return _error(400, "M_BAD_JSON", "The body of the message is missing.")
        if len(json.dumps(body, ensure_ascii=False).encode()) > MAX_EVENT:
            return _error(413, "M_TOO_LARGE", "event too large")
        return self._magic(room)

    def _magic(self, room: str) -> Response | None:
        ending = room.partition(":")[0][-4:]
        if ending == "0404":
            return _error(404, "M_NOT_FOUND", "Unknown room")
        if ending == "0403" or not self._rooms.is_inside(room):
            return _error(403, "M_FORBIDDEN", f"You are not in room {room}")
        if ending in ("0429", "0500") and room not in self._failed_once:
            self._failed_once.add(room)
            if ending == "0500":
                return _error(500, "M_UNKNOWN", "Internal server error")
            return _error(429, "M_LIMIT_EXCEEDED", "Too Many Requests", retry_after_ms=2000)
        return None


def _within(body: Mapping[str, Any], field: str, name: str) -> str:
    found = body.get(field)
    text = found.get(name) if isinstance(found, dict) else ""
    return text if isinstance(text, str) else ""


def _outside(account: Account, room: str) -> Response:
    return _error(403, "M_FORBIDDEN", f"User {account.address} not in room {room}")


def _error(status: int, code: str, words: str, **more: int) -> Response:
    return json_response({"errcode": code, "error": words, **more}, status)
