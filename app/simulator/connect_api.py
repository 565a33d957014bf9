"""Where each provider is told our webhook's address, and asked for it again; and Meta's words on a number's standing.

What is set holds: the next webhook goes there. As on the platforms, an address that does not answer is not taken.
"""

import base64
import hmac
import json
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from app.simulator.chats import Chats
from app.simulator.messengers import Account, BadAccount
from app.simulator.twilio_json import json_response
from app.simulator.viber_api import ViberMessenger
from app.simulator.wire import Answer, CannotDeliver, Wire


class Refusal(Exception):
    """A platform says no in its own words."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class ConnectApi:
    """Telegram, LINE, Viber and Meta; for Twilio see `app.simulator.twilio_connect`."""

    def __init__(self, chats: Chats, wire: Wire, viber: ViberMessenger) -> None:
        self._chats, self._wire, self._viber = chats, wire, viber
        self._fields: dict[str, list[str]] = {}

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("connect", __name__)
        hook, number = "/v2/bot/channel/webhook", "/v<int:version>.0/<node>"
        for rule, view, methods in (
            ("/bot<token>/setWebhook", self.set_telegram, ["POST"]),
            ("/bot<token>/getWebhookInfo", self.get_telegram, ["GET", "POST"]),
            (f"{hook}/endpoint", self.line_endpoint, ["GET", "PUT"]),
            (f"{hook}/test", self.line_test, ["POST"]),
            ("/pa/set_webhook", self.set_viber, ["POST"]),
            ("/pa/get_account_info", self.get_viber, ["POST"]),
            (number, self.meta_number, ["GET", "POST"]),
            (f"{number}/subscribed_apps", self.meta_page, ["GET", "POST"]),
        ):
            routes.add_url_rule(rule, view.__name__, view, methods=methods)
        routes.register_error_handler(Refusal, lambda error: json_response(error.body, error.status))
        return routes

    def set_telegram(self, token: str) -> Response:
        """Take the address and the secret; nobody is called."""
        account, body = self._telegram(token), _body()
        refused = {"ok": False, "error_code": 400, "description": "Bad Request: bad webhook"}
        secret = {"secret": str(body.get("secret_token", ""))}
        self._point(account, str(body.get("url", "")), Refusal(400, refused), secret)
        return json_response({"ok": True, "result": True, "description": "Webhook was set"})

    def get_telegram(self, token: str) -> Response:
        """Say which address it is."""
        found = {"url": self._telegram(token).webhook_url, "pending_update_count": 0}
        return json_response({"ok": True, "result": found})

    def line_endpoint(self) -> Response:
        """Take or tell the address; it is switched on, which people do by hand at LINE."""
        account = self._line()
        if request.method == "GET":
            return json_response({"endpoint": account.webhook_url, "active": True})
        refused = Refusal(400, {"message": "Invalid webhook endpoint URL"})
        self._point(account, str(_body().get("endpoint", "")), refused)
        return json_response({})

    def line_test(self) -> Response:
        """Post no events to the address, signed, and say what came back."""
        account, raw = self._line(), b'{"destination":"U0","events":[]}'
        word = hmac.digest(account.settings.get("channel_secret", "").encode(), raw, "sha256")
        signed = {"X-Line-Signature": base64.b64encode(word).decode(), "Content-Type": "application/json"}
        answer = self._call(str(_body().get("endpoint") or account.webhook_url), raw, signed)
        found = {"success": answer.taken, "statusCode": answer.status}
        words = {"reason": "OK" if answer.taken else "ERROR_STATUS_CODE", "detail": str(answer.status)}
        return json_response({**found, **words})

    def set_viber(self) -> Response:
        """Post the event `webhook`, signed, and take the address when that is answered."""
        account, url = self._bot(), str(_body().get("url", ""))
        told = self._viber.event(account, "webhook")
        no = Refusal(200, {"status": 1, "status_message": "Invalid Url"})
        if not self._call(url, told.body, told.headers).taken:
            raise no
        self._point(account, url, no)
        return json_response(
            {"status": 0, "status_message": "ok", "event_types": _body().get("event_types", [])}
        )

    def get_viber(self) -> Response:
        """Say which address it is."""
        account = self._bot()
        return json_response({"status": 0, "status_message": "ok", "webhook": account.webhook_url})

    def meta_number(self, version: int, node: str) -> Response:
        """Tell of a WhatsApp number, or give it an address of its own once that knows the verify token.

        Its tier is the account's setting `tier`.
        """
        account = self._meta("whatsapp", "phone_number_id", node)
        if request.method == "GET":
            hook = {"phone_number": account.webhook_url}
            known = {
                "webhook_configuration": hook,
                "messaging_limit_tier": account.settings.get("tier") or "TIER_1K",
                "quality_rating": account.settings.get("quality") or "GREEN",
            }
            asked = request.args.get("fields", "").split(",")
            return json_response({"id": node, **{name: known[name] for name in asked if name in known}})
        wanted = _body().get("webhook_configuration") or {}
        url, word = str(wanted.get("override_callback_uri", "")), secrets.token_hex(8)
        asked_for = {"hub.mode": "subscribe", "hub.verify_token": str(wanted.get("verify_token", ""))}
        query = urlencode({**asked_for, "hub.challenge": word})
        answer = self._call(f"{url}?{query}", b"", {}, "GET")
        if not answer.taken or answer.body.decode(errors="replace").strip() != word:
            raise _of_meta(2201, "Callback verification failed")
        self._point(account, url, _of_meta(100, "Invalid callback"))
        return json_response({"success": True})

    def meta_page(self, version: int, node: str) -> Response:
        """Take or tell what the app hears of at a page."""
        self._meta("messenger", "page_id", node)
        if request.method == "POST":
            self._fields[node] = str(_body().get("subscribed_fields", "")).split(",")
            return json_response({"success": True})
        app = {"id": "1", "name": "Tidings", "subscribed_fields": self._fields.get(node, [])}
        return json_response({"data": [app]})

    def _telegram(self, token: str) -> Account:
        refused = {"ok": False, "error_code": 401, "description": "Unauthorized"}
        return self._known("telegram", "token", token, Refusal(401, refused))

    def _line(self) -> Account:
        no = Refusal(401, {"message": "Authentication failed. Confirm that the access token is valid."})
        return self._known("line", "channel_token", _bearer(), no)

    def _bot(self) -> Account:
        no = Refusal(200, {"status": 2, "status_message": "invalidAuthToken"})
        return self._known("viber", "token", request.headers.get("X-Viber-Auth-Token", ""), no)

    def _meta(self, channel: str, setting: str, node: str) -> Account:
        account = self._known(
            channel, setting, node, _of_meta(100, f"Object with ID '{node}' does not exist")
        )
        if _bearer() != account.settings.get("token"):
            raise _of_meta(190, "Invalid OAuth access token", 401)
        return account

    def _known(self, channel: str, setting: str, value: str, otherwise: Refusal) -> Account:
        account = self._chats.find(channel, setting, value)
        if account is None:
            raise otherwise
        return account

    def _point(
        self, account: Account, url: str, otherwise: Refusal, settings: dict[str, str] | None = None
    ) -> None:
        try:
            self._chats.put(
                replace(account, webhook_url=url, settings={**account.settings, **(settings or {})})
            )
        except BadAccount:
            raise otherwise from None

    def _call(self, url: str, body: bytes, headers: Any, method: str = "POST") -> Answer:
        try:
            return self._wire.send(url, body, headers, method)
        except CannotDeliver:
            return Answer(0, b"")


def _of_meta(code: int, words: str, status: int = 400) -> Refusal:
    error = {"message": f"(#{code}) {words}", "type": "OAuthException", "code": code}
    return Refusal(status, {"error": error})


def _bearer() -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _body() -> dict[str, Any]:
    try:
        found = json.loads(request.get_data())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
