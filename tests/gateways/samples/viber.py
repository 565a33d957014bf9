"""What Viber says; bodies after creators.viber.com/docs/bots-api."""

import hashlib
import hmac
import json
from typing import Any

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal, ReceiptStatus, found_by
from app.gateways.base import Reply
from tests.gateways.sample import PRESSED, Sample, post

TOKEN = "vibertoken"
SETTINGS = {"token": TOKEN, "uri": "citydesk", "name": "City Desk", "welcome": "Press START for our news."}
ADA, GRACE, JEAN = "ada+/AAAAAAAAAAAAAAAAAA==", "graceAAAAAAAAAAAAAAAAAA==", "jeanAAAAAAAAAAAAAAAAAAA=="

MESSAGE = "5741311803571721087"


def signed(body: bytes, token: str = TOKEN) -> HookRequest:
    digest = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    return post(body, {"x-viber-content-signature": digest})


def told(event: str, token: str = TOKEN, **more: Any) -> HookRequest:
    body = {"event": event, "timestamp": 1795370000000, "message_token": 4912661846655238145, **more}
    return signed(json.dumps(body).encode(), token)


def text(words: str, tracking: str = "", token: str = TOKEN) -> HookRequest:
    message = {"type": "text", "text": words, "tracking_data": tracking}
    return told("message", token, sender={"id": ADA, "name": "Ada"}, message=message)


def reply(status: int, **more: Any) -> Reply:
    return Reply(200, json.dumps({"status": status, "status_message": "words", **more}).encode())


SAMPLE = Sample(
    name="viber",
    settings=SETTINGS,
    sender="citydesk",
    wrong_settings=[({"name": "x" * 29}, "28"), ({"uri": "viber://pa"}, "chatURI")],
    addresses=[ADA, GRACE, JEAN],
    accepted=lambda count: reply(0, message_token=int(MESSAGE), failed_list=[]),
    provider_id=found_by(MESSAGE, ADA),
    provider_ids=[found_by(MESSAGE, one) for one in (ADA, GRACE, JEAN)],
    failures=[
        (reply(5), ErrorKind.INVALID),
        (reply(6), ErrorKind.OPTED_OUT),
        (reply(12), ErrorKind.RATE_LIMITED),
        (reply(24), ErrorKind.QUOTA),
        (reply(3), ErrorKind.CONTENT),
        (reply(7), ErrorKind.CONFIG),
        (reply(2), ErrorKind.AUTH),
        (reply(1), ErrorKind.TEMPORARY),
        (reply(99), ErrorKind.TEMPORARY),
        (reply(0), ErrorKind.UNKNOWN),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
    ],
    stop=text("STOP"),
    tampered=text("STOP", token="another"),
    malformed=[post(b"{", {}), post(b"[]", {}), post(b"{}", {})],
    signals={
        PlatformSignal.FOLLOWED: told("subscribed", user={"id": ADA, "name": "Ada"}),
        PlatformSignal.LEFT: told("unsubscribed", user_id=ADA),
    },
    receipts={
        ReceiptStatus.DELIVERED: told("delivered", user_id=ADA, message_token=int(MESSAGE)),
        ReceiptStatus.FAILED: told("failed", user_id=ADA, message_token=int(MESSAGE), desc="Device too old"),
    },
    unlisted=[reply(99)],
    unlisted_later=[told("failed", user_id=ADA, message_token=7, desc="words alone")],
    deep_link=text("weekly_poster7", "opened:weekly_poster7"),
    press=text(PRESSED),
)
