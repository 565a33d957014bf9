"""Twilio's list of US numbers that were given back on a day: a redirect, and the file behind it."""

import base64
import binascii
import re
from datetime import date

from flask import Blueprint, Response, request

from app.simulator.twilio_json import TwilioError, error_response, json_response
from app.simulator.twilio_send import authenticate
from app.simulator.world import World

FILE = "/v1/Deactivations/File"


class HygieneApi:
    """The Deactivations resource over one world; which numbers are on a list is said at `/control/deactivations`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        """Return the routes under `/v1`."""
        routes = Blueprint("twilio_hygiene", __name__)
        routes.add_url_rule("/v1/Deactivations", "where", self.where)
        routes.add_url_rule(FILE, "file", self.file)
        routes.register_error_handler(TwilioError, error_response)
        return routes

    def where(self) -> Response:
        """Redirect to the file of a day, for an account that we know."""
        owner_of(self._world, request.headers.get("Authorization", ""))
        day = request.args.get("Date", "")
        if not _is_day(day):
            raise TwilioError(20001, "Date (write it like 2026-11-27)")
        if day not in self._world.state.given_back:
            raise TwilioError(20404, request.path)
        address = f"{request.host_url.rstrip('/')}{FILE}?Day={day}"
        answer = json_response({"redirect_to": address}, 307)
        answer.headers["Location"] = address
        return answer

    def file(self) -> Response:
        """Return the file, in ranges as an object store does; access to the account is none of its business."""
        if "Authorization" in request.headers:
            return Response("Only one auth mechanism allowed\n", 400, mimetype="text/plain")
        numbers = self._world.state.given_back.get(request.args.get("Day", ""), ())
        body = "".join(f"{number}\n" for number in numbers).encode()
        answer = Response(body, mimetype="text/plain")
        answer.add_etag()
        answer.make_conditional(request, accept_ranges=True, complete_length=len(body))
        return answer


def owner_of(world: World, authorization: str) -> str:
    """Return the account that a request is signed for, where its address names none; raises TwilioError 20003."""
    try:
        account, _, _ = base64.b64decode(authorization.partition(" ")[2]).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TwilioError(20003) from None
    authenticate(world.state, account, authorization)
    return account


def _is_day(written: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", written):
        return False
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
