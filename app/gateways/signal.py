"""Signal by a signal-cli daemon of the operator's own: unofficial, for small lists, off until it is accepted.

Source: github.com/AsamK/signal-cli, the manual page signal-cli-jsonrpc(5), read in November 2026. What goes out is one
JSON-RPC request a person; what comes in are server-sent events, which `app.gateways.signal_stream` reads. A report of
delivery names the moment at which the message was sent, which is its id at Signal, and the person who got it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import quote, urlsplit

from app.domain.addresses import BadAddress, canonical, is_phone
from app.domain.channels import CHANNELS
from app.domain.messages import (
    Batch,
    ErrorKind,
    Event,
    HookRequest,
    Outcome,
    ReceiptStatus,
    Recipient,
    SendError,
)
from app.domain.small_lists import MOST_PEOPLE
from app.domain.styled import utf16
from app.domain.styles import Style, styles_named
from app.gateways.base import (
    BadSetting,
    BadSignature,
    Call,
    Capabilities,
    Malformed,
    Proof,
    Reply,
    SettingSpec,
)
from app.gateways.common import (
    HttpGateway,
    by_code,
    by_status,
    for_all,
    json_of,
    posted_json,
    seconds,
    without_answer,
)
from app.gateways.paths import at, items
from app.gateways.signal_events import IGNORED, message_id, read_envelope, recipient_of, who

EVENT: Final = "EVENT"
"""The method of what came in by the daemon's events, and not over HTTP."""
ACCEPTED: Final = "community"
PROOF_WANTED: Final = "PROOF_REQUIRED"
_REST: Final = timedelta(minutes=5)
"""How long to wait where Signal says that it is too much, and not for how long."""
_LONGEST_TOKEN: Final = 60
_LOOKS: Final[Mapping[Style, str]] = {
    Style.BOLD: "BOLD",
    Style.ITALIC: "ITALIC",
    Style.STRIKE: "STRIKETHROUGH",
}
"""signal-cli(1), `--text-style`: start:length:STYLE, counted in UTF-16 code units."""
_NOT_ACCEPTED: Final = (
    "Signal is off until you accept what it means: signal-cli is not by Signal, whose terms forbid bulk messaging, and "
    "the number may be taken away. It is for lists of up to {most} people who know you. accept is missing; where that "
    f"is so, add --set accept={ACCEPTED}"
)


class SignalGateway(HttpGateway):
    """One number of ours that is registered with signal-cli."""

    name = "signal"
    channel = "signal"
    settings = (
        SettingSpec("account", secret=False, example="+12025550100"),
        SettingSpec("server", secret=False, example="http://127.0.0.1:8080"),
        SettingSpec("accept", secret=False, example=ACCEPTED),
        SettingSpec(
            "password", secret=True, example="of a proxy before the daemon, user tidings", required=False
        ),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._account = settings["account"]
        self.server = (base_url or settings["server"]).rstrip("/")
        password = settings.get("password")
        self._auth = ("tidings", password) if password else None

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address (E.164); raises `BadSetting` naming what is missing, wrong or unknown."""
        if settings.get("accept") != ACCEPTED:
            raise BadSetting(_NOT_ACCEPTED.format(most=MOST_PEOPLE[cls.name]))
        cls.complete(settings)
        check_server(settings["server"])
        try:
            return canonical(cls.channel, settings["account"]).value
        except BadAddress as error:
            raise BadSetting(
                f"account is the number that signal-cli is registered with, or its id: {error}"
            ) from error

    @classmethod
    def capabilities(cls) -> Capabilities:
        """Signal publishes no limits and asks for a captcha when it has had enough: one a second is careful."""
        return Capabilities(
            channel=cls.channel,
            max_text=CHANNELS[cls.channel].longest,
            text_unit="chars",
            default_rate=1.0,
            rate_unit="message",
            receipts=frozenset({ReceiptStatus.DELIVERED}),
            proof=Proof.STORED,
            connection="stream",
            most_people=MOST_PEOPLE[cls.name],
            styles=styles_named(cls.name),
        )

    def check_call(self) -> Call:
        """Return the request that a running daemon answers with 200."""
        return Call("GET", f"{self.server}/api/v1/check", b"", {}, self._auth)

    def events_call(self) -> Call:
        """Return the request for the daemon's events, which does not end."""
        url = f"{self.server}/api/v1/events?account={quote(self._account, safe='')}"
        return Call("GET", url, b"", {"Accept": "text/event-stream"}, self._auth)

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a recipient, so that an outcome is one person's."""
        return [self._call(recipient) for recipient in batch.recipients]

    def _call(self, recipient: Recipient) -> Call:
        params: dict[str, Any] = {
            "account": self._account,
            "recipient": [recipient.address.value],
            "message": recipient.text,
        }
        if recipient.styles:
            params["textStyle"] = [
                f"{at}:{length}:{_LOOKS[look]}" for at, length, look in utf16(recipient.words)
            ]
        body = {"jsonrpc": "2.0", "id": str(recipient.ref), "method": "send", "params": params}
        headers = {"Content-Type": "application/json"}
        url = f"{self.server}/api/v1/rpc"
        return Call("POST", url, json.dumps(body).encode(), headers, self._auth, (recipient.ref,))

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """The one person's result stands in the result, or in the data of an error when nobody got it."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        body = json_of(reply.body)
        sent_at, results = at(body, "result.timestamp"), items(body, "result.results")
        if results and sent_at and at(results[0], "type") == "SUCCESS":
            return for_all(call, None, message_id(sent_at, who(recipient_of(results[0]))))
        results = results or items(body, "error.data.response.results")
        if results and (type_ := at(results[0], "type")) != "SUCCESS":
            return for_all(call, self._failure(results[0], type_, at(body, "error.message")))
        return for_all(call, self._refusal(body, reply))

    def _failure(self, result: object, type_: str, words: str) -> SendError:
        if type_ != "RATE_LIMIT_FAILURE":
            return by_code(self.name, type_, words)
        token = at(result, "token")
        wait = seconds(at(result, "retryAfterSeconds")) or _REST.total_seconds()
        return self._wants_proof(token) if token else by_code(self.name, type_, words, wait)

    def _wants_proof(self, token: str) -> SendError:
        """Sending on would cost the number: the sender rests until the operator has shown to be a person."""
        return SendError(
            ErrorKind.CONFIG,
            PROOF_WANTED,
            "Signal wants a captcha. Solve https://signalcaptchas.org/challenge/generate.html, then: signal-cli "
            f"-a {self._account} submitRateLimitChallenge --challenge {token[:_LONGEST_TOKEN]} --captcha …",
        )

    def _refusal(self, body: Mapping[str, Any], reply: Reply) -> SendError:
        code, words = at(body, "error.code"), at(body, "error.message")
        if "Authorization failed" in words or "AuthorizationFailed" in words:
            return SendError(ErrorKind.AUTH, code, "Signal no longer knows this number; register it again.")
        if not code:
            return by_status(reply, words)
        return by_code(self.name, code, words, _REST.total_seconds() if code == "-5" else None)

    def verify(self, request: HookRequest) -> None:
        """Only our own stream brings events; what anybody posts over HTTP is none."""
        if request.method != EVENT:
            raise BadSignature("Signal comes in by the daemon's events, never over HTTP.")

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """A daemon may have several accounts; what came to another one is nothing to us."""
        body = posted_json(request)
        envelope = body.get("envelope")
        if not isinstance(envelope, Mapping):
            raise Malformed("The field envelope is missing.")
        if at(body, "account") not in ("", self._account):
            return [IGNORED]
        return read_envelope(envelope)

    def link(self, payload: str) -> str | None:
        """Opens the chat; these links carry nothing of ours, and an account without a number has none."""
        return f"https://signal.me/#p/{self._account}" if is_phone(self._account) else None


def check_server(server: str) -> None:
    """Raise `BadSetting` unless texts on their way to the daemon stay private: by TLS, or on a network of our own."""
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSetting("server is where the daemon listens, such as http://127.0.0.1:8080.")
    if parts.scheme == "http" and not _is_near(parts.hostname):
        raise BadSetting(
            f"server: {parts.hostname} is no private address, and http would show everybody's texts on the way. "
            "Use https, or http://127.0.0.1:8080 on the same machine."
        )


def _is_near(host: str) -> bool:
    """A loopback or private address, or a name that only our own network knows, such as a container's."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(".internal")
