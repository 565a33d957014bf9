"""What WeChat says; bodies after developers.weixin.qq.com."""

import hashlib
import json
from typing import Any
from xml.sax.saxutils import escape

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal
from app.gateways.base import Reply
from tests.gateways.sample import Sample, get, post

TOKEN = "wtoken"
SETTINGS = {
    "app_id": "wxappid000000000",
    "app_secret": "an-app-secret",
    "id": "gh_1",
    "token": TOKEN,
}
ADA, GRACE, JEAN = ("o" + letter * 27 for letter in "abc")


def signed(body: bytes, token: str = TOKEN) -> HookRequest:
    timestamp, nonce = "1795374000", "n0nce"
    digest = hashlib.sha1(
        "".join(sorted((token, timestamp, nonce))).encode(), usedforsecurity=False
    ).hexdigest()
    return post(body, {}, {"signature": digest, "timestamp": timestamp, "nonce": nonce})


def xml(kind: str, user: str = ADA, at: int = 1795370000, **fields: str) -> bytes:
    given = {"ToUserName": "gh_1", "FromUserName": user, "CreateTime": str(at), "MsgType": kind, **fields}
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in given.items())
    return f"<xml>{inside}</xml>".encode()


def text(words: str, number: int = 23, **more: Any) -> bytes:
    return xml("text", Content=words, MsgId=str(number), **more)


def event(name: str, user: str = ADA, at: int = 1795370000, **fields: str) -> bytes:
    return xml("event", user, at, Event=name, **fields)


def refusal(code: int, words: str = "no") -> Reply:
    return Reply(200, json.dumps({"errcode": code, "errmsg": words}).encode())


FAILURES = [
    (refusal(40003, "invalid openid"), ErrorKind.INVALID),
    (refusal(43004, "require subscribe"), ErrorKind.OPTED_OUT),
    (refusal(43101, "user refuse to accept the msg"), ErrorKind.BLOCKED),
    (refusal(48002, "user refuses"), ErrorKind.BLOCKED),
    (refusal(45015, "response out of time limit or subscription is canceled"), ErrorKind.WINDOW_CLOSED),
    (refusal(45047, "out of response count limit"), ErrorKind.WINDOW_CLOSED),
    (refusal(45011, "api minute-quota reach limit"), ErrorKind.RATE_LIMITED),
    (refusal(45009, "reach max api daily quota limit"), ErrorKind.QUOTA),
    (refusal(45028, "has no masssend quota"), ErrorKind.QUOTA),
    (refusal(45002, "content size out of limit"), ErrorKind.CONTENT),
    (refusal(45067, "clientmsgid size out of limit"), ErrorKind.CONTENT),
    (refusal(48001, "api unauthorized"), ErrorKind.CONFIG),
    (refusal(48003, "user not agree mass-send protocol"), ErrorKind.CONFIG),
    (refusal(48004, "api forbidden"), ErrorKind.CONFIG),
    (refusal(50002, "user limited"), ErrorKind.CONFIG),
    (refusal(40164, "invalid ip, not in whitelist"), ErrorKind.CONFIG),
    (refusal(40001, "invalid credential"), ErrorKind.AUTH),
    (refusal(40014, "invalid access_token"), ErrorKind.AUTH),
    (refusal(42001, "access_token expired"), ErrorKind.AUTH),
    (refusal(-1, "system error"), ErrorKind.TEMPORARY),
    (refusal(99999, "something new"), ErrorKind.TEMPORARY),
    (Reply(503, b"busy"), ErrorKind.TEMPORARY),
    (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
]


def accepted(count: int) -> Reply:
    return Reply(
        200, b'{"errcode": 0, "errmsg": "send job submission success", "msg_id": 91, "msg_data_id": 7}'
    )


SAMPLE = Sample(
    name="wechat",
    settings=SETTINGS,
    sender="gh_1",
    wrong_settings=[
        ({"app_id": "0123456789abcdef"}, "begins with wx"),
        ({"id": "citydesk"}, "begins with gh_"),
        ({"token": "no spaces"}, "letters and digits"),
        ({"aes_key": "short"}, "43 characters"),
    ],
    addresses=[ADA, GRACE, JEAN],
    accepted=accepted,
    provider_id="91",
    failures=FAILURES,
    unlisted=[refusal(99999, "something new")],
    stop=signed(text("STOP")),
    tampered=signed(text("STOP"), token="another"),
    malformed=[
        signed(b"<xml>"),
        signed(b"{}"),
        signed(b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><xml>&b;</xml>'),
    ],
    signals={
        PlatformSignal.FOLLOWED: signed(event("subscribe", EventKey="")),
        PlatformSignal.LEFT: signed(event("unsubscribe", at=1795370009, EventKey="")),
    },
    deep_link=signed(event("subscribe", EventKey="qrscene_weekly_poster7", Ticket="t1")),
    repeated=Reply(200, b'{"errcode": 45065, "errmsg": "clientmsgid exist", "msg_id": 91}'),
    handshake=(
        get({**signed(b"").query, "echostr": "7402938475"}),
        "7402938475",
    ),
)
