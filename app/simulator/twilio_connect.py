"""Where Twilio is told our webhook's address: at a number, or at a Messaging Service."""

import hashlib
from dataclasses import replace

from flask import Blueprint, Response, request

from app.simulator.records import Sender, is_loopback
from app.simulator.twilio_hygiene import owner_of
from app.simulator.twilio_json import PREFIX, TwilioError, error_response, json_response
from app.simulator.twilio_send import authenticate
from app.simulator.world import World


class TwilioConnectApi:
    """The numbers of an account and its messaging services, as far as addresses go."""

    def __init__(self, world: World) -> None:
        self._state = world.state
        self._world = world

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("twilio_connect", __name__)
        numbers = f"{PREFIX}/<account_sid>/IncomingPhoneNumbers"
        routes.add_url_rule(f"{numbers}.json", "numbers", self.numbers)
        routes.add_url_rule(f"{numbers}/<sid>.json", "number", self.number, methods=["POST"])
        routes.add_url_rule("/v1/Services/<sid>", "service", self.service, methods=["POST"])
        routes.register_error_handler(TwilioError, error_response)
        return routes

    def numbers(self, account_sid: str) -> Response:
        """List the numbers of an account, or the one that is asked for."""
        here = [
            one for one in self._of(account_sid) if one.number == request.args.get("PhoneNumber", one.number)
        ]
        return json_response({"incoming_phone_numbers": [_number(one) for one in here]})

    def number(self, account_sid: str, sid: str) -> Response:
        """Take the address for what is written to one number."""
        found = [one for one in self._of(account_sid) if _sid(one) == sid]
        return json_response(_number(self._point(found, request.form.get("SmsUrl", ""))))

    def service(self, sid: str) -> Response:
        """Take the address for what is written to any number of a messaging service."""
        account = owner_of(self._world, request.headers.get("Authorization", ""))
        here = [one for one in self._state.all_senders() if one.account_sid == account]
        found = [one for one in here if one.messaging_service_sid == sid]
        self._point(found, request.form.get("InboundRequestUrl", ""))
        return json_response({"sid": sid, "inbound_request_url": request.form["InboundRequestUrl"]})

    def _of(self, account_sid: str) -> list[Sender]:
        authenticate(self._state, account_sid, request.headers.get("Authorization", ""))
        return [one for one in self._state.all_senders() if one.account_sid == account_sid]

    def _point(self, found: list[Sender], url: str) -> Sender:
        if not found:
            raise TwilioError(20404, request.path)
        if not is_loopback(url):
            raise TwilioError(20001, "SmsUrl (an address on this machine)")
        changed = [replace(one, webhook_url=url) for one in found]
        for one in changed:
            self._state.put_sender(one)
        return changed[0]


def _number(sender: Sender) -> dict[str, str]:
    return {"sid": _sid(sender), "phone_number": sender.number, "sms_url": sender.webhook_url}


def _sid(sender: Sender) -> str:
    return "PN" + hashlib.sha256(sender.number.encode()).hexdigest()[:32]
