"""WeChat: an official account that people follow. A broadcast is a mass send to a list of followers, an answer a
customer service message; both carry an access token that all processes share.

Source: developers.weixin.qq.com, "Mass sending", "Customer service messages", "Receiving messages and events" and
"Stable access token", read in November 2026. Every error comes as HTTP 200 with an `errcode`.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from app.domain.messages import (
    Batch,
    ErrorKind,
    Event,
    HookReply,
    HookRequest,
    Outcome,
    PlatformSignal,
    Recipient,
    SendError,
)
from app.domain.quotas import QUOTAS
from app.gateways import wechat_followers
from app.gateways.base import (
    BadSetting,
    BadSignature,
    Call,
    Capabilities,
    Malformed,
    Proof,
    Reply,
    SettingSpec,
    Token,
)
from app.gateways.common import (
    HttpGateway,
    by_code,
    by_status,
    by_text,
    for_all,
    for_group,
    json_of,
    without_answer,
)
from app.gateways.followers import Page
from app.gateways.safe_xml import document
from app.gateways.wechat_crypt import CannotDecrypt, decrypt, key_of, signature
from app.gateways.wechat_events import event_of

API: Final = "https://api.weixin.qq.com"
MAX_TO: Final = 10_000
MINUTE: Final = 60.0
_HEADERS: Final = {"Content-Type": "application/json"}
_OPENID: Final = re.compile(r"[A-Za-z0-9_-]{28}")
_ACCOUNT: Final = re.compile(r"gh_[A-Za-z0-9]{1,32}")
_APP: Final = re.compile(r"wx[A-Za-z0-9]{8,32}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9]{3,32}")
_REFUSED_TOKEN: Final = frozenset({"40001", "40014", "42001"})
_TAKEN_BEFORE: Final = "45065"


class WeChatGateway(HttpGateway):
    """A service account as a sender. The reply to a mass send proves nothing of one follower."""

    name = "wechat"
    channel = "wechat"
    settings = (
        SettingSpec("app_id", secret=False, example="wx0123456789abcdef"),
        SettingSpec("app_secret", secret=True, example="the AppSecret of the account"),
        SettingSpec("id", secret=False, example="gh_0123456789ab"),
        SettingSpec("token", secret=True, example="the Token of the server configuration"),
        SettingSpec("aes_key", secret=True, example="the EncodingAESKey, 43 characters", required=False),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._app_id, self._app_secret = settings["app_id"], settings["app_secret"]
        self._token = settings["token"]
        self._key = key_of(settings["aes_key"]) if settings.get("aes_key") else None
        self._url = f"{(base_url or API).rstrip('/')}/cgi-bin"
        self.token_key = f"wechat:{self._app_id}"

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, the account's original id; raises `BadSetting` naming what is wrong."""
        cls.complete(settings)
        if not _APP.fullmatch(settings["app_id"]):
            raise BadSetting("app_id begins with wx, such as wx0123456789abcdef.")
        if not _ACCOUNT.fullmatch(settings["id"]):
            raise BadSetting("id is the account's original id: it begins with gh_, such as gh_0123456789ab.")
        if not _TOKEN.fullmatch(settings["token"]):
            raise BadSetting(
                "token has 3 to 32 letters and digits; give the same in the server configuration."
            )
        _check_key(settings.get("aes_key", ""))
        return settings["id"]

    @classmethod
    def capabilities(cls) -> Capabilities:
        """60 mass sends a minute, each to 10,000 followers; the followers' quota ends a broadcast long before."""
        return Capabilities(
            channel=cls.channel,
            max_text=2048,
            text_unit="bytes",
            max_batch=MAX_TO,
            min_batch=2,
            default_rate=1.0,
            rate_unit="request",
            signals=frozenset({PlatformSignal.FOLLOWED, PlatformSignal.LEFT}),
            proof=Proof.QUEUED,
            idempotent=True,
            quota=QUOTAS[cls.name],
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """A mass send for followers of one text, a customer service message for answers and for one follower alone.

        WeChat refuses a mass send to a single one; and an id that is not spelt like an openid goes alone, for it would
        fail everybody who shares its request.
        """
        together = [one for one in batch.recipients if _may_share(one)]
        alone = [one for one in batch.recipients if not _may_share(one)]
        groups = [*by_text(together, MAX_TO), *((one,) for one in alone)]
        return [self._call(group, batch.callback_url) for group in groups]

    def _call(self, people: tuple[Recipient, ...], callback_url: str) -> Call:
        refs = tuple(one.ref for one in people)
        to = [one.address.value for one in people]
        body: dict[str, Any] = {"touser": to, "msgtype": "text", "text": {"content": people[0].text}}
        if len(to) == 1:
            url, raw = f"{self._url}/message/custom/send", _raw(body | {"touser": to[0]})
            return Call("POST", url, raw, _HEADERS, refs=refs)
        # WeChat keeps it for a day and takes it once; at most 64 bytes.
        named = " ".join((callback_url, *(str(ref) for ref in refs), people[0].text))
        body["clientmsgid"] = hashlib.sha256(named.encode()).hexdigest()
        return Call("POST", f"{self._url}/message/mass/send", _raw(body), _HEADERS, refs=refs)

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """Code 0, or 45065 for a request that was taken before, is a yes; a mass send is known by its `msg_id`."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        body = json_of(reply.body)
        code = _code(body)
        if reply.status != 200 or code is None:
            return for_group(call, by_status(reply))
        if code not in ("0", _TAKEN_BEFORE):
            return for_group(call, _error(code, str(body.get("errmsg") or "")))
        if len(call.refs) == 1:
            return for_all(call, None, str(call.refs[0]))
        message_id = body.get("msg_id")
        if not isinstance(message_id, int):
            return for_all(call, SendError(ErrorKind.UNKNOWN, code, "The reply has no msg_id."))
        return for_all(call, None, str(message_id))

    def token_call(self, *, anew: bool) -> Call:
        """The stable token: asking again does not retire the one that others use. `anew` does, 20 times a day."""
        body = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._app_secret,
            "force_refresh": anew,
        }
        return Call("POST", f"{self._url}/stable_token", _raw(body), _HEADERS)

    def token_of(self, reply: Reply) -> Token | Reply:
        """The token, good for two hours at most; or the reply, where it has a code that tells us why there is none."""
        body = json_of(reply.body)
        value, seconds = body.get("access_token"), body.get("expires_in")
        if reply.status == 200 and isinstance(value, str) and value and isinstance(seconds, int):
            return Token(value, float(seconds))
        told = reply.status == 200 and _code(body) not in (None, "0", _TAKEN_BEFORE)
        return reply if told else Reply(0, left=False, reason="no_token")

    def with_token(self, call: Call, token: str) -> Call:
        """It goes into the address."""
        return call._replace(url=f"{call.url}{'&' if '?' in call.url else '?'}access_token={quote(token)}")

    def refuses_token(self, reply: Reply) -> bool:
        """Invalid or expired."""
        return reply.status == 200 and _code(json_of(reply.body)) in _REFUSED_TOKEN

    def handshake(self, request: HookRequest) -> HookReply | None:
        """Echo what WeChat sends when the address is entered in the server configuration."""
        if "echostr" not in request.query:
            return super().handshake(request)
        self._check(request, "signature")
        return HookReply(200, body=request.query["echostr"])

    def verify(self, request: HookRequest) -> None:
        """The signature in the address. With an EncodingAESKey it covers the message, without one only the moment."""
        if self._key is None:
            self._check(request, "signature")
            return
        try:
            sealed = _sealed(request)
        except Malformed as error:
            raise BadSignature("The message is not encrypted; choose the safe mode.") from error
        self._check(request, "msg_signature", sealed)

    def _check(self, request: HookRequest, name: str, *more: str) -> None:
        query = request.query
        expected = signature(self._token, query.get("timestamp", ""), query.get("nonce", ""), *more)
        if not hmac.compare_digest(query.get(name, "").encode(), expected.encode()):
            raise BadSignature(f"The {name} does not fit this sender's token.")

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Words, who follows and who left, scans, pressed menus, and how a mass send ended."""
        xml = request.body
        if self._key is not None:
            try:
                xml = decrypt(self._key, self._app_id, _sealed(request))
            except CannotDecrypt as error:
                raise Malformed(str(error)) from error
        return [event_of(document(xml, "The message"))]

    def acknowledge(self, request: HookRequest) -> HookReply:
        """The word without which WeChat tells the person that the account is out of order."""
        return HookReply(200, body="success")

    def followers_call(self, start: str) -> Call:
        """Ask for ten thousand followers."""
        return wechat_followers.call(self._url, start)

    def followers_of(self, reply: Reply) -> Page:
        """Some followers; raises `CannotList`."""
        return wechat_followers.read(reply)

    def drawn_link_call(self, payload: str) -> Call:
        """Return the request for a lasting QR code that brings us `payload` when it is scanned."""
        body = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": payload}}}
        return Call("POST", f"{self._url}/qrcode/create", _raw(body), _HEADERS)

    def drawn_link_of(self, reply: Reply) -> str | None:
        """Return what the code says, an address that WeChat's scanner opens; None when none was made."""
        url = json_of(reply.body).get("url")
        return url if reply.status == 200 and isinstance(url, str) and url else None


class WeChatSubscriptionGateway(WeChatGateway):
    """A subscription account: the same protocol, and one mass send a day for all followers."""

    name = "wechat_subscription"


def _check_key(aes_key: str) -> None:
    try:
        if aes_key:
            key_of(aes_key)
    except ValueError as error:
        raise BadSetting(
            "aes_key is the EncodingAESKey of the server configuration: 43 characters."
        ) from error


def _may_share(one: Recipient) -> bool:
    return one.ref.inbound_id == 0 and _OPENID.fullmatch(one.address.value) is not None


def _raw(body: Mapping[str, Any]) -> bytes:
    # WeChat shows people an escaped letter as it is escaped, so every letter stands as it is.
    return json.dumps(body, ensure_ascii=False).encode()


def _code(body: Mapping[str, Any]) -> str | None:
    code = body.get("errcode")
    return str(code) if isinstance(code, int) and not isinstance(code, bool) else None


def _error(code: str, words: str) -> SendError:
    error = by_code(WeChatGateway.name, code, words)
    if error.kind is ErrorKind.RATE_LIMITED:
        return SendError(error.kind, code, error.detail, MINUTE)
    return error


def _sealed(request: HookRequest) -> str:
    sealed = document(request.body, "The message").findtext("Encrypt")
    if not sealed:
        raise Malformed("The field Encrypt is missing.")
    return sealed
