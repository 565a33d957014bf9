"""Viber's bot API as far as bots that send news need it: single messages, broadcasts, subscriptions, deliveries.

After creators.viber.com/docs/bots-api. Everything is HTTP 200 with a `status`, refusals too. Ids whose digits end in
0403, 0404, 0429 or 0500 misbehave as phone numbers do.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Any, Final

from flask import Blueprint, Response, request

from app.clock import utcnow
from app.simulator.chats import Chats
from app.simulator.keys import Keys, of_viber
from app.simulator.later import Later
from app.simulator.limits import TokenBuckets
from app.simulator.magic import OneTimeFaults, ending_of
from app.simulator.medium import Medium
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.shelf import CannotFetch, Shelf
from app.simulator.twilio_json import json_response

MOST: Final = 300
MAX_TEXT: Final = 7000
MAX_BELOW: Final = 512
BROADCASTS_PER_SECOND: Final = 50.0
_WORDS: Final = {
    0: "ok",
    1: "generalError",
    2: "invalidAuthToken",
    3: "badData",
    5: "receiverNotRegistered",
    6: "receiverNotSubscribed",
    12: "tooManyRequests",
}


class Refusal(Exception):
    """Viber says no, with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(_WORDS[status])
        self.status = status


class ViberMessenger(Messenger):
    """What a bot's webhook is told. The tracking data of the last message to a person comes back with their words."""

    channel = "viber"

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock
        # Over restarts they count up, or the product would take new events for repeats.
        self._tokens = count(int(clock().timestamp() * 1000))
        self.tracking: dict[tuple[str, str], str] = {}

    def new_token(self) -> int:
        """Return what names the next message or event."""
        return next(self._tokens)

    def id_of(self, number: str) -> str:
        """A person's id for this bot: 24 signs, the last of its digits the phone's."""
        return f"{number.removeprefix('+'):0>22}=="

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told:
        """Somebody opens the conversation, which subscribes nobody; the bot may answer with one welcome."""
        user = self.id_of(number)
        told = self.event(
            account, "conversation_started", type="open", context=scene, subscribed=known, user={"id": user}
        )

        def welcome(answer: bytes) -> str:
            message = _json(answer)
            self.tracking[account.address, user] = str(message.get("tracking_data", ""))
            return str(message.get("text", ""))

        return Told(told.body, told.headers, shown=welcome)

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text; the first one subscribes."""
        user = self.id_of(number)
        tracking = self.tracking.get((account.address, user), "")
        message = {"type": "text", "text": text, "tracking_data": tracking}
        return self.event(account, "message", sender={"id": user, "name": "Somebody"}, message=message)

    def blocked(self, account: Account, number: str, blocked: bool) -> Told:
        """People unsubscribe, or subscribe anew."""
        user = self.id_of(number)
        if blocked:
            return self.event(account, "unsubscribed", user_id=user)
        return self.event(account, "subscribed", user={"id": user, "name": "Somebody"})

    def event(self, account: Account, kind: str, **more: object) -> Told:
        """An event, signed with the bot's token."""
        now = int(self._clock().timestamp() * 1000)
        found = {"event": kind, "timestamp": now, "message_token": self.new_token(), **more}
        body = json.dumps(found).encode()
        token = account.settings.get("token", "").encode()
        signature = hmac.new(token, body, hashlib.sha256).hexdigest()
        return Told(body, {"Content-Type": "application/json", "X-Viber-Content-Signature": signature})


class ViberApi:
    """`/pa/send_message` and `/pa/broadcast_message`; `later` runs what is told after the answer."""

    def __init__(
        self,
        chats: Chats,
        messenger: ViberMessenger,
        later: Later,
        shelf: Shelf,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._chats, self._messenger, self._later, self._clock = chats, messenger, later, clock
        self._shelf = shelf
        self._buckets, self._faults = TokenBuckets(), OneTimeFaults(chats.on_reset)

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("viber", __name__, url_prefix="/pa")
        for view in (self.send_message, self.broadcast_message):
            routes.add_url_rule(f"/{view.__name__}", view.__name__, view, methods=["POST"])
        routes.register_error_handler(Refusal, lambda error: json_response(_answer(error.status)))
        return routes

    def send_message(self) -> Response:
        """One message to one person."""
        account, body = self._account(), _body()
        user, text, medium = body.get("receiver"), _text(body), self._file(body)
        if not isinstance(user, str) or not user:
            raise Refusal(3)
        if status := self._deliver(account, user, text, medium, of_viber(body)):
            raise Refusal(status)
        self._messenger.tracking[account.address, user] = str(body.get("tracking_data", ""))
        return self._taken(account, [user], [])

    def broadcast_message(self) -> Response:
        """One text to up to 300 people; the answer names those whom it did not reach."""
        account, body = self._account(), _body()
        people, text, medium = body.get("broadcast_list"), _text(body), self._file(body)
        if not isinstance(people, list) or not 1 <= len(people) <= MOST:
            raise Refusal(3)
        if self._buckets.take(account.address, BROADCASTS_PER_SECOND, self._clock().timestamp()):
            raise Refusal(12)
        keys = of_viber(body)
        ended = {str(user): self._deliver(account, str(user), text, medium, keys) for user in people}
        failed = [
            {"receiver": user, "status": status, "status_message": _WORDS[status]}
            for user, status in ended.items()
            if status
        ]
        return self._taken(account, [user for user, status in ended.items() if not status], failed)

    def _taken(self, account: Account, reached: Sequence[str], failed: Sequence[object]) -> Response:
        token = self._messenger.new_token()
        told = [
            self._messenger.event(account, "delivered", message_token=token, user_id=user) for user in reached
        ]
        for one in told:
            self._later(lambda one=one: self._chats.report(account, one))  # type: ignore[misc]
        return json_response(_answer(0) | {"message_token": token, "failed_list": failed})

    def _file(self, body: dict[str, Any]) -> Medium | None:
        """Return the picture of a message that has one; its address ends like a picture's."""
        url = str(body.get("media", ""))
        if body.get("type") != "picture":
            return None
        if not url.endswith((".jpg", ".jpeg", ".png")):
            raise Refusal(3)
        try:
            return self._shelf.fetch(url)
        except CannotFetch as error:
            raise Refusal(3) from error

    def _deliver(self, account: Account, user: str, text: str, medium: Medium | None, keys: Keys) -> int:
        """Show it on the phone; returns the status."""
        if ending := self._faults.take(user):
            return 12 if ending == "0429" else 1
        if ending_of(user) in ("0403", "0404"):
            return 6 if ending_of(user) == "0403" else 5
        if not self._chats.wrote_within(account, user):
            return 6
        return 0 if self._chats.deliver(account, user, text, medium, keys) == "deliver" else 6

    def _account(self) -> Account:
        account = self._chats.find("viber", "token", request.headers.get("X-Viber-Auth-Token", ""))
        if account is None:
            raise Refusal(2)
        return account


def _answer(status: int) -> dict[str, object]:
    return {"status": status, "status_message": _WORDS[status]}


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refusal(3)
    return body


def _text(body: dict[str, Any]) -> str:
    sender, text = body.get("sender"), body.get("text")
    if not isinstance(sender, dict) or not 1 <= len(str(sender.get("name", ""))) <= 28:
        raise Refusal(3)
    most = {"text": MAX_TEXT, "picture": MAX_BELOW}.get(str(body.get("type")), 0)
    if not isinstance(text, str) or not 1 <= len(text) <= most:
        raise Refusal(3)
    return text


def _json(answer: bytes) -> dict[str, Any]:
    try:
        found = json.loads(answer or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
