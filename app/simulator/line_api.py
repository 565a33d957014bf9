"""LINE's Messaging API as far as accounts that send news need it: push, multicast, reply, retry keys, both limits.

After github.com/line/line-openapi and developers.line.biz. People who blocked an account are answered 200 and shown
nothing. Ids that end in 0403, 0404, 0429 or 0500 misbehave as phone numbers do.
"""

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from app.clock import utcnow
from app.simulator.chats import Chats
from app.simulator.keys import Keys, of_line
from app.simulator.limits import TokenBuckets
from app.simulator.line_messenger import LineMessenger
from app.simulator.magic import OneTimeFaults, ending_of
from app.simulator.medium import Medium
from app.simulator.messengers import Account
from app.simulator.shelf import CannotFetch, Shelf
from app.simulator.twilio_json import json_response

MOST: Final = 500
MAX_TEXT: Final = 5000
MAX_ALT: Final = 1500
MAX_BUBBLE: Final = 30 * 1024
PER_SECOND: Final = {"push": 2000.0, "multicast": 200.0, "reply": 2000.0, "quota": 2000.0}
RATE_LIMIT: Final = "The API rate limit has been exceeded. Try again later."
MONTHLY_LIMIT: Final = "You have reached your monthly limit."
_USER: Final = re.compile(r"U[0-9a-f]{32}")
Said = tuple[str, Medium | None, Keys]
_CALENDAR: Final = ZoneInfo("Asia/Tokyo")


class Refusal(Exception):
    """LINE says no; `where` is the property at fault."""

    def __init__(self, status: int, words: str, where: str = "", accepted: str = "") -> None:
        super().__init__(words)
        details = {"details": [{"message": words, "property": where}]} if where else {}
        self.status, self.body, self.accepted = status, {"message": words, **details}, accepted


Messages = list[Said]
"""Words and files, in their order."""
_FILES: Final = {
    "image": ("originalContentUrl", "previewImageUrl"),
    "video": ("originalContentUrl", "previewImageUrl"),
    "audio": ("originalContentUrl", "duration"),
}


class LineApi:
    """`/v2/bot/message/...`. An account whose settings have `monthly_limit` may send so many messages a month."""

    def __init__(
        self,
        chats: Chats,
        messenger: LineMessenger,
        shelf: Shelf,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._chats, self._messenger, self._shelf, self._clock = chats, messenger, shelf, clock
        self._buckets, self._faults = TokenBuckets(), OneTimeFaults(chats.on_reset)
        self._taken: dict[tuple[str, str], str] = {}
        self._sent: Counter[tuple[str, str]] = Counter()

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("line", __name__, url_prefix="/v2/bot/message")
        for view in (self.push, self.multicast, self.reply):
            routes.add_url_rule(f"/{view.__name__}", view.__name__, view, methods=["POST"])
        routes.add_url_rule("/quota", "quota", self.quota)
        routes.add_url_rule("/quota/consumption", "consumption", self.consumption)
        routes.register_error_handler(Refusal, refused)
        return routes

    def push(self) -> Response:
        """Messages for one person; an id that the account never met is refused."""
        account, body = self._account("push"), _body()
        to = body.get("to")
        if not isinstance(to, str) or not _USER.fullmatch(to):
            raise Refusal(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
        return self._once(account, [to], self._messages(body), pushed=True)

    def multicast(self) -> Response:
        """The same messages for up to 500 people; whoever cannot be reached is passed over in silence."""
        account, body = self._account("multicast"), _body()
        to = body.get("to")
        if not isinstance(to, list) or not all(_USER.fullmatch(str(one)) for one in to):
            raise Refusal(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
        if not 1 <= len(to) <= MOST:
            raise Refusal(400, f"Size must be between 1 and {MOST}", "to")
        return self._once(account, to, self._messages(body))

    def reply(self) -> Response:
        """An answer to one event, within a minute and once; free of the quota."""
        account, body = self._account("reply"), _body()
        if "X-Line-Retry-Key" in request.headers:
            raise Refusal(400, "The retry key is not supported on this endpoint")
        messages = self._messages(body)
        user = self._messenger.take_token(account, str(body.get("replyToken")))
        if user is None:
            raise Refusal(400, "Invalid reply token")
        return self._deliver(account, [user], messages, secrets.token_hex(16))

    def quota(self) -> Response:
        """How many messages the plan has in a month; without a limit there is no value."""
        limit = self._account("quota").settings.get("monthly_limit")
        return json_response({"type": "limited", "value": int(limit)} if limit else {"type": "none"})

    def consumption(self) -> Response:
        """How many of them went out."""
        return json_response({"totalUsage": self._sent[self._account("quota").address, self._month()]})

    def _once(self, account: Account, to: list[str], messages: Messages, pushed: bool = False) -> Response:
        key = request.headers.get("X-Line-Retry-Key", "")
        if known := self._taken.get((account.address, key)):
            raise Refusal(409, "The retry key is already accepted", accepted=known)
        self._misbehave(to)
        if pushed and (self._chats.number_of(account, to[0]) is None or ending_of(to[0]) == "0404"):
            raise Refusal(400, "Failed to send messages")
        self._count(account, len(to))
        request_id = secrets.token_hex(16)
        if key:
            self._taken[account.address, _checked(key)] = request_id
        return self._deliver(account, to, messages, request_id)

    def _deliver(self, account: Account, to: list[str], messages: Messages, request_id: str) -> Response:
        for user in to:
            for text, medium, keys in messages if ending_of(user) not in ("0403", "0404") else ():
                self._chats.deliver(account, user, text, medium, keys)
        sent = [{"id": str(number), "quoteToken": "q"} for number, _ in enumerate(messages)]
        response = json_response({"sentMessages": sent} if request.path.endswith(("push", "reply")) else {})
        response.headers["X-Line-Request-Id"] = request_id
        return response

    def _messages(self, body: dict[str, Any]) -> Messages:
        """Read up to five message objects: words, and files behind links."""
        found = body.get("messages")
        if not isinstance(found, list) or not 1 <= len(found) <= 5:
            raise Refusal(400, "Size must be between 1 and 5", "messages")
        return [self._message(one, number) for number, one in enumerate(found)]

    def _message(self, one: object, number: int) -> Said:
        if isinstance(one, dict) and one.get("type") == "flex":
            return self._card(one, number)
        if not isinstance(one, dict) or one.get("type") not in _FILES:
            text = _text(one, number)
            return text, None, of_line(one) if isinstance(one, dict) else ()
        for field in _FILES[one["type"]]:
            if not one.get(field):
                raise Refusal(400, "May not be empty", f"messages[{number}].{field}")
        try:
            return "", self._shelf.fetch(str(one["originalContentUrl"])), of_line(one)
        except CannotFetch as error:  # LINE itself takes the message, and people see nothing
            raise Refusal(400, str(error), f"messages[{number}].originalContentUrl") from error

    def _card(self, one: dict[str, Any], number: int) -> Said:
        """Read a bubble as ours are: a picture above, words, buttons below."""
        try:
            bubble, text = one["contents"], str(one["contents"]["body"]["contents"][0]["text"])
            picture = str(bubble["hero"]["url"])
        except (KeyError, IndexError, TypeError) as error:
            raise Refusal(400, "invalid property", f"messages[{number}].contents") from error
        if not 1 <= len(str(one.get("altText", ""))) <= MAX_ALT:
            raise Refusal(400, f"Length must be between 1 and {MAX_ALT}", f"messages[{number}].altText")
        if len(json.dumps(bubble)) > MAX_BUBBLE:
            raise Refusal(400, "the bubble is too large", f"messages[{number}].contents")
        try:
            return text, self._shelf.fetch(picture), of_line(one)
        except CannotFetch as error:
            raise Refusal(400, str(error), f"messages[{number}].contents.hero.url") from error

    def _count(self, account: Account, people: int) -> None:
        """A month's quota counts people; Japan's calendar says which month it is."""
        limit, month = account.settings.get("monthly_limit"), self._month()
        if limit and self._sent[account.address, month] + people > int(limit):
            raise Refusal(429, MONTHLY_LIMIT)
        self._sent[account.address, month] += people

    def _month(self) -> str:
        return f"{self._clock().astimezone(_CALENDAR):%Y-%m}"

    def _misbehave(self, to: list[str]) -> None:
        for ending in filter(None, map(self._faults.take, to)):
            raise Refusal(500, "Internal server error") if ending == "0500" else Refusal(429, RATE_LIMIT)

    def _account(self, kind: str) -> Account:
        account = account_asking(self._chats)
        if self._buckets.take(f"{account.address} {kind}", PER_SECOND[kind], self._clock().timestamp()):
            raise Refusal(429, RATE_LIMIT)
        return account


def account_asking(chats: Chats) -> Account:
    """Return the account whose token came with a request; raises `Refusal`."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    account = chats.find("line", "channel_token", token)
    if account is None:
        raise Refusal(401, "Authentication failed. Confirm that the access token is valid.")
    return account


def refused(error: Refusal) -> Response:
    """Answer as LINE says no."""
    response = json_response(error.body, error.status)
    response.headers["X-Line-Request-Id"] = secrets.token_hex(16)
    if error.accepted:
        response.headers["X-Line-Accepted-Request-Id"] = error.accepted
    return response


def _checked(key: str) -> str:
    try:
        UUID(key)
    except ValueError as error:
        raise Refusal(400, "Invalid retry key") from error
    return key


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refusal(400, "The request body could not be parsed as JSON")
    return body


def _text(one: object, number: int) -> str:
    text = one.get("text") if isinstance(one, dict) and one.get("type") == "text" else None
    if not isinstance(text, str) or not 1 <= len(text.encode("utf-16-le")) // 2 <= MAX_TEXT:
        raise Refusal(400, f"Length must be between 1 and {MAX_TEXT}", f"messages[{number}].text")
    return text
