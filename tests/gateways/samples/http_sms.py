"""What the providers say whose interfaces are data files: their answers, their messages and their receipts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from app.domain.messages import ErrorKind, HookRequest, ReceiptStatus
from app.gateways.base import Reply
from tests.gateways.sample import HOOK, REF, Sample, post

SECRET = "a-secret-of-tests-1234"
FROM = "+12025550100"
ADA = "12025550123"
UNKNOWN_CODE = "73999"
Bodies = Mapping[ReceiptStatus, Any]
SENT, DELIVERED, FAILED = ReceiptStatus.SENT, ReceiptStatus.DELIVERED, ReceiptStatus.FAILED


def answer(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode() if not isinstance(body, str) else body.encode())


def hook(format_: str, body: Any, key: str = SECRET) -> HookRequest:
    """Return a webhook with the secret and the delivery in its address, as we gave it to the provider."""
    query = {"key": key, "d": REF}
    if format_ == "query":
        query |= body
        return HookRequest("GET", f"{HOOK}?{urlencode(query)}", {}, b"", query)
    raw = json.dumps(body).encode() if format_ == "json" else urlencode(body).encode()
    return post(raw, {}, query)


def sample(
    name: str,
    settings: Mapping[str, str],
    yes: Reply,
    provider_id: str,
    failures: Sequence[tuple[Reply, ErrorKind]],
    stop: tuple[str, Any],
    receipts: tuple[str, Bodies] = ("form", {}),
) -> Sample:
    return Sample(
        name=name,
        settings={**settings, "from": FROM, "hook_secret": SECRET},
        sender=FROM,
        wrong_settings=[({"hook_secret": "short"}, "16 to 100"), ({"from": "NEWS"}, "answer to")],
        addresses=[f"+{ADA}", "+12025550124", "+447700900123"],
        accepted=lambda count: yes,
        provider_id=provider_id,
        failures=[
            *failures,
            (Reply(500, b"oops"), ErrorKind.TEMPORARY),
            (Reply(429), ErrorKind.RATE_LIMITED),
        ],
        stop=hook(*stop),
        tampered=hook(*stop, key="another-secret-of-tests"),
        receipts={status: hook(receipts[0], body) for status, body in receipts[1].items()},
    )


def vonage(status: str, **more: str) -> Reply:
    return answer(200, {"message-count": "1", "messages": [{"status": status, **more}]})


def vonage_report(status: str) -> dict[str, str]:
    return {"msisdn": ADA, "messageId": "0A1", "status": status, "err-code": "0", "client-ref": REF}


def infobip(group: str, name: str, numbers: Sequence[str] = (ADA,)) -> Reply:
    status = {"groupName": group, "name": name, "description": "words"}
    found = [
        {"messageId": f"IB{at}", "destination": one.removeprefix("+"), "status": status}
        for at, one in enumerate(numbers, 1)
    ]
    return answer(200, {"messages": found})


def infobip_takes(numbers: Sequence[str]) -> Reply:
    """The yes for several people."""
    return infobip("PENDING", "PENDING_ACCEPTED", numbers)


def infobip_report(group: str) -> dict[str, Any]:
    one = {
        "messageId": "IB1",
        "to": ADA,
        "status": {"groupName": group},
        "error": {"name": "EC_ABSENT_SUBSCRIBER"},
    }
    return {"results": [one | {"callbackData": REF}]}


def plivo_report(status: str) -> dict[str, str]:
    return {"MessageUUID": "PL1", "Status": status, "ErrorCode": "200" if status == "undelivered" else ""}


def bandwidth_report(type_: str) -> list[dict[str, Any]]:
    message = {"id": "BW1", "tag": REF, "direction": "out"}
    return [{"type": type_, "to": f"+{ADA}", "errorCode": 4720, "message": message}]


def africas_talking(code: int) -> Reply:
    one = {"statusCode": code, "number": f"+{ADA}", "status": "words", "messageId": "ATXid_1"}
    return answer(201, {"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [one]}})


def clickatell(accepted: bool, code: int | None = None) -> Reply:
    one = {"apiMessageId": "CT1" if accepted else None, "accepted": accepted, "errorCode": code}
    return answer(202, {"messages": [one | {"errorDescription": "words"}]})


def clickatell_report(code: int) -> dict[str, Any]:
    return {"messageId": "CT1", "clientMessageId": REF, "statusCode": code, "status": "words"}


def clickatell_one(status: int, numbers: Sequence[str] = (ADA,), **codes: int) -> Reply:
    """`codes`: number -> why its message was refused, with an n before the digits."""
    found = []
    for at, one in enumerate(numbers, 1):
        digits = one.removeprefix("+")
        code = codes.get(f"n{digits}")
        error = {"code": code, "description": "words"} if code else None
        id_ = None if code else f"CO{at}"
        found.append({"apiMessageId": id_, "accepted": not code, "to": digits, "error": error})
    return answer(status, {"messages": found, "error": None})


def clickatell_one_refuses(status: int, code: int) -> Reply:
    return answer(status, {"messages": [], "error": {"code": code, "description": "words"}})


def clickatell_one_report(status: str) -> dict[str, Any]:
    one = {"channel": "sms", "messageId": "CO1", "clientMessageId": REF, "status": status, "statusCode": 5}
    return {"integrationId": "x", "event": {"messageStatusUpdate": [one]}}


def clickatell_one_says(text: str) -> dict[str, Any]:
    one = {"channel": "sms", "messageId": "COMO1", "from": ADA, "to": "12025550100", "content": text}
    return {"integrationId": "x", "event": {"moText": [one]}}


def telnyx_failure(status: int, code: str) -> Reply:
    return answer(status, {"errors": [{"code": code, "title": "words", "detail": "more words"}]})


def telnyx_report(status: str) -> dict[str, Any]:
    failed = [{"code": "40001"}] if status.endswith("failed") else []
    payload = {"id": "TX1", "to": [{"phone_number": f"+{ADA}", "status": status}], "errors": failed}
    return {"data": {"event_type": "message.finalized", "payload": payload}}


def telnyx_message() -> dict[str, Any]:
    payload = {
        "id": "TXMO1",
        "from": {"phone_number": f"+{ADA}"},
        "text": "STOP",
        "to": [{"phone_number": FROM}],
    }
    return {"data": {"event_type": "message.received", "payload": payload}}


SINCH_REPORTS = [(SENT, "Dispatched", 400), (DELIVERED, "Delivered", 0), (FAILED, "Failed", 404)]

_ALL = [
    sample(
        "vonage",
        {"api_key": "abcd1234", "api_secret": "vonage-secret"},
        vonage("0", **{"message-id": "0A1"}),
        "0A1",
        [
            (vonage("1", **{"error-text": "Throughput Rate Exceeded"}), ErrorKind.RATE_LIMITED),
            (vonage("4", **{"error-text": "Bad Credentials"}), ErrorKind.AUTH),
            (vonage("7"), ErrorKind.BLOCKED),
            (vonage("9"), ErrorKind.QUOTA),
            (vonage("12"), ErrorKind.CONTENT),
            (vonage("15"), ErrorKind.CONFIG),
            (vonage(UNKNOWN_CODE), ErrorKind.TEMPORARY),
        ],
        ("form", {"msisdn": ADA, "to": "12025550100", "messageId": "0B1", "text": "STOP", "type": "text"}),
        (
            "form",
            {
                SENT: vonage_report("accepted"),
                DELIVERED: vonage_report("delivered"),
                FAILED: vonage_report("failed"),
            },
        ),
    ),
    sample(
        "infobip",
        {"api_key": "infobip-secret"},
        infobip("PENDING", "PENDING_ACCEPTED"),
        "IB1",
        [
            (infobip("REJECTED", "REJECTED_DESTINATION"), ErrorKind.INVALID),
            (infobip("REJECTED", "REJECTED_NOT_ENOUGH_CREDITS"), ErrorKind.QUOTA),
            (infobip("REJECTED", "REJECTED_FLOODING_FILTER"), ErrorKind.PAIR_LIMITED),
            (infobip("REJECTED", "REJECTED_SENDER"), ErrorKind.CONFIG),
            (infobip("REJECTED", "SOMETHING_NEW"), ErrorKind.TEMPORARY),
            (
                answer(401, {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED"}}}),
                ErrorKind.AUTH,
            ),
        ],
        ("json", {"results": [{"messageId": "IBMO1", "from": ADA, "to": "12025550100", "text": "STOP"}]}),
        (
            "json",
            {
                SENT: infobip_report("PENDING"),
                DELIVERED: infobip_report("DELIVERED"),
                FAILED: infobip_report("UNDELIVERABLE"),
            },
        ),
    ),
    sample(
        "plivo",
        {"auth_id": "MA123", "auth_token": "plivo-secret"},
        answer(202, {"message": "message(s) queued", "message_uuid": ["PL1"], "api_id": "x"}),
        "PL1",
        [
            (answer(401, {"error": "authentication failed"}), ErrorKind.AUTH),
            (answer(400, {"error": "invalid", "error_code": 50}), ErrorKind.INVALID),
            (answer(402, {"error": "no credit", "error_code": 900}), ErrorKind.QUOTA),
            (answer(400, {"error": "new", "error_code": 73999}), ErrorKind.TEMPORARY),
        ],
        ("form", {"From": ADA, "To": "12025550100", "Text": "STOP", "Type": "sms", "MessageUUID": "PLMO1"}),
        (
            "form",
            {
                SENT: plivo_report("sent"),
                DELIVERED: plivo_report("delivered"),
                FAILED: plivo_report("undelivered"),
            },
        ),
    ),
    sample(
        "bandwidth",
        {"account_id": "9900000", "application_id": "app", "username": "u", "password": "bandwidth-secret"},
        answer(202, {"id": "BW1", "to": [f"+{ADA}"]}),
        "BW1",
        [
            (answer(400, {"type": "request-validation", "description": "words"}), ErrorKind.CONTENT),
            (answer(401, {"type": "unauthorized", "description": "words"}), ErrorKind.AUTH),
            (answer(400, {"type": "new", "description": "words"}), ErrorKind.TEMPORARY),
        ],
        (
            "json",
            [
                {
                    "type": "message-received",
                    "to": FROM,
                    "message": {"id": "BWMO1", "from": f"+{ADA}", "text": "STOP", "direction": "in"},
                }
            ],
        ),
        (
            "json",
            {
                SENT: bandwidth_report("message-sent"),
                DELIVERED: bandwidth_report("message-delivered"),
                FAILED: bandwidth_report("message-failed"),
            },
        ),
    ),
    sample(
        "messagebird",
        {"access_key": "messagebird-secret"},
        answer(201, {"id": "MB1", "recipients": {"items": []}}),
        "MB1",
        [
            (answer(401, {"errors": [{"code": 2, "description": "incorrect access_key"}]}), ErrorKind.AUTH),
            (answer(422, {"errors": [{"code": 9, "description": "no recipients"}]}), ErrorKind.CONTENT),
            (answer(422, {"errors": [{"code": 25, "description": "balance"}]}), ErrorKind.QUOTA),
            (answer(422, {"errors": [{"code": 73999, "description": "new"}]}), ErrorKind.TEMPORARY),
        ],
        ("form", {"id": "MBMO1", "recipient": "12025550100", "originator": ADA, "body": "STOP"}),
        (
            "query",
            {
                SENT: {"id": "MB1", "reference": REF, "recipient": ADA, "status": "sent"},
                DELIVERED: {"id": "MB1", "reference": REF, "recipient": ADA, "status": "delivered"},
                FAILED: {"id": "MB1", "reference": REF, "recipient": ADA, "status": "delivery_failed"},
            },
        ),
    ),
    sample(
        "sinch",
        {"plan": "plan1", "token": "sinch-secret"},
        answer(201, {"id": "SI1", "to": [ADA]}),
        "SI1",
        [
            (answer(400, {"code": "syntax_constraint_violation", "text": "words"}), ErrorKind.CONTENT),
            (answer(401, {"code": "unauthorized", "text": "words"}), ErrorKind.AUTH),
            (answer(400, {"code": "new", "text": "words"}), ErrorKind.TEMPORARY),
        ],
        ("json", {"type": "mo_text", "id": "SIMO1", "from": ADA, "to": "12025550100", "body": "STOP"}),
        (
            "json",
            {
                status: {
                    "type": "recipient_delivery_report_sms",
                    "batch_id": "SI1",
                    "recipient": ADA,
                    "code": code,
                    "status": word,
                    "client_reference": REF,
                }
                for status, word, code in [
                    (SENT, "Dispatched", 400),
                    (DELIVERED, "Delivered", 0),
                    (FAILED, "Failed", 404),
                ]
            },
        ),
    ),
    sample(
        "africastalking",
        {"username": "app", "api_key": "africastalking-secret"},
        africas_talking(101),
        "ATXid_1",
        [
            (africas_talking(402), ErrorKind.CONFIG),
            (africas_talking(403), ErrorKind.INVALID),
            (africas_talking(405), ErrorKind.QUOTA),
            (africas_talking(406), ErrorKind.OPTED_OUT),
            (africas_talking(409), ErrorKind.BLOCKED),
            (africas_talking(73999), ErrorKind.TEMPORARY),
            (Reply(401, b"The supplied authentication is invalid"), ErrorKind.AUTH),
        ],
        ("form", {"id": "ATMO1", "from": f"+{ADA}", "to": FROM, "text": "STOP", "date": "2026-11-28"}),
    ),
    sample(
        "clickatell",
        {"api_key": "clickatell-secret"},
        clickatell(True),
        "CT1",
        [
            (clickatell(False, 105), ErrorKind.INVALID),
            (clickatell(False, 121), ErrorKind.OPTED_OUT),
            (clickatell(False, 301), ErrorKind.QUOTA),
            (clickatell(False, 73999), ErrorKind.TEMPORARY),
            (answer(401, {"error": "Invalid or missing Integration API Key"}), ErrorKind.AUTH),
        ],
        ("json", {"messageId": "CTMO1", "fromNumber": ADA, "toNumber": "12025550100", "text": "STOP"}),
        (
            "json",
            {SENT: clickatell_report(3), DELIVERED: clickatell_report(4), FAILED: clickatell_report(5)},
        ),
    ),
    sample(
        "clickatell_one",
        {"api_key": "clickatell-one-secret"},
        clickatell_one(202),
        "CO1",
        [
            (clickatell_one(400, n12025550123=25), ErrorKind.INVALID),
            (clickatell_one(400, n12025550123=26), ErrorKind.OPTED_OUT),
            (clickatell_one(400, n12025550123=43), ErrorKind.RATE_LIMITED),
            (clickatell_one(400, n12025550123=73999), ErrorKind.TEMPORARY),
            (clickatell_one_refuses(402, 20), ErrorKind.QUOTA),
            (clickatell_one_refuses(401, 1), ErrorKind.AUTH),
        ],
        ("json", clickatell_one_says("STOP")),
        (
            "json",
            {
                SENT: clickatell_one_report("SENT_TO_SUPPLIER"),
                DELIVERED: clickatell_one_report("DEVICE_ACK"),
                FAILED: clickatell_one_report("RECIPIENT_DOES_NOT_EXIST"),
            },
        ),
    ),
    sample(
        "telnyx",
        {"api_key": "telnyx-secret"},
        answer(200, {"data": {"id": "TX1"}}),
        "TX1",
        [
            (telnyx_failure(403, "40300"), ErrorKind.OPTED_OUT),
            (telnyx_failure(401, "10009"), ErrorKind.AUTH),
            (telnyx_failure(400, "40310"), ErrorKind.INVALID),
            (telnyx_failure(429, "10011"), ErrorKind.RATE_LIMITED),
            (telnyx_failure(400, UNKNOWN_CODE), ErrorKind.TEMPORARY),
        ],
        ("json", telnyx_message()),
        (
            "json",
            {
                SENT: telnyx_report("sent"),
                DELIVERED: telnyx_report("delivered"),
                FAILED: telnyx_report("delivery_failed"),
            },
        ),
    ),
    sample(
        "kannel",
        {"username": "tidings", "password": "kannel-secret"},
        answer(202, "0: Accepted for delivery"),
        REF,
        [
            (answer(400, "Empty receiver number not allowed, rejected"), ErrorKind.TEMPORARY),
            (answer(403, "Authorization failed for sendsms"), ErrorKind.AUTH),
            (answer(503, "Temporal failure, try again later."), ErrorKind.TEMPORARY),
        ],
        ("query", {"id": "KMO1", "sender": f"+{ADA}", "to": FROM, "text": "STOP", "coding": "0"}),
        (
            "query",
            {
                SENT: {"st": "8", "id": "K1", "answer": "ACK/"},
                DELIVERED: {"st": "1", "id": "K1"},
                FAILED: {"st": "16", "id": "K1", "answer": "NACK/0x0000000b/Invalid Destination Address"},
            },
        ),
    ),
]
SAMPLES = {one.name: one for one in _ALL}
SAMPLES["infobip"] = replace(
    SAMPLES["infobip"],
    accepted=lambda count: infobip_takes(SAMPLES["infobip"].addresses[:count]),
    provider_ids=["IB1", "IB2", "IB3"],
)
SAMPLES["clickatell_one"] = replace(
    SAMPLES["clickatell_one"],
    accepted=lambda count: clickatell_one(202, SAMPLES["clickatell_one"].addresses[:count]),
    provider_ids=["CO1", "CO2", "CO3"],
)
# A file of the operator's own; Kannel's stands for it.
_KANNEL = files("app.gateways.http_sms").joinpath("providers/kannel.toml").read_text(encoding="utf-8")
SAMPLE = replace(
    SAMPLES["kannel"],
    name="http_sms",
    settings={**SAMPLES["kannel"].settings, "description": _KANNEL},
    wrong_settings=[
        ({"description": ""}, "description=@provider.toml"),
        ({"description": "title = 1"}, "http_sms.toml: the key 'source' is missing"),
        ({"description": "not toml"}, "The description is wrong"),
        ({"password": ""}, "password is missing"),
        ({"colour": "red"}, "colour is no setting"),
    ],
)
