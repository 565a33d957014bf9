"""What a homeserver says; bodies after spec.matrix.org and as Synapse 1.163 posts them."""

import json
from typing import Any

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal
from app.gateways.base import Reply
from tests.gateways.sample import HOOK, Sample

BOT = "@city:example.org"
AS_TOKEN, HS_TOKEN = "as" + "0123456789abcdef" * 2, "hs" + "0123456789abcdef" * 2
SETTINGS = {"server": "https://matrix.example.org", "bot": BOT, "as_token": AS_TOKEN, "hs_token": HS_TOKEN}
ADA, GRACE, JEAN = "@ada:example.org", "@grace:people.example.net", "@Jean_Old:example.org"
ROOM = "!chat-of-ada:example.org"


def asked(method: str, path: str, body: bytes = b"", token: str = HS_TOKEN) -> HookRequest:
    """A request of the server, as the door hands it over."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return HookRequest(method, f"{HOOK}/{path}", headers, body, path=path)


def transaction(*events: object, token: str = HS_TOKEN) -> HookRequest:
    body = json.dumps({"events": events, "ephemeral": []}).encode()
    return asked("PUT", "_matrix/app/v1/transactions/7", body, token)


def event(number: int, kind: str, content: dict[str, Any], sender: str = ADA, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "event_id": f"$event-{number}",
        "room_id": ROOM,
        "sender": sender,
        "origin_server_ts": 1795370000000 + number,
        "content": content,
        "unsigned": {"age": 39},
        **more,
    }


def said(number: int, words: str, sender: str = ADA, **content: Any) -> dict[str, Any]:
    return event(number, "m.room.message", {"msgtype": "m.text", "body": words, **content}, sender)


def member(
    number: int, membership: str, who: str, sender: str = ADA, *, state: Any = (), **content: Any
) -> dict[str, Any]:
    found = {"membership": membership, **content}
    return event(number, "m.room.member", found, sender, state_key=who, invite_room_state=list(state))


def no(status: int, code: str, words: str = "words", **more: Any) -> Reply:
    return Reply(status, json.dumps({"errcode": code, "error": words, **more}).encode())


INVITED = member(2, "invite", BOT, is_direct=True)
LEFT = member(3, "leave", ADA)

SAMPLE = Sample(
    name="matrix",
    settings=SETTINGS,
    sender=BOT,
    wrong_settings=[
        ({"server": "matrix.example.org"}, "where clients sign in"),
        ({"bot": "city"}, "no user of the server"),
        ({"as_token": "short"}, "as_token needs 32"),
        ({"hs_token": AS_TOKEN}, "must differ"),
    ],
    addresses=[ADA, GRACE, JEAN],
    accepted=lambda count: Reply(200, b'{"event_id": "$sent-1"}'),
    provider_id="$sent-1",
    unlisted=[no(400, "M_SOMETHING_NEW")],
    failures=[
        (no(403, "M_FORBIDDEN", "User @city:example.org not in room"), ErrorKind.BLOCKED),
        (no(404, "M_NOT_FOUND"), ErrorKind.GONE),
        (no(400, "M_INVALID_PARAM"), ErrorKind.INVALID),
        (no(413, "M_TOO_LARGE"), ErrorKind.CONTENT),
        (no(429, "M_LIMIT_EXCEEDED", retry_after_ms=2000), ErrorKind.RATE_LIMITED),
        (no(429, "M_LIMIT_EXCEEDED"), ErrorKind.RATE_LIMITED),
        (no(403, "M_RESOURCE_LIMIT_EXCEEDED"), ErrorKind.QUOTA),
        (no(403, "M_USER_DEACTIVATED"), ErrorKind.CONFIG),
        (no(404, "M_UNRECOGNIZED"), ErrorKind.CONFIG),
        (no(401, "M_UNKNOWN_TOKEN"), ErrorKind.AUTH),
        (no(500, "M_UNKNOWN", "Internal server error"), ErrorKind.TEMPORARY),
        (no(400, "M_SOMETHING_NEW"), ErrorKind.TEMPORARY),
        (Reply(401, b"<html>a proxy that wants a password</html>"), ErrorKind.AUTH),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
        (Reply(502, b"<html>a proxy</html>"), ErrorKind.UNKNOWN),
    ],
    stop=transaction(said(1, "STOP")),
    tampered=transaction(said(1, "STOP"), token=AS_TOKEN),
    malformed=[asked("PUT", "_matrix/app/v1/transactions/7", body) for body in (b"{", b"[]", b"{}")],
    signals={
        PlatformSignal.FOLLOWED: transaction(INVITED),
        PlatformSignal.LEFT: transaction(LEFT),
    },
    repeated=Reply(200, b'{"event_id": "$sent-1"}'),
    several=transaction(INVITED, {"type": "m.room.message", "sender": 7}, said(4, "JOIN weekly"), LEFT),
)
