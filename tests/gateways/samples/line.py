"""What LINE says; bodies after github.com/line/line-openapi and developers.line.biz."""

import base64
import hashlib
import hmac
import json
from typing import Any

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal
from app.gateways.base import Reply
from tests.gateways.sample import PRESSED, Sample, post

SECRET = "linesecret"
SETTINGS = {"channel_token": "a-channel-token", "channel_secret": SECRET, "id": "@citydesk"}
ADA, GRACE, JEAN = ("U" + letter * 32 for letter in "abc")


def signed(body: bytes, secret: str = SECRET) -> HookRequest:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return post(body, {"x-line-signature": base64.b64encode(digest).decode()})


def posted(*events: dict[str, Any], secret: str = SECRET) -> HookRequest:
    return signed(json.dumps({"destination": "U" + "0" * 32, "events": events}).encode(), secret)


def event(kind: str, number: int, user: str = ADA, redelivery: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "mode": "active",
        "timestamp": 1795370000000 + number,
        "source": {"type": "user", "userId": user},
        "webhookEventId": f"01KAZ0000000000000000000A{number}",
        "deliveryContext": {"isRedelivery": redelivery},
        **more,
    }


def text(number: int, words: str, redelivery: bool = False) -> dict[str, Any]:
    message = {"id": "m1", "type": "text", "text": words, "quoteToken": "q1"}
    return event("message", number, redelivery=redelivery, message=message)


def failure(status: int, words: str, where: str = "") -> Reply:
    details = [{"message": "words", "property": where}] if where else []
    return Reply(status, json.dumps({"message": words, "details": details}).encode())


FOLLOW = event("follow", 3, follow={"isUnblocked": False})
UNFOLLOW = event("unfollow", 4, GRACE, redelivery=True)

SAMPLE = Sample(
    name="line",
    settings=SETTINGS,
    sender="@citydesk",
    wrong_settings=[({"id": "citydesk"}, "begins with @")],
    addresses=[ADA, GRACE, JEAN],
    accepted=lambda count: Reply(200, b"{}", {"x-line-request-id": "r-1"}),
    provider_id="r-1",
    failures=[
        (failure(400, "The property, 'to', in the request body is invalid"), ErrorKind.INVALID),
        (failure(400, "Failed to send messages"), ErrorKind.INVALID),
        (failure(400, "The request body has 1 error(s)", "messages[0].text"), ErrorKind.CONTENT),
        (failure(401, "Authentication failed"), ErrorKind.AUTH),
        (failure(403, "Not available on your plan"), ErrorKind.CONFIG),
        (failure(413, "Too large"), ErrorKind.CONTENT),
        (failure(429, "The API rate limit has been exceeded. Try again later."), ErrorKind.RATE_LIMITED),
        (failure(429, "You have reached your monthly limit."), ErrorKind.QUOTA),
        (failure(500, "Internal server error"), ErrorKind.TEMPORARY),
        (failure(400, "Something new"), ErrorKind.TEMPORARY),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
        (Reply(409, b"<html>a proxy</html>"), ErrorKind.UNKNOWN),
    ],
    stop=posted(text(1, "STOP")),
    tampered=posted(text(1, "STOP"), secret="another"),
    malformed=[post(b"{", {}), post(b"[]", {}), post(b"{}", {})],
    signals={
        PlatformSignal.FOLLOWED: posted(FOLLOW),
        PlatformSignal.CAME_BACK: posted(event("follow", 5, follow={"isUnblocked": True})),
        PlatformSignal.LEFT: posted(UNFOLLOW),
    },
    repeated=Reply(
        409,
        b'{"message": "The retry key is already accepted"}',
        {"x-line-request-id": "r-2", "x-line-accepted-request-id": "r-1"},
    ),
    several=posted(FOLLOW, {"type": "message", "source": 7}, text(2, "JOIN weekly"), UNFOLLOW),
    press=posted(event("postback", 6, postback={"data": PRESSED})),
)
