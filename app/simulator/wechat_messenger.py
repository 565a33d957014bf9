"""WeChat's webhooks: messages and events in XML, signed in the address, encrypted where the account has a key; and who
may be answered for how long.

After developers.weixin.qq.com, "Receiving messages and events" and "Message encryption".
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from threading import Lock
from typing import Final
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.clock import utcnow
from app.simulator.messengers import Account, Messenger, Told

# What may follow a person's act: so many customer service messages within so long.
AFTER_WORDS: Final = (5, timedelta(hours=48))
AFTER_FOLLOWING: Final = (3, timedelta(minutes=1))


@dataclass
class _Window:
    left: int
    until: datetime


class Windows:
    """How many customer service messages each follower may still get, and until when. Safe for many threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock, self._lock = clock, Lock()
        self.reset()

    def reset(self) -> None:
        """Close all of them."""
        self._open: dict[tuple[str, str], _Window] = {}

    def open(self, address: str, openid: str, allowed: tuple[int, timedelta]) -> None:
        """Somebody acted; the wider of the window there is and the new one counts."""
        number, lasts = allowed
        fresh = _Window(number, self._clock() + lasts)
        with self._lock:
            old = self._open.get((address, openid))
            if old is None or old.until <= fresh.until or old.left == 0:
                self._open[address, openid] = fresh

    def take(self, address: str, openid: str) -> int:
        """Use one message; returns 0, or WeChat's code of why there is none."""
        with self._lock:
            window = self._open.get((address, openid))
            if window is None or window.until <= self._clock():
                return 45015
            if window.left == 0:
                return 45047
            window.left -= 1
            return 0


class WeChatMessenger(Messenger):
    """What an account's server is told."""

    channel = "wechat"

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock
        self.windows = Windows(clock)
        self._numbers = count(int(clock().timestamp()) * 1000)

    def id_of(self, number: str) -> str:
        """An openid: 28 characters, of which the last are the digits of the phone."""
        return f"o{number.removeprefix('+'):0>27}"

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told:
        """Somebody follows; with a scene they scanned a code, whether they follow from now on or did before."""
        self.windows.open(account.address, self.id_of(number), AFTER_FOLLOWING)
        if known:
            return self._event(account, number, "SCAN", EventKey=scene)
        return self._event(account, number, "subscribe", EventKey=f"qrscene_{scene}" if scene else "")

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text."""
        self.windows.open(account.address, self.id_of(number), AFTER_WORDS)
        return self._told(account, number, MsgType="text", Content=text, MsgId=str(next(self._numbers)))

    def blocked(self, account: Account, number: str, blocked: bool) -> Told:
        """To leave is to unfollow here, and to come back is to follow once more."""
        if blocked:
            return self._event(account, number, "unsubscribe", EventKey="")
        return self.opened(account, number, "", known=False)

    def finished(self, account: Account, message_id: int, people: int, sent: int) -> Told:
        """A mass send ended."""
        totals = {"TotalCount": people, "FilterCount": people, "SentCount": sent, "ErrorCount": people - sent}
        counts = {name: str(number) for name, number in totals.items()}
        return self._told(
            account,
            "",
            MsgType="event",
            Event="MASSSENDJOBFINISH",
            MsgID=str(message_id),
            Status="send success",
            **counts,
        )

    def _event(self, account: Account, number: str, event: str, **fields: str) -> Told:
        return self._told(account, number, MsgType="event", Event=event, **fields)

    def _told(self, account: Account, number: str, **fields: str) -> Told:
        given = {
            "ToUserName": account.address,
            "FromUserName": self.id_of(number) if number else "mphelper",
            "CreateTime": str(int(self._clock().timestamp())),
            **fields,
        }
        xml = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in given.items())
        return _signed(account, f"<xml>{xml}</xml>".encode(), int(self._clock().timestamp()))


def _signed(account: Account, xml: bytes, moment: int) -> Told:
    token, aes_key = account.settings.get("token", ""), account.settings.get("aes_key", "")
    known = {"timestamp": str(moment), "nonce": secrets.token_hex(5)}
    query = {**known, "signature": _sha1(token, *known.values())}
    if aes_key:
        sealed = _encrypt(aes_key, account.settings.get("app_id", ""), xml)
        query |= {"encrypt_type": "aes", "msg_signature": _sha1(token, *known.values(), sealed)}
        xml = f"<xml><ToUserName>{account.address}</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
    return Told(xml, {"Content-Type": "text/xml"}, query)


def _sha1(*values: str) -> str:
    return hashlib.sha1("".join(sorted(values)).encode(), usedforsecurity=False).hexdigest()


def _encrypt(aes_key: str, app_id: str, xml: bytes) -> str:
    key = base64.b64decode(aes_key + "=")
    inside = b"".join((secrets.token_bytes(16), len(xml).to_bytes(4, "big"), xml, app_id.encode()))
    fill = 32 - len(inside) % 32
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(inside + bytes([fill] * fill)) + cipher.finalize()).decode()
