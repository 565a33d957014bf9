"""Twilio's list of US numbers that were given back on a day, and the consents that it is told of."""

import base64
import binascii
import json
import re
from datetime import date, datetime

from flask import Blueprint, Response, request

from app.simulator.records import E164
from app.simulator.twilio_json import TwilioError, error_response, json_response
from app.simulator.twilio_send import authenticate
from app.simulator.world import World

FILE = "/v1/Deactivations/File"
MOST_CONSENTS = 25
SOURCES = ("website", "offline", "opt-in-message", "opt-out-message", "others")


class HygieneApi:
    """Deactivations and Consents over one world; which numbers are on a list is said at `/control/deactivations`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def blueprint(self) -> Blueprint:
        """Return the routes under `/v1`."""
        routes = Blueprint("twilio_hygiene", __name__)
        routes.add_url_rule("/v1/Deactivations", "where", self.where)
        routes.add_url_rule(FILE, "file", self.file)
        routes.add_url_rule("/v1/Consents/Bulk", "consents", self.consents, methods=["POST"])
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

    def consents(self) -> Response:
        """Take up to 25 consents, each in place of what was known, or say of each what is wrong with it."""
        account = owner_of(self._world, request.headers.get("Authorization", ""))
        items = request.form.getlist("Items")
        if not 0 < len(items) <= MOST_CONSENTS:
            raise TwilioError(20001, f"Items (give 1 to {MOST_CONSENTS})")
        return json_response({"items": [self._consent(account, one) for one in items]}, 201)

    def _consent(self, account: str, written: str) -> dict[str, object]:
        try:
            item = {str(name): str(value) for name, value in json.loads(written).items()}
        except (ValueError, AttributeError):
            raise TwilioError(20001, "Items (each is a JSON object)") from None
        wrong = _wrong(item)
        if not any(
            item.get("sender_id") in (one.number, one.messaging_service_sid) and one.account_sid == account
            for one in self._world.state.all_senders()
        ):
            wrong.append("INVALID_SENDER_ID")
        if not wrong:
            self._world.state.consents[item["contact_id"], item["sender_id"]] = item
            self._obey(item)
        code = 30646 if wrong else 0
        return {"correlation_id": item.get("correlation_id"), "error_code": code, "error_messages": wrong}

    def _obey(self, item: dict[str, str]) -> None:
        """An opt-out blocks as a STOP does, an opt-in lifts the block."""
        blocks = self._world.state.opted_out
        (blocks.add if item["status"] == "opt-out" else blocks.discard)(
            (item["contact_id"], item["sender_id"])
        )


def owner_of(world: World, authorization: str) -> str:
    """Return the account that a request is signed for, where its address names none; raises TwilioError 20003."""
    try:
        account, _, _ = base64.b64decode(authorization.partition(" ")[2]).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TwilioError(20003) from None
    authenticate(world.state, account, authorization)
    return account


def _wrong(item: dict[str, str]) -> list[str]:
    """Return the names that Twilio has for what is wrong (its error 30646)."""
    checks = (
        ("INVALID_CONTACT_ID", E164.fullmatch(item.get("contact_id", ""))),
        ("INVALID_CORRELATION_ID", re.fullmatch("[0-9a-f]{32}", item.get("correlation_id", ""))),
        ("INVALID_STATUS", item.get("status") in ("opt-in", "opt-out")),
        ("INVALID_SOURCE", item.get("source") in SOURCES),
        ("INVALID_DATE_OF_CONSENT", _is_moment(item.get("date_of_consent", ""))),
    )
    return [name for name, right in checks if not right]


def _is_moment(written: str) -> bool:
    try:
        return datetime.fromisoformat(written).tzinfo is not None
    except ValueError:
        return False


def _is_day(written: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", written):
        return False
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
