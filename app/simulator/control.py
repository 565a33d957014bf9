"""The control API under `/control`: tests and the demo set the scene and read what happened. Loopback only."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import cast

from flask import Blueprint, Response, abort, request

from app.simulator.chats import Arrived
from app.simulator.inbound import UnknownSender
from app.simulator.limits import BadFaults, read_faults
from app.simulator.messengers import Account, BadAccount, read_account
from app.simulator.records import E164, BadSender, Message, Sender, is_loopback_host, read_sender
from app.simulator.twilio_json import json_response
from app.simulator.world import World

MESSAGES_SHOWN = 100


class BadField(ValueError):
    """A field of the JSON body is missing or wrong; the text says which and how to write it."""


class ControlApi:
    """The views of the control API over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        """Return the routes; whoever is not on this machine is refused."""
        routes = Blueprint("control", __name__, url_prefix="/control")
        routes.before_request(_refuse_strangers)
        for method, path, view in (
            ("PUT", "/senders", self.put_sender),
            ("PUT", "/accounts", self.put_account),
            ("GET", "/state", self.show_state),
            ("POST", "/inbound", self.text),
            ("POST", "/press", self.press),
            ("POST", "/follow", self.follow),
            ("GET", "/messages", self.messages),
            ("GET", "/stats", self.stats),
            ("POST", "/failures", self.plan_failures),
            ("POST", "/reset", self.reset),
            ("POST", "/block", self.block),
            ("POST", "/prefer", self.prefer),
            ("POST", "/templates", self.judge_template),
            ("PUT", "/deactivations", self.give_back),
        ):
            routes.add_url_rule(path, view.__name__, view, methods=[method])
        for refusal in (BadSender, BadFaults, BadField, BadAccount):
            routes.register_error_handler(refusal, lambda error: json_response({"error": str(error)}, 400))
        routes.register_error_handler(UnknownSender, lambda error: json_response({"error": str(error)}, 404))
        return routes

    def put_sender(self) -> Response:
        """Add or replace a sender; fields as in `records.Sender`."""
        sender = read_sender(_body())
        self._world.state.put_sender(sender)
        self._world.remember()
        return json_response(sender_json(sender))

    def put_account(self) -> Response:
        """Add or replace an account on a messenger: `{channel, address, webhook_url, name, settings}`."""
        account = read_account(_body())
        self._world.chats.put(account)
        self._world.remember()
        return json_response(account_json(account))

    def show_state(self) -> Response:
        """Return senders (without tokens), blocks, faults and the people with phones."""
        state = self._world.state
        with state.lock:
            opted_out, blocks = sorted(state.opted_out), sorted(state.handset_blocks)
        return json_response(
            {
                "senders": [sender_json(sender) for sender in state.all_senders()],
                "accounts": [account_json(account) for account in self._world.chats.all()],
                "opted_out": [{"phone": phone, "scope": scope} for phone, scope in opted_out],
                "handset_blocks": [{"phone": phone, "sender": sender} for phone, sender in blocks],
                "failures": self._world.faults.as_json(),
                "personas": [asdict(persona) for persona in self._world.conversations.personas()],
            }
        )

    def text(self) -> Response:
        """Text `{from, to, body}` from any phone; answers when the product has answered."""
        data = _body()
        phone, to = _number(data, "from"), _string(data, "to")
        account = self._world.chats.accounts.get(to)
        if account is not None:
            answer = self._world.chats.text(phone, account, _string(data, "body"))
            self._world.remember()
            return json_response({"webhook_status": answer.status if answer else None})
        outcome = self._world.inbound.text(phone, to, _string(data, "body"))
        return json_response(asdict(outcome))

    def press(self) -> Response:
        """Somebody presses a button below the newest message of an account: `{from, to, label}`."""
        data = _body()
        phone, to, label = _number(data, "from"), _string(data, "to"), _string(data, "label")
        account = self._world.chats.accounts.get(to)
        here = [one for one in self._world.conversations.bubbles(phone) if one.peer == to and one.keys]
        key = next((one for one in (here[-1].keys if here else ()) if one.label == label), None)
        if account is None or key is None:
            raise BadField("label: must be that of a button below the newest message of the account")
        answer = self._world.chats.press(phone, account, key.label, key.value)
        self._world.remember()
        return json_response({"webhook_status": answer.status if answer else None})

    def follow(self) -> Response:
        """Somebody comes to an account: `{from, to}`, and `scene` where the code that they scanned has one."""
        data = _body()
        phone, to, scene = _number(data, "from"), _string(data, "to"), data.get("scene", "")
        account = self._world.chats.accounts.get(to)
        if account is None or not isinstance(scene, str):
            raise BadField("to: must be an account's address, and scene a text")
        answer = self._world.chats.open(phone, account, scene)
        self._world.remember()
        return json_response({"webhook_status": answer.status if answer else None})

    def messages(self) -> Response:
        """Return remembered messages, newest first: to `?to=`, of an `?account=`, at most `?limit=` (100)."""
        limit = request.args.get("limit", MESSAGES_SHOWN, type=int)
        if limit < 1:
            raise BadField("limit: must be a whole number, 1 or more")
        if (address := request.args.get("account", "")) in self._world.chats.accounts:
            arrived = islice(self._world.chats.arrived(address, request.args.get("to", "")), limit)
            return json_response({"messages": [_arrived_json(one) for one in arrived]})
        if address:
            raise UnknownSender(f"no account has the address {address}; add it with PUT /control/accounts")
        found = islice(self._world.state.newest(request.args.get("to", "")), limit)
        return json_response({"messages": [_message_json(message) for message in found]})

    def stats(self) -> Response:
        """Return counts of messages, callbacks and inbound webhooks."""
        world = self._world
        return json_response(
            world.state.counts()
            | {
                "chats": world.chats.counts(),
                "callbacks": world.receipts.counts(),
                "inbound": world.inbound.counts(),
            }
        )

    def plan_failures(self) -> Response:
        """Misbehave from now on; fields as in `limits.Faults`, `{}` for none."""
        self._world.faults.plan(read_faults(_body()))
        return json_response(self._world.faults.as_json())

    def reset(self) -> Response:
        """Forget messages, conversations, blocks and counts; keep senders and faults."""
        self._world.reset()
        return json_response({})

    def block(self) -> Response:
        """Block a sender on a handset, or lift it: `{phone, sender, blocked: true|false}`."""
        data = _body()
        phone, sender = _number(data, "phone"), _string(data, "sender")
        blocked = data.get("blocked", True)
        if not isinstance(blocked, bool):
            raise BadField("blocked: must be true or false")
        account = self._world.chats.accounts.get(sender)
        if account is not None:
            self._world.chats.block(phone, account, blocked)
            self._world.remember()
            return json_response({"phone": phone, "sender": sender, "blocked": blocked})
        if sender not in self._world.state.senders:
            raise UnknownSender(f"no sender has the number {sender}; add it with PUT /control/senders")
        self._world.block(phone, sender, blocked)
        return json_response({"phone": phone, "sender": sender, "blocked": blocked})

    def give_back(self) -> Response:
        """Say which numbers were given back on a day: `{day: "2026-11-27", numbers: [...]}`."""
        data = _body()
        day, numbers = _string(data, "day"), data.get("numbers")
        if not isinstance(numbers, list) or not all(isinstance(one, str) for one in numbers):
            raise BadField("numbers: must be a list of numbers, each a text")
        self._world.state.given_back[day] = tuple(numbers)
        return json_response({"day": day, "numbers": len(numbers)})

    def prefer(self) -> Response:
        """Turn the messenger's own switch for our news: `{phone, sender, wanted: true|false}`."""
        data = _body()
        phone, sender, wanted = _number(data, "phone"), _string(data, "sender"), data.get("wanted")
        account = self._world.chats.accounts.get(sender)
        if account is None or not isinstance(wanted, bool):
            raise BadField("sender: must be an account's address, and wanted true or false")
        if not self._world.chats.prefer(phone, account, wanted):
            raise BadField(f"sender: {account.channel} has no switch for news")
        self._world.remember()
        return json_response({"phone": phone, "sender": sender, "wanted": wanted})

    def judge_template(self) -> Response:
        """Take or approve a template: `{sender, template: "name:language", event: "PAUSED", reason}`."""
        data = _body()
        sender, template, event = _string(data, "sender"), _string(data, "template"), _string(data, "event")
        account = self._world.chats.accounts.get(sender)
        if account is None or ":" not in template:
            raise BadField("sender: must be an account's address, and template name:language")
        answer = self._world.chats.judge(account, template, event, str(data.get("reason", "NONE")))
        if answer is None:
            raise BadField(f"sender: {account.channel} tells nothing about templates")
        return json_response({"sender": sender, "template": template, "webhook_status": answer.status})


def sender_json(sender: Sender) -> dict[str, object]:
    """Return a sender without its token."""
    return {name: value for name, value in asdict(sender).items() if name != "auth_token"}


def account_json(account: Account) -> dict[str, object]:
    """Return an account without what the two sides share."""
    return {name: value for name, value in asdict(account).items() if name != "settings"}


def _message_json(message: Message) -> dict[str, object]:
    return {
        "sid": message.sid,
        "from": message.sender.number,
        "to": message.to,
        "body": message.body,
        "parts": message.parts,
        "has_file": message.file is not None,
        "status": message.status,
        "error_code": message.error_code,
        "created": message.created.isoformat(),
    }


def _arrived_json(one: Arrived) -> dict[str, object]:
    """A message on a messenger has come when it is here; people are named by their phones."""
    return {
        "from": one.address,
        "to": one.number,
        "body": one.text,
        "has_file": one.has_file,
        "status": "delivered",
        "created": one.at.isoformat(),
    }


def _refuse_strangers() -> None:
    # The second half keeps out pages of other sites whose name was pointed at this machine (DNS rebinding).
    host = request.host.rpartition(":")[0] if ":" in request.host else request.host
    if not is_loopback_host(request.remote_addr or "") or not is_loopback_host(host.strip("[]")):
        abort(403, "The control API answers on this machine only: use http://127.0.0.1:PORT/control/…")


def _body() -> Mapping[str, object]:
    # Only application/json is read: another site's page cannot post that without asking first.
    data = request.get_json(silent=True)
    if not isinstance(data, dict):
        raise BadField("body: send one JSON object with Content-Type: application/json")
    return cast(Mapping[str, object], data)


def _string(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or (not value and name != "body"):
        raise BadField(f"{name}: must be a text")
    return value


def _number(data: Mapping[str, object], name: str) -> str:
    value = _string(data, name)
    if not E164.fullmatch(value):
        raise BadField(f"{name}: {value!r} is no phone number; write it like +12025550143")
    return value
