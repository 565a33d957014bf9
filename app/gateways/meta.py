"""What WhatsApp and Messenger share: Meta's Graph API, its signature, its handshake, and the shape of its errors."""

import hmac
from collections.abc import Mapping
from typing import ClassVar, Final

from app.domain.messages import ErrorKind, HookReply, HookRequest, SendError
from app.gateways.base import BadSignature, Reply, SettingSpec
from app.gateways.code_tables import codes_of
from app.gateways.common import (
    HttpGateway,
    by_code,
    by_status,
    check_hmac,
    hmac_sha256,
    json_of,
    seconds,
)
from app.gateways.paths import at

API: Final = "https://graph.facebook.com"
VERSION: Final = "v25.0"
SETTINGS: Final = (
    SettingSpec("token", secret=True, example="the access token of a system user or page"),
    SettingSpec("app_secret", secret=True, example="the app secret, under App settings, Basic"),
    SettingSpec("verify_token", secret=True, example="words of your choice, the same as at the webhook"),
)


class MetaGateway(HttpGateway):
    """An account under one of Meta's apps."""

    _node: ClassVar[str]
    """The setting that names the account which sends."""

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._app_secret, self._verify_token = settings["app_secret"], settings["verify_token"]
        self._account = settings[self._node]
        self._url = f"{(base_url or API).rstrip('/')}/{VERSION}/{self._account}/messages"
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {settings['token']}"}

    def handshake(self, request: HookRequest) -> HookReply | None:
        """Repeat the challenge to whoever knows our verify token."""
        if request.query.get("hub.mode") is None:
            return super().handshake(request)
        given = request.query.get("hub.verify_token", "")
        if request.query["hub.mode"] != "subscribe" or not hmac.compare_digest(
            given.encode(), self._verify_token.encode()
        ):
            raise BadSignature("The verify token is not the one of this sender.")
        return HookReply(200, body=request.query.get("hub.challenge", ""))

    def verify(self, request: HookRequest) -> None:
        """`X-Hub-Signature-256`: the HMAC-SHA256 of the raw body with the app's secret."""
        digest = hmac_sha256(self._app_secret, request.body).hex()
        check_hmac(request, "x-hub-signature-256", f"sha256={digest}")

    def _refusal(self, reply: Reply) -> SendError:
        """Read an error of the Graph API; its codes count, its titles do not, says Meta."""
        error = json_of(reply.body).get("error")
        if not at(error, "code"):
            return by_status(reply)
        detail = at(error, "error_data.details") or at(error, "message")
        return self._by_code(
            at(error, "code"), detail, at(error, "error_subcode"), seconds(reply.headers.get("retry-after"))
        )

    def _by_code(self, code: str, detail: str, subcode: str = "", wait: float | None = None) -> SendError:
        """A subcode says more than its code, where the table knows it."""
        exact = f"{code}/{subcode}"
        error = by_code(self.name, exact if exact in codes_of(self.name) else code, detail, wait)
        if error.kind is ErrorKind.RATE_LIMITED and error.retry_after is None:
            return SendError(error.kind, error.code, error.detail, retry_after=1.0)
        return error
