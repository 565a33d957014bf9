"""WeChat's API as far as accounts that send news need it: access tokens, mass sends, customer service messages, codes.

After developers.weixin.qq.com. Everything is HTTP 200 with an `errcode`, refusals too. Followers whose id ends in 0403,
0404, 0429 or 0500 misbehave as SMS numbers do.
"""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from app.simulator.chats import Chats
from app.simulator.later import Later
from app.simulator.limits import TokenBuckets
from app.simulator.messengers import Account
from app.simulator.twilio_json import json_response
from app.simulator.wechat_messenger import WeChatMessenger

TOKEN_SECONDS: Final = 7200
MAX_BYTES: Final = 2048
MOST: Final = 10_000
A_MONTH: Final = 4
CALLS_PER_SECOND: Final = 1.0
_CALENDAR: Final = ZoneInfo("Asia/Shanghai")


class Refusal(Exception):
    """WeChat says no, with a code."""

    def __init__(self, code: int, words: str, **more: object) -> None:
        super().__init__(words)
        self.body: dict[str, object] = {"errcode": code, "errmsg": words, **more}


@dataclass
class _Office:
    """What WeChat remembers of one account."""

    token: str = ""
    token_ends: datetime | None = None
    jobs: dict[str, int] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)


class WeChatApi:
    """`/cgi-bin/...` for the accounts in `chats`; `later` runs what WeChat tells some time after its answer.

    An account whose settings have `kind` "subscription" has one mass send a day; followers of any other get four a
    month.
    """

    def __init__(
        self,
        chats: Chats,
        messenger: WeChatMessenger,
        clock: Callable[[], datetime],
        later: Later,
    ) -> None:
        self._chats, self._messenger, self._clock, self._later = chats, messenger, clock, later
        self._buckets = TokenBuckets()
        self._offices: dict[str, _Office] = {}
        self._message_ids = count(1)
        self._failed_once: set[str] = set()
        chats.on_reset.append(self._failed_once.clear)
        self._lock = Lock()

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("wechat", __name__, url_prefix="/cgi-bin")
        for path, view in (
            ("/stable_token", self.token),
            ("/message/mass/send", self.mass_send),
            ("/message/custom/send", self.custom_send),
            ("/qrcode/create", self.draw),
        ):
            routes.add_url_rule(path, view.__name__, view, methods=["POST"])
        routes.add_url_rule("/user/get", "followers", self.followers)
        routes.register_error_handler(Refusal, lambda error: json_response(error.body))
        return routes

    def token(self) -> Response:
        """The stable token: the same until it ends, or another where that is forced, which retires the first."""
        body = _body()
        account = self._by("app_id", body.get("appid"))
        if account is None:
            raise Refusal(40013, "invalid appid")
        if account.settings.get("app_secret") != body.get("secret"):
            raise Refusal(40125, "invalid appsecret")
        office, now = self._office(account), self._clock()
        with self._lock:
            if office.token_ends is None or office.token_ends <= now or body.get("force_refresh") is True:
                office.token, office.token_ends = (
                    secrets.token_hex(32),
                    now + timedelta(seconds=TOKEN_SECONDS),
                )
            seconds = int((office.token_ends - now).total_seconds())
        return json_response({"access_token": office.token, "expires_in": seconds})

    def custom_send(self) -> Response:
        """One message to one follower, while their window is open."""
        account, body = self._account(), _body()
        openid, text = str(body.get("touser", "")), _text(body)
        self._misbehave(openid)
        if self._chats.number_of(account, openid) is None:
            raise Refusal(40003, "invalid openid")
        if code := self._messenger.windows.take(account.address, openid):
            raise Refusal(code, "response out of time limit or subscription is canceled")
        if self._chats.deliver(account, openid, text) != "deliver":
            raise Refusal(45015, "response out of time limit or subscription is canceled")
        return json_response({"errcode": 0, "errmsg": "ok"})

    def mass_send(self) -> Response:
        """One text to many followers; how it went is told later, in totals."""
        account, body = self._account(), _body()
        to, text = body.get("touser"), _text(body)
        if not isinstance(to, list) or len(to) < 2:
            raise Refusal(40130, "invalid openid list size, at least two openid")
        if len(to) > MOST:
            raise Refusal(40032, "invalid openid list size")
        office, now = self._office(account), self._clock()
        job = str(body.get("clientmsgid") or secrets.token_hex(8))
        if job in office.jobs:
            raise Refusal(45065, "clientmsgid exist", msg_id=office.jobs[job])
        if self._buckets.take(account.address, CALLS_PER_SECOND, now.timestamp()):
            raise Refusal(45011, "api minute-quota reach limit")
        self._take_day(account, office, now)
        message_id = office.jobs[job] = next(self._message_ids)
        sent = sum(self._deliver(account, office, str(openid), text, now) for openid in to)
        told = self._messenger.finished(account, message_id, len(to), sent)
        self._later(lambda: self._chats.report(account, told))
        return json_response(
            {"errcode": 0, "errmsg": "send job submission success", "msg_id": message_id, "msg_data_id": 1}
        )

    def followers(self) -> Response:
        """Who follows and did not leave, a page at a time; behind the last follower comes an empty page."""
        account = self._account()
        if account.settings.get("verified") == "no":
            raise Refusal(48001, "api unauthorized")
        here = (number for number, address in set(self._chats.opened) if address == account.address)
        stay = (one for one in here if not self._chats.is_blocked(one, account.address))
        all_ = sorted(self._messenger.id_of(one) for one in stay)
        page = [one for one in all_ if one > request.args.get("next_openid", "")][:MOST]
        data = {"data": {"openid": page}} if page else {}
        return json_response(
            {"total": len(all_), "count": len(page), **data, "next_openid": page[-1] if page else ""}
        )

    def draw(self) -> Response:
        """A code with a scene."""
        self._account()
        scene = _body().get("action_info", {}).get("scene", {}).get("scene_str")
        if not isinstance(scene, str) or not 1 <= len(scene) <= 64:
            raise Refusal(40053, "invalid action info")
        ticket = secrets.token_urlsafe(16)
        return json_response({"ticket": ticket, "url": f"http://weixin.qq.com/q/{ticket}"})

    def _deliver(self, account: Account, office: _Office, openid: str, text: str, now: datetime) -> bool:
        month = f"{openid} {now.astimezone(_CALENDAR):%Y-%m}"
        limited = account.settings.get("kind") != "subscription"
        if openid[-4:] in ("0403", "0404") or (limited and office.sent[month] >= A_MONTH):
            return False
        office.sent[month] += 1
        return self._chats.deliver(account, openid, text) == "deliver"

    def _take_day(self, account: Account, office: _Office, now: datetime) -> None:
        day = f"{now.astimezone(_CALENDAR):%Y-%m-%d}"
        if account.settings.get("kind") == "subscription" and office.sent[day]:
            raise Refusal(45028, "has no masssend quota")
        office.sent[day] += 1

    def _misbehave(self, openid: str) -> None:
        ending = openid[-4:]
        if ending == "0404":
            raise Refusal(40003, "invalid openid")
        if ending == "0403":
            raise Refusal(43101, "user refuse to accept the msg")
        if ending in ("0429", "0500") and openid not in self._failed_once:
            self._failed_once.add(openid)
            raise Refusal(
                *((45011, "api minute-quota reach limit") if ending == "0429" else (-1, "system error"))
            )

    def _account(self) -> Account:
        """Return whose token this is."""
        token = request.args.get("access_token", "")
        for address, office in list(self._offices.items()):
            account = self._chats.accounts.get(address)
            if account is None or not token:
                continue
            if token == office.token and office.token_ends is not None:
                if office.token_ends <= self._clock():
                    raise Refusal(42001, "access_token expired")
                return account
        raise Refusal(40001 if token else 41001, "invalid credential, access_token is invalid or not latest")

    def _by(self, setting: str, value: object) -> Account | None:
        here = (one for one in self._chats.all() if one.channel == self._messenger.channel)
        return next((one for one in here if one.settings.get(setting) == value), None)

    def _office(self, account: Account) -> _Office:
        with self._lock:
            return self._offices.setdefault(account.address, _Office())


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refusal(47001, "data format error")
    return body


def _text(body: dict[str, Any]) -> str:
    found = body.get("text")
    text = found.get("content") if isinstance(found, dict) and body.get("msgtype") == "text" else None
    if not isinstance(text, str) or not text:
        raise Refusal(44004, "empty content")
    if len(text.encode()) > MAX_BYTES:
        raise Refusal(45002, "content size out of limit")
    return text
