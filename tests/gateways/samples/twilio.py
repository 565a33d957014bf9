"""What Twilio says: replies by its error dictionary, webhooks signed with its own validator."""

import json
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from app.domain.messages import ErrorKind, HookRequest, ReceiptStatus
from app.gateways.base import Reply
from tests.gateways.sample import HOOK, REF, Sample, post

TOKEN = "0123456789abcdef0123456789abcdef"
SETTINGS = {"account_sid": "AC" + "1" * 32, "auth_token": TOKEN, "from": "+12025550100"}


def signed(fields: dict[str, str], token: str = TOKEN, query: dict[str, str] | None = None) -> HookRequest:
    url = HOOK + (f"?{urlencode(query)}" if query else "")
    signature = RequestValidator(token).compute_signature(url, fields)
    return post(urlencode(fields).encode(), {"x-twilio-signature": signature}, query)


def report(status: str, code: str = "30005") -> HookRequest:
    fields = {
        "MessageSid": "SM9",
        "MessageStatus": status,
        "ErrorCode": code if status == "failed" else "",
    }
    return signed(fields, query={"d": REF})


def failure(status: int, code: int) -> Reply:
    return Reply(status, json.dumps({"code": code, "message": "words", "status": status}).encode())


STOP = {"MessageSid": "SM1", "From": "+12025550123", "To": "+12025550100", "Body": "STOP", "NumMedia": "0"}

SAMPLE = Sample(
    name="twilio",
    settings=SETTINGS,
    sender="+12025550100",
    wrong_settings=[({"account_sid": "SK1"}, "AC"), ({"from": "news"}, "phone number")],
    addresses=["+12025550123", "+12025550124", "+447700900123"],
    accepted=lambda count: Reply(201, b'{"sid": "SM9"}'),
    provider_id="SM9",
    failures=[
        (failure(400, 21211), ErrorKind.INVALID),
        (failure(400, 30004), ErrorKind.BLOCKED),
        (failure(400, 21610), ErrorKind.OPTED_OUT),
        (failure(429, 20429), ErrorKind.RATE_LIMITED),
        (failure(400, 21611), ErrorKind.QUOTA),
        (failure(400, 21617), ErrorKind.CONTENT),
        (failure(400, 21606), ErrorKind.CONFIG),
        (failure(401, 20003), ErrorKind.AUTH),
        (failure(500, 20500), ErrorKind.TEMPORARY),
        (failure(400, 99999), ErrorKind.TEMPORARY),
        (failure(400, 63016), ErrorKind.WINDOW_CLOSED),
        (failure(400, 63032), ErrorKind.PREFERENCE_CAP),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
    ],
    stop=signed(STOP),
    tampered=signed(STOP, token="f" * 32),
    malformed=[post(b"From=%2B12025550123", {}), post(b"\xff\xfe", {})],
    receipts={
        ReceiptStatus.SENT: report("sent"),
        ReceiptStatus.DELIVERED: report("delivered"),
        ReceiptStatus.FAILED: report("failed"),
    },
    unlisted=[failure(400, 99999)],
    unlisted_later=[report("failed", "99999")],
    failed_later=[
        (report("failed", "30001"), ErrorKind.QUOTA),
        (report("failed", "63049"), ErrorKind.PREFERENCE_CAP),
    ],
)
