"""A push service and the browsers behind it: notifications on the phones, turned on by our own page.

After RFC 8030 and w3.org/TR/push-api. A phone that says START opens the page of the list (`page` in the account's
settings) and presses its button, as a person does; everything else goes the way of the script that the page leaves
in a browser. Ids that end in 0403, 0404, 0429 or 0500 misbehave as phone numbers do.
"""

import html
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urljoin

from flask import Blueprint, Response, request

from app.simulator.chats import Chats
from app.simulator.keys import Key, Keys
from app.simulator.later import Later
from app.simulator.magic import OneTimeFaults, ending_of
from app.simulator.medium import Medium
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.push_browser import SERVICE, Browser, CannotRead
from app.simulator.shelf import CannotFetch, Shelf
from app.simulator.wire import CannotDeliver, Wire

MAX_BODY: Final = 4096
STOP: Final = "STOP"
_OF_PAGE: Final = re.compile(r'data-(join|shown|token)="([^"]*)"')
_JSON: Final = {"Content-Type": "application/json"}
_GONE: Final = {"0404": 404, "0403": 410}


class PushMessenger(Messenger):
    """What the script of our page does in a browser; the account's address is the sender's public key."""

    channel = "webpush"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        # Who we are to the server, by account and phone: `to` and `proof`.
        self._standing: dict[tuple[str, str], Mapping[str, Any]] = {}

    def id_of(self, number: str) -> str:
        """The end of a browser's endpoint: the phone's digits."""
        return number.removeprefix("+")

    def opened(self, account: Account, number: str, scene: str, known: bool) -> None:
        """To look at the page tells nobody anything."""

    def said(self, account: Account, number: str, text: str) -> Told | None:
        """START presses the button of the page; other words go as those of an action below a notification.

        Raises `CannotDeliver` when the page is not there.
        """
        if text.strip().upper() == "START":
            return self._turn_on(account, number)
        return self._tell(account, number, text=text)

    def pressed(self, account: Account, number: str, label: str, value: str) -> Told | None:
        """An action below a notification."""
        return self._tell(account, number, text=label, **({} if value == STOP else {"payload": value}))

    def blocked(self, account: Account, number: str, blocked: bool) -> None:
        """Whoever takes the permission back tells nobody; the next message finds the subscription gone."""

    def shown(self, line: Mapping[str, Any]) -> Told:
        """The script says that it showed a message."""
        told = {"to": line.get("to"), "ref": line.get("ref"), "event": "delivered"}
        return Told(json.dumps(told).encode(), {**_JSON, "X-Tidings-Proof": str(line.get("proof"))})

    def _turn_on(self, account: Account, number: str) -> Told:
        address = account.settings.get("page", "")
        page = self._wire.fetch(address)
        found = {name: html.unescape(value) for name, value in _OF_PAGE.findall(page.body.decode())}
        if page.status != 200 or len(found) < 3:
            raise CannotDeliver(f"{address}: HTTP {page.status}, and no button for notifications")
        browser = Browser(account.address, self.id_of(number))
        press = {"id": secrets.token_hex(16), "shown": found["shown"], "subscription": browser.subscription}
        headers = {**_JSON, "X-CSRFToken": found["token"], "Cookie": page.cookies}
        body = json.dumps(press).encode()

        def keep(answer: bytes) -> str:
            self._standing[account.address, number] = json.loads(answer)
            return ""

        return Told(body, headers, url=urljoin(address, found["join"]), shown=keep)

    def _tell(self, account: Account, number: str, **what: str) -> Told | None:
        """A message of the person's; None where notifications were never on."""
        standing = self._standing.get((account.address, number)) or self._asked(account, number)
        if "to" not in standing:
            return None
        told = {"to": standing["to"], "ref": "", "event": "message", "id": secrets.token_hex(16), **what}
        return Told(json.dumps(told).encode(), {**_JSON, "X-Tidings-Proof": str(standing["proof"])})

    def _asked(self, account: Account, number: str) -> Mapping[str, Any]:
        """Ask the page who we are, as its script does when it is opened again."""
        browser = Browser(account.address, self.id_of(number))
        body = json.dumps({"endpoint": browser.endpoint, "auth": browser.auth}).encode()
        answer = self._wire.send(f"{account.settings.get('page', '')}/state", body, _JSON)
        found = json.loads(answer.body) if answer.taken else {}
        return found if isinstance(found, dict) else {}


class PushApi:
    """`POST /push-service/<public key>/<id>`; `later` runs what browsers tell after the answer."""

    def __init__(self, chats: Chats, messenger: PushMessenger, later: Later, shelf: Shelf) -> None:
        self._chats, self._messenger, self._later, self._shelf = chats, messenger, later, shelf
        self._faults = OneTimeFaults(chats.on_reset)

    def blueprint(self) -> Blueprint:
        """Return the route."""
        routes = Blueprint("push_service", __name__)
        routes.add_url_rule("/push-service/<address>/<user_id>", "push", self.push, methods=["POST"])
        return routes

    def push(self, address: str, user_id: str) -> Response:
        """Take one message for a browser; 201 with its address, or what a push service refuses."""
        if refusal := self._refusal(address, user_id):
            return Response("refused\n", refusal, {"Retry-After": "2"} if refusal == 429 else {})
        try:
            line, text = Browser(address, user_id).read(request.get_data())
        except CannotRead as error:  # a real service cannot know
            return Response(f"{error}\n", 400)
        account = self._chats.accounts[address]
        if self._chats.deliver(account, user_id, text, self._picture(line), _keys(line)) != "deliver":
            return Response("gone\n", 410)
        self._later(lambda: self._chats.report(account, self._messenger.shown(line)))
        return Response("", 201, {"Location": f"{SERVICE}/m/{secrets.token_urlsafe(12)}"})

    def _refusal(self, address: str, user_id: str) -> int:
        """Return the status with which a service refuses, 0 for none (RFC 8030 and 8292, section 4)."""
        account = self._chats.accounts.get(address)
        if account is None or account.channel != PushMessenger.channel:
            return 404
        if f"k={address}" not in request.headers.get("Authorization", ""):
            return 403
        if request.headers.get("Content-Encoding") != "aes128gcm" or not request.headers.get("TTL"):
            return 400
        if len(request.get_data()) > MAX_BODY:
            return 413
        if ending := self._faults.take(user_id):
            return 429 if ending == "0429" else 500
        return _GONE.get(ending_of(user_id), 0)

    def _picture(self, line: Mapping[str, Any]) -> Medium | None:
        """A picture that cannot be fetched is left out, as browsers do."""
        try:
            return self._shelf.fetch(str(line["image"])) if "image" in line else None
        except CannotFetch:
            return None


def _keys(line: Mapping[str, Any]) -> Keys:
    """The actions below a notification; our script adds STOP to each."""
    given = line.get("buttons", ())
    return (*(Key(label, value, kind == "link") for kind, label, value in given), Key(STOP, STOP))
