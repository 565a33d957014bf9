"""What people do on LINE as an account's webhook hears of it, and the tokens by which it may answer."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Final, NamedTuple

from app.clock import utcnow
from app.simulator.messengers import Account, Messenger, Told

TOKEN_GOOD_FOR: Final = timedelta(minutes=1)


class ReplyToken(NamedTuple):
    """By which one event may be answered once: which account heard it, from whom, and when."""

    address: str
    user: str
    made_at: datetime


class LineMessenger(Messenger):
    """What an account's webhook is told; remembers the tokens with which one event may be answered once."""

    channel = "line"

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock
        # Over restarts they count up, or the product would take new events for repeats.
        self._numbers = count(int(clock().timestamp() * 1000))
        self.reply_tokens: dict[str, ReplyToken] = {}

    def id_of(self, number: str) -> str:
        """A user's id: U and 32 digits, the last of them the phone's."""
        return f"U{number.removeprefix('+'):0>32}"

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told | None:
        """Somebody befriends the account; LINE's links bring a text to send, and no scene."""
        return None if known else self._event(account, number, "follow", follow={"isUnblocked": False})

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text."""
        message = {"id": str(next(self._numbers)), "type": "text", "text": text, "quoteToken": "q"}
        return self._event(account, number, "message", message=message)

    def pressed(self, account: Account, number: str, label: str, value: str) -> Told:
        """A quick reply with a postback."""
        return self._event(account, number, "postback", postback={"data": value})

    def blocked(self, account: Account, number: str, blocked: bool) -> Told:
        """To block is to unfollow here; to lift the block, to follow as one who had."""
        if blocked:
            return self._event(account, number, "unfollow")
        return self._event(account, number, "follow", follow={"isUnblocked": True})

    def _event(self, account: Account, number: str, kind: str, **more: object) -> Told:
        user, token = self.id_of(number), secrets.token_hex(16)
        if kind != "unfollow":
            self._forget_old_tokens()
            self.reply_tokens[token] = ReplyToken(account.address, user, self._clock())
            more["replyToken"] = token
        event = {
            "type": kind,
            "mode": "active",
            "timestamp": int(self._clock().timestamp() * 1000),
            "source": {"type": "user", "userId": user},
            "webhookEventId": f"{next(self._numbers):026d}",
            "deliveryContext": {"isRedelivery": False},
            **more,
        }
        body = json.dumps({"destination": "U" + "0" * 32, "events": [event]}).encode()
        secret = account.settings.get("channel_secret", "").encode()
        signature = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
        return Told(body, {"Content-Type": "application/json", "X-Line-Signature": signature})

    def take_token(self, account: Account, token: str) -> str | None:
        """Return whom an account may answer by this token, which is used up by that; None where it is good no more."""
        self._forget_old_tokens()
        found = self.reply_tokens.get(token)
        if found is None or found.address != account.address:
            return None
        self.reply_tokens.pop(token, None)
        return found.user

    def _forget_old_tokens(self) -> None:
        """They stand in the order in which they were made."""
        over = self._clock() - TOKEN_GOOD_FOR
        while (oldest := next(iter(self.reply_tokens.items()), None)) and oldest[1].made_at <= over:
            self.reply_tokens.pop(oldest[0], None)
