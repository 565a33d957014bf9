"""The JSON that Twilio's message resource speaks: messages, pages of messages, and errors."""

import json
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from flask import Response

from app.simulator.records import Message

PREFIX = "/2010-04-01/Accounts"
MORE_INFO = "https://www.twilio.com/docs/errors/{code}"

# code: (HTTP status, our wording of what it means)
ERRORS = {
    20003: (401, "Authenticate: the account SID or the auth token is wrong"),
    20404: (404, "The requested resource {detail} was not found"),
    20429: (429, "Too many requests"),
    20500: (500, "Internal server error"),
    20503: (503, "Service unavailable"),
    21211: (400, "The 'To' number {detail} is not a valid phone number"),
    21212: (400, "The 'From' number {detail} is not a valid phone number, short code or sender name"),
    21266: (400, "'To' and 'From' must not be the same number: {detail}"),
    21602: (400, "A message body is required"),
    21603: (400, "A 'From' number or a 'MessagingServiceSid' is required"),
    21604: (400, "A 'To' number is required"),
    21606: (400, "The 'From' number {detail} does not belong to this account"),
    21609: (
        400,
        "The 'StatusCallback' URL {detail} is not valid; this simulator calls loopback addresses only",
    ),
    21610: (400, "Attempt to send to the unsubscribed recipient {detail}"),
    21614: (400, "The 'To' number {detail} is not a mobile number"),
    21617: (400, "The body has {detail} characters, more than the 1600 allowed"),
    21620: (400, "There is no file that could be sent at the media URL {detail}"),
    21655: (400, "The ContentSid {detail} is not one of this sender's"),
    21656: (400, "The ContentVariables do not fit the template {detail}"),
    21910: (400, "'From' and 'To' are not on the same channel: {detail}"),
    21701: (400, "The messaging service {detail} does not exist"),
    39998: (400, "A code that no table has, for {detail}; Twilio gives it to nobody"),
    20001: (400, "The parameter {detail} is not valid"),
}


class TwilioError(Exception):
    """A request is refused with one of Twilio's codes; `detail` fills the wording, `retry_after` is in seconds."""

    def __init__(self, code: int, detail: str = "", retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.retry_after = code, detail, retry_after


def error_response(error: TwilioError) -> Response:
    """Return the error as Twilio words it: `{code, message, more_info, status}`."""
    status, wording = ERRORS[error.code]
    body = {
        "code": error.code,
        "message": wording.format(detail=error.detail),
        "more_info": MORE_INFO.format(code=error.code),
        "status": status,
    }
    response = json_response(body, status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response


def json_response(body: object, status: int = 200) -> Response:
    """Return `body` as JSON."""
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")


def message_json(message: Message) -> dict[str, object]:
    """Return a message resource; a service that has not chosen its number yet shows no `from` and 0 segments."""
    sender = message.sender
    undecided = message.status == "accepted"
    uri = f"{PREFIX}/{sender.account_sid}/Messages/{message.sid}"
    return {
        "account_sid": sender.account_sid,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": rfc2822(message.created),
        "date_sent": rfc2822(message.sent),
        "date_updated": rfc2822(message.updated or message.created),
        "direction": "outbound-api",
        "error_code": message.error_code,
        "error_message": None,
        "from": None if undecided else sender.number,
        "messaging_service_sid": sender.messaging_service_sid if message.by_service else None,
        "num_media": "1" if message.file else "0",
        "num_segments": "0" if undecided else str(message.parts),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def rfc2822(moment: datetime | None) -> str | None:
    """Return a moment as Twilio writes it, e.g. `Sun, 22 Nov 2026 21:19:02 +0000`."""
    return None if moment is None else _second(moment.replace(microsecond=0))


_second = lru_cache(maxsize=1024)(format_datetime)
