"""What Meta says about Messenger; bodies after developers.facebook.com/docs/messenger-platform."""

import json
from typing import Any

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal, ReceiptStatus, found_by
from app.gateways.base import Reply
from tests.gateways.sample import PRESSED, REF, Sample, get, post
from tests.gateways.samples.whatsapp import APP_SECRET, QUESTION, failure, signed

PAGE = "102030405060708"
SETTINGS = {
    "page_id": PAGE,
    "username": "citydesk",
    "token": "a-pages-token",
    "app_secret": APP_SECRET,
    "verify_token": "words-of-our-choice",
}
ADA = "psid7"
NOON = 1795370000000


def told(*events: object, page: str = PAGE, secret: str = APP_SECRET) -> HookRequest:
    entry = {"id": page, "time": NOON, "messaging": list(events)}
    return signed({"object": "page", "entry": [entry]}, secret)


def event(number: int = 0, sender: str = ADA, **what: Any) -> dict[str, Any]:
    return {"sender": {"id": sender}, "recipient": {"id": PAGE}, "timestamp": NOON + number, **what}


def text(words: str, mid: str = "m_1") -> dict[str, Any]:
    return event(message={"mid": mid, "text": words})


def echo(metadata: str) -> dict[str, Any]:
    return event(sender=PAGE, message={"mid": "m_9", "is_echo": True, "app_id": 5, "metadata": metadata})


def switch(status: str) -> dict[str, Any]:
    return event(1000, optin={"type": "notification_messages", "notification_messages_status": status})


REFERRAL = event(5, referral={"ref": "weekly", "source": "SHORTLINK", "type": "OPEN_THREAD"})
STARTED = event(
    6,
    postback={
        "mid": "m_2",
        "title": "Get Started",
        "payload": "GET_STARTED",
        "referral": {"ref": "weekly_poster7", "source": "SHORTLINK", "type": "OPEN_THREAD"},
    },
)

SAMPLE = Sample(
    name="messenger",
    settings=SETTINGS,
    sender="citydesk",
    wrong_settings=[({"page_id": "citydesk"}, "digits"), ({"username": "m.me/x"}, "m.me")],
    addresses=[ADA, "psid8", "psid9"],
    accepted=lambda count: Reply(200, json.dumps({"recipient_id": ADA, "message_id": "m_9"}).encode()),
    provider_id=found_by("m_9"),
    failures=[
        (failure(100, error_subcode=2018001), ErrorKind.INVALID),
        (failure(551), ErrorKind.BLOCKED),
        (failure(10, 403, error_subcode=2018278), ErrorKind.WINDOW_CLOSED),
        (failure(4, error_subcode=2018354), ErrorKind.PREFERENCE_CAP),
        (failure(4), ErrorKind.RATE_LIMITED),
        (failure(613), ErrorKind.RATE_LIMITED),
        (failure(10, 403), ErrorKind.CONFIG),
        (failure(190, 401), ErrorKind.AUTH),
        (failure(2, 500), ErrorKind.TEMPORARY),
        (failure(99999), ErrorKind.TEMPORARY),
        (failure(100, error_subcode=2018034), ErrorKind.CONTENT),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
    ],
    stop=told(text("STOP")),
    tampered=told(text("STOP"), secret="another"),
    malformed=[post(b"{", {}), post(b"[]", {}), post(b"{}", {})],
    signals={
        PlatformSignal.FOLLOWED: told(REFERRAL),
        PlatformSignal.PREFERENCE_STOP: told(switch("STOP_NOTIFICATIONS")),
        PlatformSignal.PREFERENCE_RESUME: told(switch("RESUME_NOTIFICATIONS")),
    },
    receipts={
        ReceiptStatus.SENT: told(echo(f"tidings:{REF}")),
        ReceiptStatus.DELIVERED: told(event(1, delivery={"mids": ["m_9"], "watermark": NOON})),
    },
    unlisted=[failure(99999), failure(100, error_subcode=99999)],
    deep_link=told(STARTED),
    several=told(REFERRAL, {"sender": 7}, text("STOP"), switch("STOP_NOTIFICATIONS")),
    handshake=(get(QUESTION), "1158201444"),
    press=told(event(message={"mid": "m_3", "text": "Yes", "quick_reply": {"payload": PRESSED}})),
)
