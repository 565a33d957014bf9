"""What a signal-cli daemon says; bodies after its manual page signal-cli-jsonrpc(5) and its source."""

import json
from typing import Any

from app.domain.messages import ErrorKind, HookRequest, ReceiptStatus
from app.gateways.base import Reply
from app.gateways.signal import EVENT, SignalGateway
from tests.gateways.sample import HOOK, Sample

OURS, ADA, ADA_ID = "+12025550100", "+447700900118", "6f9619ff-8b86-4011-b42d-00c04fc964ff"
SENT_AT = 1795370000123
SETTINGS = {
    "account": OURS,
    "server": "http://127.0.0.1:8080",
    "accept": "community",
    "password": "a-proxy-secret",
}


def result(type_: str, **more: Any) -> dict[str, Any]:
    return {"recipientAddress": {"uuid": ADA_ID, "number": ADA, "username": None}, "type": type_, **more}


def sent(*results: dict[str, Any]) -> Reply:
    found = {"timestamp": SENT_AT, "results": list(results) or [result("SUCCESS")]}
    return Reply(200, json.dumps({"jsonrpc": "2.0", "result": found, "id": "12.345.0"}).encode())


def error(code: int, words: str, *results: dict[str, Any]) -> Reply:
    """Nobody got it; the results are in the error's data."""
    data = {"response": {"timestamp": SENT_AT, "results": list(results)}} if results else None
    found = {"code": code, "message": words, "data": data}
    return Reply(200, json.dumps({"jsonrpc": "2.0", "error": found, "id": "12.345.0"}).encode())


def failed(type_: str, code: int = -1, **more: Any) -> Reply:
    return error(code, "Failed to send message", result(type_, **more))


def event(account: str = OURS, number: str | None = ADA, **more: Any) -> HookRequest:
    envelope = {"sourceNumber": number, "sourceUuid": ADA_ID, "sourceDevice": 1, "timestamp": SENT_AT, **more}
    return HookRequest(EVENT, "", {}, json.dumps({"envelope": envelope, "account": account}).encode())


def text(words: str | None, **more: Any) -> HookRequest:
    return event(dataMessage={"timestamp": SENT_AT, "message": words, "attachments": [], **more})


def report(kind: str = "isDelivery", *timestamps: int, **more: Any) -> HookRequest:
    kinds = dict.fromkeys(("isDelivery", "isRead", "isViewed"), False)
    times = list(timestamps) or [SENT_AT]
    return event(receiptMessage={"when": SENT_AT + 900, **kinds, kind: True, "timestamps": times}, **more)


STOP = text("STOP")
FAILURES = [
    (failed("UNREGISTERED_FAILURE"), ErrorKind.INVALID),
    (failed("IDENTITY_FAILURE", -4), ErrorKind.BLOCKED),
    (failed("RATE_LIMIT_FAILURE", -5), ErrorKind.RATE_LIMITED),
    (failed("RATE_LIMIT_FAILURE", -5, token="a-token", retryAfterSeconds=86400), ErrorKind.CONFIG),
    (failed("NETWORK_FAILURE"), ErrorKind.UNKNOWN),
    (failed("INVALID_PRE_KEY_FAILURE"), ErrorKind.TEMPORARY),
    (failed("A_NEW_FAILURE"), ErrorKind.TEMPORARY),
    (sent(result("UNREGISTERED_FAILURE")), ErrorKind.INVALID),
    (error(-1, "Failed to send message"), ErrorKind.TEMPORARY),
    (error(-3, "Failed to send message: connection reset"), ErrorKind.UNKNOWN),
    (error(-3, "[403] Authorization failed! (AuthorizationFailedException)"), ErrorKind.AUTH),
    (error(-4, "Untrusted identity"), ErrorKind.BLOCKED),
    (error(-5, "Rate limited"), ErrorKind.RATE_LIMITED),
    (error(-32602, "Specified account does not exist"), ErrorKind.CONFIG),
    (error(-32603, "NullPointerException"), ErrorKind.UNKNOWN),
    (Reply(401), ErrorKind.AUTH),
    (Reply(200, b"<html>a proxy</html>"), ErrorKind.UNKNOWN),
    (Reply(500, b"ERROR"), ErrorKind.TEMPORARY),
]
(_read,) = SignalGateway(SETTINGS).parse(report())
assert _read.receipt is not None

SAMPLE = Sample(
    name="signal",
    settings=SETTINGS,
    sender=OURS,
    wrong_settings=[
        ({"accept": "yes"}, "terms forbid bulk messaging"),
        ({"account": "city"}, "signal-cli is registered with"),
        ({"server": "127.0.0.1:8080"}, "where the daemon listens"),
        ({"server": "http://signal.example.org"}, "no private address"),
    ],
    addresses=[ADA, "+12025550143", "d4a53c1e-2f0b-4f6e-9d3a-5b7a1c0e8f21"],
    accepted=lambda count: sent(),
    provider_id=_read.receipt.provider_id,
    failures=FAILURES,
    unlisted=[failed("A_NEW_FAILURE")],
    stop=STOP,
    tampered=HookRequest("POST", HOOK, {}, STOP.body),
    malformed=[
        HookRequest(EVENT, "", {}, b"{}"),
        HookRequest(EVENT, "", {}, b"no json"),
        event(timestamp=None, dataMessage={"message": "STOP"}),
    ],
    receipts={ReceiptStatus.DELIVERED: report()},
)
