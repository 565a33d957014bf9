"""Meta's Graph API as far as WhatsApp and Messenger share it: whose token and account, errors, and signed webhooks.

After developers.facebook.com. The two differ in what a message is (`whatsapp_api`, `messenger_api`).
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request

from app.simulator.chats import Chats
from app.simulator.messengers import Account, Told
from app.simulator.shelf import Shelf
from app.simulator.twilio_json import json_response

WINDOW: Final = timedelta(hours=24)
"""How long after a person's words free text may go to them."""


class Refusal(Exception):
    """Meta says no, with a code and perhaps a subcode."""

    def __init__(self, code: int, words: str, status: int = 400, subcode: int | None = None) -> None:
        super().__init__(words)
        self.status = status
        error: dict[str, object] = {"message": f"(#{code}) {words}", "type": "OAuthException", "code": code}
        if subcode is not None:
            error["error_subcode"] = subcode
        self.body = {"error": {**error, "fbtrace_id": "simulated"}}


class Product(Protocol):
    """One of Meta's messengers. `node` is the setting that names an account in the address."""

    channel: str
    node: str

    def send(self, account: Account, body: dict[str, Any]) -> dict[str, object]:
        """Take one message; returns the answer. Raises `Refusal`."""


class GraphApi:
    """`/v<version>/<id of the account>/messages`, and `/media` for files."""

    def __init__(self, chats: Chats, products: Sequence[Product], shelf: Shelf) -> None:
        self._chats, self._products, self._shelf = chats, products, shelf

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("meta", __name__)
        routes.add_url_rule("/v<int:version>.0/<node>/messages", "send", self.send, methods=["POST"])
        routes.add_url_rule("/v<int:version>.0/", "batch", self.batch, methods=["POST"])
        routes.add_url_rule(
            "/v<int:version>.0/<node>/message_attachments", "attach", self.attach, methods=["POST"]
        )
        routes.add_url_rule("/v<int:version>.0/<node>/media", "upload", self.upload, methods=["POST"])
        routes.register_error_handler(Refusal, lambda error: json_response(error.body, error.status))
        return routes

    def send(self, version: int, node: str) -> Response:
        """Take one message, as JSON."""
        product, account = self._account(node)
        return json_response(product.send(account, _body()))

    def upload(self, version: int, node: str) -> Response:
        """Keep a file, which a form brings."""
        self._account(node)
        file = request.files.get("file")
        if file is None or request.form.get("messaging_product") != "whatsapp":
            raise Refusal(100, "The parameters file and messaging_product are required.")
        return json_response({"id": self._shelf.take(file.stream.read(), request.form.get("type", ""))})

    def attach(self, version: int, node: str) -> Response:
        """Keep a file for many messages on Messenger."""
        self._account(node)
        file = request.files.get("filedata")
        if file is None or "is_reusable" not in request.form.get("message", ""):
            raise Refusal(100, "The parameters filedata and message are required.")
        return json_response({"attachment_id": self._shelf.take(file.stream.read(), file.mimetype)})

    def batch(self, version: int) -> Response:
        """Take several requests in one; one that depends on another goes only when that was taken."""
        answers: list[dict[str, object] | None] = []
        names: dict[str, bool] = {}
        for step in json.loads(request.form.get("batch", "[]")):
            if not names.get(step.get("depends_on"), "depends_on" not in step):
                answers.append(None)
                continue
            answers.append(self._step(step))
            names[step.get("name", "")] = answers[-1] is not None and answers[-1]["code"] == 200
        return json_response(answers)

    def _step(self, step: dict[str, Any]) -> dict[str, object]:
        form = dict(parse_qsl(step["body"]))
        body = {name: json.loads(value) if value.startswith("{") else value for name, value in form.items()}
        try:
            product, account = self._account(step["relative_url"].split("/")[1])
            return {"code": 200, "body": json.dumps(product.send(account, body))}
        except Refusal as refusal:
            return {"code": refusal.status, "body": json.dumps(refusal.body)}

    def _account(self, node: str) -> tuple[Product, Account]:
        for product in self._products:
            account = self._chats.find(product.channel, product.node, node)
            if account is not None:
                _check_token(account)
                return product, account
        raise Refusal(100, f"Object with ID '{node}' does not exist", subcode=33)


def signed(account: Account, body: object) -> Told:
    """Return a webhook with the signature of the account's app."""
    raw = json.dumps(body).encode()
    secret = account.settings.get("app_secret", "").encode()
    digest = hmac.new(secret, raw, hashlib.sha256).hexdigest()
    return Told(raw, {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"})


def _check_token(account: Account) -> None:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.args.get(
        "access_token"
    )
    if not token or token != account.settings.get("token"):
        raise Refusal(190, "Invalid OAuth access token", 401)


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refusal(100, "The body is no JSON object")
    return body
