"""What Meta says about WhatsApp; bodies after developers.facebook.com/docs/whatsapp/cloud-api."""

import hashlib
import hmac
import json
from typing import Any

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal, ReceiptStatus
from app.domain.platform_news import News
from app.gateways.base import Reply
from tests.gateways.sample import PRESSED, REF, Sample, get, post

APP_SECRET = "appsecret"
NUMBER_ID = "900001"
SETTINGS = {
    "phone_number_id": NUMBER_ID,
    "number": "+12025550100",
    "token": "a-system-users-token",
    "app_secret": APP_SECRET,
    "verify_token": "words-of-our-choice",
}
ADA, GRACE, ID_ONLY = "12025550123", "12025550124", "US.90071992547"


def signed(body: object, secret: str = APP_SECRET) -> HookRequest:
    raw = json.dumps(body).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return post(raw, {"x-hub-signature-256": f"sha256={digest}"})


def told(
    secret: str = APP_SECRET, field: str = "messages", number: str = NUMBER_ID, **value: Any
) -> HookRequest:
    metadata = {"display_phone_number": "12025550100", "phone_number_id": number}
    whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    entry = {"id": "700001", "changes": [{"field": field, "value": whole}]}
    return signed({"object": "whatsapp_business_account", "entry": [entry]}, secret)


def text(words: str, number: int = 1, **who: str) -> dict[str, Any]:
    who = who or {"from": ADA}
    return {
        "id": f"wamid.T{number}",
        "timestamp": "1795370000",
        "type": "text",
        "text": {"body": words},
        **who,
    }


def pressed(id_: str, title: str) -> dict[str, Any]:
    key = {"type": "button_reply", "button_reply": {"id": id_, "title": title}}
    return {
        "id": "wamid.T4",
        "timestamp": "1795370000",
        "type": "interactive",
        "interactive": key,
        "from": ADA,
    }


def status(word: str, **more: Any) -> HookRequest:
    found = {
        "id": "wamid.T9",
        "recipient_id": ADA,
        "status": word,
        "timestamp": "1795370100",
        "biz_opaque_callback_data": REF,
        **more,
    }
    return told(statuses=[found])


def preference(value: str, **more: str) -> HookRequest:
    found = {"wa_id": ADA, "category": "marketing_messages", "value": value, "timestamp": "1795370200"}
    return told(field="user_preferences", user_preferences=[{**found, **more}])


def changed(**system: str) -> HookRequest:
    base = {"from": ADA, "id": "wamid.T4", "timestamp": "1795370300", "type": "system"}
    return told(messages=[{**base, "system": {"type": "user_changed_number", **system}}])


def account_news(field: str, value: dict[str, Any], at: int = 1795370400) -> HookRequest:
    """News about the account as a whole names no number."""
    entry = {"id": "700001", "time": at, "changes": [{"field": field, "value": value}]}
    return signed({"object": "whatsapp_business_account", "entry": [entry]})


def template_news(event: str, reason: str = "NONE", at: int = 1795370400) -> HookRequest:
    value = {
        "event": event,
        "message_template_id": 594425479261596,
        "message_template_name": "newsletter",
        "message_template_language": "en_US",
        "reason": reason,
    }
    return account_news("message_template_status_update", value, at)


def number_news(event: str, limit: str, number: str = "12025550100") -> HookRequest:
    value = {"display_phone_number": number, "event": event, "max_daily_conversations_per_business": limit}
    return account_news("phone_number_quality_update", value)


def score_news(score: str) -> HookRequest:
    value = {
        "previous_quality_score": "GREEN",
        "new_quality_score": score,
        "message_template_name": "newsletter",
        "message_template_language": "en_US",
    }
    return account_news("message_template_quality_update", value)


def ban_news(state: str) -> HookRequest:
    ban = {"waba_ban_state": state, "waba_ban_date": "November 29, 2026"}
    return account_news("account_update", {"event": "DISABLED_UPDATE", "ban_info": ban})


def restriction_news(*types: str) -> HookRequest:
    info = [{"restriction_type": one, "expiration": "2026-12-19T13:59:20+0000"} for one in types]
    return account_news("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": info})


def violation_news(kind: str) -> HookRequest:
    info = {"violation_type": kind}
    return account_news("account_update", {"event": "ACCOUNT_VIOLATION", "violation_info": info})


def alert_news(severity: str = "WARNING", entity: str = NUMBER_ID) -> HookRequest:
    info = {
        "alert_severity": severity,
        "alert_status": "ACTIVE",
        "alert_type": "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED",
        "alert_description": "Increased messaging was put off.",
    }
    value = {"entity_type": "PHONE_NUMBER", "entity_id": entity, "alert_info": info}
    return account_news("account_alerts", value)


def failure(code: int, http: int = 400, **more: Any) -> Reply:
    error = {"message": "words", "type": "OAuthException", "code": code, **more}
    return Reply(http, json.dumps({"error": error}).encode())


QUESTION = {
    "hub.mode": "subscribe",
    "hub.verify_token": SETTINGS["verify_token"],
    "hub.challenge": "1158201444",
}

SAMPLE = Sample(
    name="whatsapp",
    settings=SETTINGS,
    sender="+12025550100",
    wrong_settings=[
        ({"phone_number_id": "+1202"}, "digits"),
        ({"number": "news"}, "phone number"),
        ({"template": "Newsletter"}, "name:language"),
        ({"business_account_id": "mine"}, "digits"),
        ({"template_header": "music"}, "image, video or document"),
    ],
    addresses=["+" + ADA, "+" + GRACE, ID_ONLY],
    accepted=lambda count: Reply(200, b'{"messaging_product": "whatsapp", "messages": [{"id": "wamid.T9"}]}'),
    provider_id="wamid.T9",
    failures=[
        (failure(131026), ErrorKind.INVALID),
        (failure(131050), ErrorKind.OPTED_OUT),
        (failure(131047), ErrorKind.WINDOW_CLOSED),
        (failure(131049), ErrorKind.PREFERENCE_CAP),
        (failure(131056), ErrorKind.PAIR_LIMITED),
        (failure(130429, 429), ErrorKind.RATE_LIMITED),
        (failure(131048), ErrorKind.QUOTA),
        (failure(132005), ErrorKind.CONTENT),
        (failure(132015), ErrorKind.CONFIG),
        (failure(190, 401), ErrorKind.AUTH),
        (failure(131016, 503), ErrorKind.TEMPORARY),
        (failure(199999), ErrorKind.TEMPORARY),
        (failure(131030), ErrorKind.BLOCKED),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
    ],
    stop=told(messages=[text("STOP")]),
    tampered=told("another", messages=[text("STOP")]),
    malformed=[post(b"{", {}), post(b"[]", {}), post(b"{}", {})],
    signals={
        PlatformSignal.PREFERENCE_STOP: preference("stop"),
        PlatformSignal.PREFERENCE_RESUME: preference("resume"),
        PlatformSignal.NUMBER_CHANGED: changed(wa_id=GRACE),
    },
    receipts={
        ReceiptStatus.SENT: status("sent"),
        ReceiptStatus.DELIVERED: status("read"),
        ReceiptStatus.FAILED: status("failed", errors=[{"code": 131049, "title": "not delivered"}]),
    },
    unlisted=[failure(199999)],
    unlisted_later=[status("failed", errors=[{"code": 199999}])],
    failed_later=[
        (status("failed", errors=[{"code": code}]), kind)
        for code, kind in [
            (131049, ErrorKind.PREFERENCE_CAP),
            (131048, ErrorKind.QUOTA),
            (132015, ErrorKind.CONFIG),
            (131050, ErrorKind.OPTED_OUT),
        ]
    ],
    several=told(messages=[text("one", 1), {"id": 7}, text("two", 2), text("three", 3)]),
    handshake=(get(QUESTION), "1158201444"),
    press=told(messages=[pressed(PRESSED, "Yes")]),
    news=[
        *(
            (template_news(one, "LOW_QUALITY"), News.TEMPLATE_LOST)
            for one in ("PAUSED", "REJECTED", "DISABLED")
        ),
        (template_news("APPROVED"), News.TEMPLATE_BACK),
        (template_news("FLAGGED"), News.QUALITY),
        (score_news("RED"), News.QUALITY),
        (score_news("GREEN"), News.WELL),
        (number_news("DOWNGRADE", "TIER_250"), News.LIMITED),
        (number_news("UPGRADE", "TIER_10K"), News.WELL),
        (ban_news("DISABLE"), News.CLOSED),
        (ban_news("SCHEDULE_FOR_DISABLE"), News.QUALITY),
        (ban_news("REINSTATE"), News.WELL),
        (restriction_news("RESTRICTED_BIZ_INITIATED_MESSAGING"), News.CLOSED),
        (restriction_news("RESTRICTED_ADD_PHONE_NUMBER_ACTION"), News.LIMITED),
        (violation_news("SCAM"), News.QUALITY),
        (alert_news(), News.QUALITY),
        (alert_news("INFORMATIONAL"), News.WELL),
    ],
)
