"""Viber: a bot that people subscribe to; 300 people of one text share a request, and the reply says who failed.

Source: creators.viber.com/docs/bots-api, read in November 2026. Reports of delivery name Viber's message token and the
person, and nothing of ours: by these two the delivery is found (`app.domain.messages.found_by`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from app.domain import button_codes
from app.domain.addresses import Address
from app.domain.buttons import Button, ButtonKind, Rich, limits_named
from app.domain.links import MAX_PAYLOAD
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import (
    Batch,
    ErrorKind,
    Event,
    EventKind,
    HookReply,
    HookRequest,
    InboundMessage,
    Outcome,
    PlatformEvent,
    PlatformSignal,
    Receipt,
    ReceiptStatus,
    Recipient,
    SendError,
    found_by,
)
from app.domain.styles import styles_named
from app.gateways import viber_media
from app.gateways.base import BadSetting, Call, Capabilities, Malformed, Proof, Reply, SettingSpec
from app.gateways.common import (
    TRIES_IF_UNLISTED,
    HttpGateway,
    by_code,
    by_status,
    by_text,
    check_hmac,
    for_all,
    for_group,
    hmac_sha256,
    in_marks,
    json_of,
    moment,
    posted_json,
    without_answer,
)
from app.gateways.paths import at, items

API: Final = "https://chatapi.viber.com"
MAX_TO: Final = 300
OPENED: Final = "opened:"
"""Begins the tracking data of a welcome: Viber sends it back with the press of the welcome's button."""
_PAYLOAD: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_PAYLOAD}}}")
_IGNORED: Final = Event(EventKind.IGNORED)
_RECEIPTS: Final = {
    "delivered": ReceiptStatus.DELIVERED,
    "seen": ReceiptStatus.DELIVERED,  # whoever read it has it
    "failed": ReceiptStatus.FAILED,
}
# A person gets 100 messages an hour as long as they answer none.
_PAIR_RESTS_S: Final = 3600.0


class ViberGateway(HttpGateway):
    """One bot as a sender."""

    name = "viber"
    channel = "viber"
    settings = (
        SettingSpec("token", secret=True, example="the bot's authentication token"),
        SettingSpec("uri", secret=False, example="citydesk"),
        SettingSpec("name", secret=False, example="City Desk"),
        SettingSpec(
            "welcome",
            secret=False,
            example="Press START for our news. STOP ends it.",
            required=False,
            help="what a newcomer reads above the button START; left out, it says just this, in English",
        ),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._token, self._uri, self._name = settings["token"], settings["uri"], settings["name"]
        # Without one, the list that somebody's link named would be lost: it comes back with the welcome's button alone.
        self._welcome = settings.get("welcome") or f"{self._name}: press START for our news. STOP ends it."
        self._url = f"{(base_url or API).rstrip('/')}/pa"
        self._headers = {"Content-Type": "application/json", "X-Viber-Auth-Token": self._token}

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, the bot's URI; raises `BadSetting` naming what is missing or wrong."""
        cls.complete(settings)
        if len(settings["name"]) > 28:
            raise BadSetting("name has at most 28 characters; people see it above each message.")
        if not re.fullmatch(r"[a-z0-9_.-]+", settings["uri"]):
            raise BadSetting("uri is the bot's own, as in viber://pa?chatURI=citydesk.")
        return settings["uri"]

    @classmethod
    def capabilities(cls) -> Capabilities:
        """500 broadcast requests in ten seconds."""
        return Capabilities(
            channel=cls.channel,
            max_text=7000,
            text_unit="chars",
            max_batch=MAX_TO,
            default_rate=50.0,
            rate_unit="request",
            media=media_of(cls.name),
            buttons=limits_named(cls.name),
            styles=styles_named(cls.name),
            receipts=frozenset({ReceiptStatus.DELIVERED, ReceiptStatus.FAILED}),
            signals=frozenset({PlatformSignal.FOLLOWED, PlatformSignal.LEFT}),
            proof=Proof.ADDRESSED,
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """A broadcast for people of one text; one person's message carries our reference as its tracking data.

        Apps read marks of styles in the text (docs/tools/text-formatting).
        """
        return [self._call(group, batch.media) for group in by_text(in_marks(batch.recipients), MAX_TO)]

    def _call(self, people: tuple[Recipient, ...], media: Media | None) -> Call:
        to = [one.address.value for one in people]
        alone = len(to) == 1
        whom = {"receiver": to[0], "tracking_data": str(people[0].ref)} if alone else {"broadcast_list": to}
        body = {**whom, **self._text(people[0].text), **_keyboard(people[0].rich)}
        if media is not None:
            body |= viber_media.content(media, people[0].text)
        path = "send_message" if alone else "broadcast_message"
        raw = json.dumps(body).encode()
        return Call("POST", f"{self._url}/{path}", raw, self._headers, refs=tuple(one.ref for one in people))

    def _text(self, words: str) -> dict[str, Any]:
        return {"type": "text", "text": words, "sender": {"name": self._name}, "min_api_version": 1}

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """Status 0 is a yes with the message's token, except for those in the list of the failed."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        body = json_of(reply.body)
        status, token = at(body, "status"), at(body, "message_token")
        if reply.status != 200 or not status:
            return for_group(call, by_status(reply))
        if status != "0":
            return for_group(call, _by_status(status, at(body, "status_message")))
        if not token:
            return for_all(call, SendError(ErrorKind.UNKNOWN, "no_token"))
        failed = {at(one, "receiver"): one for one in items(body, "failed_list")}
        people = zip(call.refs, _whom(call), strict=True)
        return [_outcome(ref, failed.get(to), found_by(token, to)) for ref, to in people]

    def verify(self, request: HookRequest) -> None:
        """`X-Viber-Content-Signature`: the HMAC-SHA256 of the raw body with the bot's token."""
        check_hmac(request, "x-viber-content-signature", hmac_sha256(self._token, request.body).hex())

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Words, what arrived, and who subscribed or left. To open the conversation is neither."""
        body = posted_json(request)
        kind = at(body, "event")
        if not kind:
            raise Malformed("The field event is missing.")
        if kind == "message":
            return [_message(body)]
        if kind in ("subscribed", "unsubscribed"):
            return [_signal(body, kind)]
        if kind in _RECEIPTS:
            return [_receipt(body, _RECEIPTS[kind], read=kind == "seen")]
        return [_IGNORED]

    def acknowledge(self, request: HookRequest) -> HookReply:
        """Welcome whoever opened the conversation: until they write, this is the one way to say a word to them."""
        body = json_of(request.body)
        if at(body, "event") != "conversation_started":
            return HookReply(200)
        payload = at(body, "context")
        known = _PAYLOAD.fullmatch(payload) is not None
        button = {"ActionType": "reply", "ActionBody": payload if known else "START", "Text": "START"}
        welcome = {
            **self._text(self._welcome),
            **({"tracking_data": f"{OPENED}{payload}"} if known else {}),
            "keyboard": {"Type": "keyboard", "Buttons": [button]},
        }
        return HookReply(200, "application/json", json.dumps(welcome))

    def link(self, payload: str) -> str:
        """Opens the conversation, and brings the payload with it."""
        return f"viber://pa?chatURI={quote(self._uri)}&context={quote(payload)}"


def _keyboard(rich: Rich | None) -> dict[str, Any]:
    """Buttons in place of the keyboard, each as wide as it; what a reply button carries comes back as words."""
    if rich is None or not rich.buttons:
        return {}
    return {"keyboard": {"Type": "keyboard", "Buttons": [_key(one) for one in rich.buttons]}}


def _key(button: Button) -> dict[str, Any]:
    kind = "open-url" if button.kind is ButtonKind.LINK else "reply"
    return {"Columns": 6, "Rows": 1, "ActionType": kind, "ActionBody": button.value, "Text": button.label}


def _by_status(status: str, words: str) -> SendError:
    error = by_code("viber", status, words)
    wait = 1.0 if error.kind is ErrorKind.RATE_LIMITED else None
    return SendError(error.kind, status, error.detail, wait, error.tries)


def _outcome(ref: Any, failed: object | None, provider_id: str) -> Outcome:
    """In the list of the failed, "too many requests" is said of a person who answered none, and not of the bot."""
    if failed is None:
        return Outcome(ref, provider_id=provider_id)
    error = _by_status(at(failed, "status"), at(failed, "status_message"))
    if error.kind is ErrorKind.RATE_LIMITED:
        error = replace(error, kind=ErrorKind.PAIR_LIMITED, retry_after=_PAIR_RESTS_S)
    return Outcome(ref, error=error)


def _whom(call: Call) -> list[str]:
    """Return the receivers of a call, in the order of its refs."""
    body = json_of(call.body)
    return [str(one) for one in body.get("broadcast_list") or [body.get("receiver", "")]]


def _message(body: Mapping[str, Any]) -> Event:
    """The press of a welcome's button says its payload as text, with our tracking data: then it is no typed word."""
    token, sender = at(body, "message_token"), at(body, "sender.id")
    if not token or not sender:
        return _IGNORED
    text, tracked = at(body, "message.text"), at(body, "message.tracking_data")
    pressed = bool(text) and (tracked == f"{OPENED}{text}" or button_codes.looks_like(text))
    media = 0 if at(body, "message.type") == "text" else 1
    found = InboundMessage(
        f"message:{token}",
        Address(ViberGateway.channel, sender),
        "" if pressed else text,
        media_count=media,
        payload=text if pressed else "",
    )
    return Event(EventKind.MESSAGE, moment(at(body, "timestamp"), 1000), message=found)


def _receipt(body: Mapping[str, Any], status: ReceiptStatus, *, read: bool) -> Event:
    token, user = at(body, "message_token"), at(body, "user_id")
    if not token or not user:
        return _IGNORED
    error = None
    if status is ReceiptStatus.FAILED:  # in words alone, such as that the person's phone is too old
        words = at(body, "desc")[:300]
        error = SendError(ErrorKind.TEMPORARY, "failed", words, tries=TRIES_IF_UNLISTED)
    receipt = Receipt(None, found_by(token, user), status, error, read=read)
    return Event(EventKind.RECEIPT, moment(at(body, "timestamp"), 1000), receipt=receipt)


def _signal(body: Mapping[str, Any], kind: str) -> Event:
    user, token = at(body, "user.id") or at(body, "user_id"), at(body, "message_token")
    when = at(body, "timestamp")
    if not user:
        return _IGNORED
    signal = PlatformSignal.FOLLOWED if kind == "subscribed" else PlatformSignal.LEFT
    told = PlatformEvent(
        f"{kind}:{token or user}:{when}",
        Address(ViberGateway.channel, user),
        signal,
        evidence={"event": kind, "timestamp": when},
    )
    return Event(EventKind.SIGNAL, moment(when, 1000), signal=told)
