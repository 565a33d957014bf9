"""Twilio's message resource for reading: fetch one, list many, and 404 for all that is not simulated."""

from typing import NoReturn

from flask import Blueprint, Response, request

from app.simulator.twilio_json import PREFIX, TwilioError, error_response, json_response, message_json
from app.simulator.twilio_list import page_of_messages
from app.simulator.twilio_send import authenticate
from app.simulator.world import World


class TwilioApi:
    """The reading views of the message resource over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        """Return the routes under `/2010-04-01`, with errors in Twilio's JSON form."""
        routes = Blueprint("twilio", __name__)
        routes.add_url_rule(f"{PREFIX}/<account_sid>/Messages.json", "list", self.list)
        routes.add_url_rule(f"{PREFIX}/<account_sid>/Messages/<sid>.json", "fetch", self.fetch)
        routes.add_url_rule(
            "/2010-04-01/<path:rest>", "unknown", self.unknown, methods=["GET", "POST", "DELETE"]
        )
        routes.register_error_handler(TwilioError, self._refuse)
        return routes

    def fetch(self, account_sid: str, sid: str) -> Response:
        """Return one message of this account."""
        self._authenticate(account_sid)
        message = self._world.state.message(sid)
        if message is None or message.sender.account_sid != account_sid:
            raise TwilioError(20404, request.path)
        return json_response(message_json(message))

    def list(self, account_sid: str) -> Response:
        """Return a page of this account's messages, newest first, filtered by To, From and DateSent."""
        self._authenticate(account_sid)
        return json_response(page_of_messages(self._world.state, account_sid, request.args, request.path))

    def unknown(self, rest: str) -> NoReturn:
        """Answer for every resource that is not simulated."""
        raise TwilioError(20404, request.path)

    def _refuse(self, error: TwilioError) -> Response:
        self._world.state.refuse(error.code)
        return error_response(error)

    def _authenticate(self, account_sid: str) -> None:
        authenticate(self._world.state, account_sid, request.headers.get("Authorization", ""))
