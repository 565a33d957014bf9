"""The same of a subscription account, whose messages are encrypted (the safe mode)."""

from dataclasses import replace

from app.domain.messages import HookRequest, PlatformSignal
from app.gateways.wechat_crypt import encrypt, key_of, signature
from tests.gateways.sample import post
from tests.gateways.samples import wechat

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SETTINGS = {**wechat.SETTINGS, "aes_key": AES_KEY}
APP_ID = SETTINGS["app_id"]


def sealed(
    body: bytes, token: str = wechat.TOKEN, aes_key: str = AES_KEY, app_id: str = APP_ID
) -> HookRequest:
    inside = encrypt(key_of(aes_key), app_id, body, salt=b"0123456789abcdef")
    moment = {"timestamp": "1795374000", "nonce": "n0nce"}
    query = {
        **moment,
        "encrypt_type": "aes",
        "signature": signature(token, *moment.values()),
        "msg_signature": signature(token, *moment.values(), inside),
    }
    outside = f"<xml><ToUserName>gh_1</ToUserName><Encrypt>{inside}</Encrypt></xml>"
    return post(outside.encode(), {}, query)


SAMPLE = replace(
    wechat.SAMPLE,
    name="wechat_subscription",
    settings=SETTINGS,
    stop=sealed(wechat.text("STOP")),
    tampered=replace(sealed(wechat.text("STOP")), body=sealed(wechat.text("START")).body),
    malformed=[
        wechat.signed(wechat.text("STOP")),
        sealed(b"<xml>"),
        sealed(wechat.text("STOP"), app_id="wxanother00000000"),
        sealed(wechat.text("STOP"), aes_key=AES_KEY[::-1]),
        wechat.signed(b"<xml><Encrypt>bm90aGluZw==</Encrypt></xml>"),
    ],
    signals={
        PlatformSignal.FOLLOWED: sealed(wechat.event("subscribe", EventKey="")),
        PlatformSignal.LEFT: sealed(wechat.event("unsubscribe", at=1795370009, EventKey="")),
    },
    deep_link=sealed(wechat.event("subscribe", EventKey="qrscene_weekly_poster7", Ticket="t1")),
)
