"""Matrix: a bot of our own homeserver as an application service; people invite it into a room for two.

A person is their user id, which stays; what we write to is the room that they opened, their route. Source:
spec.matrix.org, Application Service API and Client-Server API v1.16, read in November 2026; tried against Synapse.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from app.domain.addresses import BadAddress, canonical
from app.domain.in_place import changes_named
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import (
    Batch,
    Event,
    HookReply,
    HookRequest,
    Outcome,
    PlatformSignal,
    Recipient,
    SendError,
)
from app.domain.styles import styles_named
from app.gateways import matrix_changes, matrix_media, matrix_styles
from app.gateways.base import (
    BadSetting,
    BadSignature,
    Call,
    Capabilities,
    Malformed,
    Proof,
    Reply,
    Routed,
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
from app.gateways.matrix_events import read_event
from app.gateways.paths import at
from app.gateways.uploads import Handle, file_name

TRANSACTIONS: Final = "_matrix/app/v1/transactions/"
PING: Final = "_matrix/app/v1/ping"
USERS: Final = "_matrix/app/v1/users/"
ROOMS: Final = "_matrix/app/v1/rooms/"
MAX_HOOK: Final = 16 * 1024 * 1024
"""A transaction of Synapse has up to 100 events of 64 KiB, and repeats what an invitation shows of a room."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{32,255}")
_UNKNOWN: Final = HookReply(404, "application/json", '{"errcode": "M_NOT_FOUND"}')
_FINE: Final = HookReply(200, "application/json", "{}")


class MatrixGateway(HttpGateway):
    """One bot as a sender. Whoever has not invited it cannot be written to."""

    name = "matrix"
    channel = "matrix"
    settings = (
        SettingSpec("server", secret=False, example="https://matrix.example.org"),
        SettingSpec("bot", secret=False, example="@city:example.org"),
        SettingSpec("as_token", secret=True, example="a secret of 32 letters and digits at least"),
        SettingSpec("hs_token", secret=True, example="another secret of 32 letters and digits at least"),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._bot = canonical(self.channel, settings["bot"]).value
        self._as_token, self._hs_token = settings["as_token"], settings["hs_token"]
        server = (base_url or settings["server"]).rstrip("/")
        self._url, self._media_url = f"{server}/_matrix/client/v3/rooms", f"{server}/_matrix/media/v3/upload"
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._as_token}"}

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, its user id; raises `BadSetting` naming what is missing, wrong or unknown."""
        cls.complete(settings)
        server = urlsplit(settings["server"])
        if server.scheme not in ("http", "https") or not server.netloc:
            raise BadSetting("server is where clients sign in, such as https://matrix.example.org.")
        for name in ("as_token", "hs_token"):
            if not _TOKEN.fullmatch(settings[name]):
                raise BadSetting(
                    f"{name} needs 32 letters or digits at least. Make one: openssl rand -hex 32"
                )
        if settings["as_token"] == settings["hs_token"]:
            raise BadSetting("as_token and hs_token must differ: each side knows the other by its own.")
        try:
            return canonical(cls.channel, settings["bot"]).value
        except BadAddress as error:
            raise BadSetting(f"bot is no user of the server: {error}") from error

    @classmethod
    def capabilities(cls) -> Capabilities:
        """Our own server sets the pace: a small Synapse on SQLite stores 20 to 45 messages a second.

        There are no receipts: what a server tells of reading names an event and no delivery of ours, and nobody
        agreed to be watched while they read.
        """
        return Capabilities(
            channel=cls.channel,
            max_text=32_000,
            text_unit="bytes",
            default_rate=10.0,
            rate_unit="message",
            signals=frozenset({PlatformSignal.FOLLOWED, PlatformSignal.LEFT}),
            proof=Proof.STORED,
            idempotent=True,
            routed=Routed.ROOM,
            max_hook=MAX_HOOK,
            media=media_of(cls.name),
            changes=changes_named(cls.name),
            styles=styles_named(cls.name),
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a recipient, into their room; whoever has none the server refuses as nobody whom we know."""
        return [self._call(recipient, batch) for recipient in batch.recipients]

    def _call(self, recipient: Recipient, batch: Batch) -> Call:
        room = recipient.route or recipient.address.value
        # m.text and not m.notice, which clients show without a sound.
        content: Mapping[str, object] = {"msgtype": "m.text", "body": recipient.text}
        if batch.media is not None:
            content = matrix_media.content(batch.media, recipient.text)
        content = {**content, **matrix_styles.formatted(recipient)}
        path, content = matrix_changes.path_and_content(recipient.replaces, content)
        body = json.dumps(content).encode()
        named = f"{batch.callback_url} {recipient.ref} ".encode() + body
        txn = f"{recipient.ref}-{hashlib.sha256(named).hexdigest()[:16]}"
        url = f"{self._url}/{quote(room, safe='')}/{path}/{txn}"
        return Call("PUT", url, body, self._headers, refs=(recipient.ref,))

    def upload_call(self, media: Media, data: bytes) -> Call:
        """Hand a file over to the media repository."""
        url = f"{self._media_url}?filename={quote(file_name(media), safe='')}"
        return Call("POST", url, data, {**self._headers, "Content-Type": media.mime})

    def handle_of(self, reply: Reply) -> Handle | SendError:
        """The file's mxc:// address, or the server's reason."""
        return without_answer(reply) or matrix_media.handle_of(reply) or _error(reply, json_of(reply.body))

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """The event's id, the same for the same transaction; or an error code with words.

        A message with other words goes on being named by its first event, and one that was taken away by none.
        """
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        body = json_of(reply.body)
        event_id = body.get("event_id")
        if 200 <= reply.status < 300 and isinstance(event_id, str) and event_id:
            return for_all(call, None, matrix_changes.standing_id(call, event_id))
        return for_all(call, matrix_changes.read(call, _error(reply, body)))

    def handshake(self, request: HookRequest) -> HookReply | None:
        """The server asks whether a user or an alias is ours: there is the bot, and no alias."""
        if not request.path:
            return super().handshake(request)
        self.verify(request)
        return _FINE if request.path == USERS + self._bot else _UNKNOWN

    def takes(self, method: str, path: str) -> bool:
        """Transactions, the ping, and questions about users and aliases."""
        if method == "GET":
            return path.startswith((USERS, ROOMS))
        return path == PING if method == "POST" else method == "PUT" and path.startswith(TRANSACTIONS)

    def verify(self, request: HookRequest) -> None:
        """The server's token stands in the header; servers that write it into the address only are of before 2023."""
        expected = f"Bearer {self._hs_token}"
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
            raise BadSignature("The token is not the hs_token of the registration.")

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """The events of a transaction: messages, invitations, people who leave. Each is known by its own id."""
        body = posted_json(request)
        if request.path == PING:
            return []
        events = body.get("events")
        if not isinstance(events, list):
            raise Malformed("The field events is missing.")
        return [read_event(found, self._bot, self._rooms_call) for found in events]

    def acknowledge(self, request: HookRequest) -> HookReply:
        """An empty object."""
        return _FINE

    def link(self, payload: str) -> str:
        """Opens the bot, with a button to start a chat; these links carry nothing of ours."""
        return f"https://matrix.to/#/{self._bot}"

    def registration(self, hook: str) -> str:
        """The file for `app_service_config_files` of Synapse; JSON's strings are YAML's, too."""
        name = self._bot[1:].partition(":")[0]
        return (
            f"id: {json.dumps('tidings-' + name)}\n"
            f"url: {json.dumps(hook)}\n"
            f"as_token: {json.dumps(self._as_token)}\n"
            f"hs_token: {json.dumps(self._hs_token)}\n"
            f"sender_localpart: {json.dumps(name)}\n"
            "rate_limited: false\n"
            "receive_ephemeral: false\n"
            "namespaces:\n"
            "  users:\n"
            "    - exclusive: true\n"
            f"      regex: {json.dumps('^' + re.escape(self._bot) + '$')}\n"
        )

    def _rooms_call(self, room: str, what: str, reason: str = "") -> Call:
        """Enter a room (`join`) or go out of it (`leave`): both may be said again."""
        body = json.dumps({"reason": reason} if reason else {}).encode()
        return Call("POST", f"{self._url}/{quote(room, safe='')}/{what}", body, self._headers)


def _error(reply: Reply, body: Mapping[str, object]) -> SendError:
    code, words = at(body, "errcode"), at(body, "error")[:300]
    wait = seconds(reply.headers.get("retry-after"))
    if wait is None and (milliseconds := seconds(body.get("retry_after_ms"))) is not None:
        wait = milliseconds / 1000
    if reply.status == 429 or code == "M_LIMIT_EXCEEDED":
        return by_code("matrix", "M_LIMIT_EXCEEDED", words, wait or 1.0)
    if not code or reply.status >= 500 or reply.status < 400:
        return by_status(reply, words)
    return by_code("matrix", code, words, wait)
