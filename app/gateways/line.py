"""LINE: an official account that people befriend, by the Messaging API; 500 people of one text share a request.

Source: github.com/line/line-openapi (messaging-api, webhook); developers.line.biz, "Retry failed API requests",
"Rate limits" and "Send reply message", read in November 2026.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from app.domain.addresses import Address
from app.domain.allowances import Allowance
from app.domain.buttons import Button, ButtonKind, Rich, limits_named
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import (
    Batch,
    ErrorKind,
    Event,
    EventKind,
    HookRequest,
    InboundMessage,
    Outcome,
    PlatformEvent,
    PlatformSignal,
    Recipient,
    SendError,
)
from app.gateways import line_allowance, line_card, line_followers, line_media
from app.gateways.base import BadSetting, Call, Capabilities, Malformed, Proof, Reply, SettingSpec
from app.gateways.common import (
    HttpGateway,
    by_status,
    by_text,
    check_hmac,
    for_all,
    for_group,
    hmac_sha256,
    json_of,
    moment,
    posted_json,
    without_answer,
)
from app.gateways.followers import Page
from app.gateways.paths import at, items

API: Final = "https://api.line.me"
MAX_TO: Final = 500
REPLY_WITHIN: Final = timedelta(seconds=50)
"""A reply token must be used within a minute of the webhook; some seconds of it are the way to LINE."""
_LONGEST_TOKEN: Final = 300
_USER: Final = re.compile(r"U[0-9a-f]{32}")
_ID: Final = re.compile(r"@[a-z0-9._-]{3,20}")


class LineGateway(HttpGateway):
    """One official account as a sender. Its yes proves little: for people who blocked it LINE says yes, too."""

    name = "line"
    channel = "line"
    settings = (
        SettingSpec("channel_token", secret=True, example="the long-lived channel access token"),
        SettingSpec("channel_secret", secret=True, example="the channel secret, 32 characters"),
        SettingSpec("id", secret=False, example="@citydesk"),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._secret, self._id = settings["channel_secret"], settings["id"]
        self._bot = f"{(base_url or API).rstrip('/')}/v2/bot"
        self._url = f"{self._bot}/message"
        self._reply_url = f"{self._url}/reply"
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {settings['channel_token']}",
        }

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, `@id`; raises `BadSetting` naming what is missing, wrong or unknown."""
        cls.complete(settings)
        if not _ID.fullmatch(settings["id"]):
            raise BadSetting("id is the account's basic or premium id: it begins with @, such as @citydesk.")
        return settings["id"]

    @classmethod
    def capabilities(cls) -> Capabilities:
        """200 multicast requests a second; the month's quota of the plan ends a broadcast long before."""
        return Capabilities(
            channel=cls.channel,
            max_text=5000,
            text_unit="utf16",
            max_batch=MAX_TO,
            default_rate=200.0,
            rate_unit="request",
            media=media_of(cls.name),
            buttons=limits_named(cls.name),
            signals=frozenset({PlatformSignal.FOLLOWED, PlatformSignal.CAME_BACK, PlatformSignal.LEFT}),
            proof=Proof.QUEUED,
            reply_within=REPLY_WITHIN,
            idempotent=True,
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """A multicast for people of one text, a push for one person; a reply, free of charge, where there is a token.

        An id that is not spelt like LINE's goes alone, for it would fail everybody who shares its request.
        """
        answers = [one for one in batch.recipients if one.reply_token]
        others = [one for one in batch.recipients if not one.reply_token]
        odd = [one for one in others if not _USER.fullmatch(one.address.value)]
        usual = [one for one in others if _USER.fullmatch(one.address.value)]
        groups = [*by_text(usual, MAX_TO), *((one,) for one in odd)]
        return [
            *(self._reply(one, batch.media) for one in answers),
            *(self._call(one, batch) for one in groups),
        ]

    def _reply(self, one: Recipient, media: Media | None) -> Call:
        """LINE takes no retry key here: what nobody answered is never sent again."""
        body = {"replyToken": one.reply_token, "messages": _messages(one.text, one.rich, media)}
        return Call("POST", self._reply_url, json.dumps(body).encode(), self._headers, refs=(one.ref,))

    def _call(self, people: tuple[Recipient, ...], batch: Batch) -> Call:
        to = [one.address.value for one in people]
        alone = len(to) == 1
        messages = _messages(people[0].text, people[0].rich, batch.media)
        body = {"to": to[0] if alone else to, "messages": messages}
        raw = json.dumps(body).encode()
        refs = tuple(one.ref for one in people)
        headers = {**self._headers, "X-Line-Retry-Key": _retry_key(refs, raw, batch.callback_url)}
        return Call("POST", f"{self._url}/{'push' if alone else 'multicast'}", raw, headers, refs=refs)

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """A yes is for all, known by the request's id; 409 says that this very request was taken before."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        taken = {200: "x-line-request-id", 409: "x-line-accepted-request-id"}.get(reply.status)
        if taken is not None:
            request_id = reply.headers.get(taken)
            unclear = SendError(ErrorKind.UNKNOWN, str(reply.status), f"The reply has no {taken}.")
            return for_all(call, None if request_id else unclear, request_id)
        return for_group(call, _reply_error(reply) if call.url == self._reply_url else _error(reply))

    def verify(self, request: HookRequest) -> None:
        """`X-Line-Signature`: base64 of the HMAC-SHA256 over the raw body."""
        expected = base64.b64encode(hmac_sha256(self._secret, request.body)).decode()
        check_hmac(request, "x-line-signature", expected)

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Several events come in one post, and none when the address is checked.

        An event that makes no sense is of no interest, and costs none of the others.
        """
        body = posted_json(request)
        if not isinstance(body.get("events"), list):
            raise Malformed("The field events is missing.")
        return [_event(found) for found in items(body, "events")]

    def allowance_calls(self) -> Sequence[Call]:
        """Ask for the month's messages, and for what is used of them."""
        return line_allowance.calls(self._url, self._headers)

    def allowance_of(self, replies: Sequence[Reply]) -> Allowance:
        """What is left of the month; raises `CannotSay`."""
        return line_allowance.read(replies)

    def followers_call(self, start: str) -> Call:
        """Ask for a thousand friends."""
        return line_followers.call(self._bot, self._headers, start)

    def followers_of(self, reply: Reply) -> Page:
        """Some friends; raises `CannotList`."""
        return line_followers.read(reply)

    def link(self, payload: str) -> str:
        """Opens the chat with the word written already."""
        return f"https://line.me/R/oaMessage/{quote(self._id)}/?{quote(payload)}"


def _messages(text: str, rich: Rich | None, media: Media | None) -> list[dict[str, Any]]:
    """A card for a picture with buttons; else the file, then the words, with quick replies below the last alone."""
    actions = [_action(one) for one in rich.buttons] if rich else []
    if media is not None and (card := line_card.card(text, media, actions)):
        return [card]
    words = {"type": "text", "text": text, **_quick_replies(rich)}
    return [words] if media is None else [line_media.message(media), words]


def _quick_replies(rich: Rich | None) -> dict[str, Any]:
    """Buttons above the keyboard, below the newest message; a press is shown as if the label had been typed."""
    if rich is None or not rich.buttons:
        return {}
    return {"quickReply": {"items": [{"type": "action", "action": _action(one)} for one in rich.buttons]}}


def _action(button: Button) -> dict[str, str]:
    if button.kind is ButtonKind.LINK:
        return {"type": "uri", "label": button.label, "uri": button.value}
    return {"type": "postback", "label": button.label, "data": button.value, "displayText": button.label}


def _retry_key(refs: Sequence[object], body: bytes, callback_url: str) -> str:
    """The same people, text and installation make the same key: LINE keeps it for a day and takes it once."""
    named = " ".join((callback_url, *(str(ref) for ref in refs), body.hex()))
    return str(uuid5(NAMESPACE_URL, named))


def _reply_error(reply: Reply) -> SendError:
    """A token that is used, old or unknown leaves the push; an answer that may have been taken must have no second."""
    body = json_of(reply.body)
    words, where = at(body, "message")[:300], at(body, "details.0.property")
    if reply.status == 400 and (where == "replyToken" or "reply token" in words.casefold()):
        return SendError(ErrorKind.TEMPORARY, "reply_token", words, other_way=True)
    if reply.status >= 500:
        return SendError(ErrorKind.UNKNOWN, str(reply.status), words)
    return _error(reply)


def _error(reply: Reply) -> SendError:
    body = json_of(reply.body)
    words, where = at(body, "message")[:300], at(body, "details.0.property")
    said = words.casefold()
    if reply.status == 429 and "monthly limit" in said:
        return SendError(ErrorKind.QUOTA, "429", words)
    if reply.status == 403:
        return SendError(ErrorKind.CONFIG, "403", words)
    if reply.status == 413 or (reply.status == 400 and where.startswith("messages")):
        return SendError(ErrorKind.CONTENT, str(reply.status), words)
    if reply.status == 400 and (where.startswith("to") or "'to'" in said):
        return SendError(ErrorKind.INVALID, "400", words)
    if reply.status == 400 and "failed to send messages" in said:
        # Said of ids that this account never met; only a second time counts as a dead one.
        return SendError(ErrorKind.INVALID, "400", words, bounces_after=2)
    return by_status(reply, words)


def _event(found: object) -> Event:
    """Whoever is in a group or room did not write to us alone."""
    ignored = Event(EventKind.IGNORED)
    event_id, user = at(found, "webhookEventId"), at(found, "source.userId")
    if not (isinstance(found, dict) and event_id and user) or at(found, "source.type") != "user":
        return ignored
    read = _READERS.get(at(found, "type"))
    return read(event_id, Address(LineGateway.channel, user), found) if read else ignored


def _message(event_id: str, user: Address, found: Mapping[str, Any]) -> Event:
    is_text = at(found, "message.type") == "text"
    text = at(found, "message.text") if is_text else ""
    media, token = (0 if is_text else 1), _token(found)
    message = InboundMessage(
        event_id, user, text, media_count=media, sent_at=_sent_at(found), reply_token=token
    )
    return Event(EventKind.MESSAGE, _sent_at(found), message=message)


def _postback(event_id: str, user: Address, found: Mapping[str, Any]) -> Event:
    payload, token = at(found, "postback.data"), _token(found)
    message = InboundMessage(event_id, user, "", payload=payload, sent_at=_sent_at(found), reply_token=token)
    return Event(EventKind.MESSAGE, _sent_at(found), message=message)


def _follow(event_id: str, user: Address, found: Mapping[str, Any]) -> Event:
    came_back = at(found, "follow.isUnblocked") == "true"
    return _signal(event_id, user, found, PlatformSignal.CAME_BACK if came_back else PlatformSignal.FOLLOWED)


def _unfollow(event_id: str, user: Address, found: Mapping[str, Any]) -> Event:
    return _signal(event_id, user, found, PlatformSignal.LEFT)


def _signal(event_id: str, user: Address, found: Mapping[str, Any], signal: PlatformSignal) -> Event:
    evidence = {"event": at(found, "type"), "timestamp": at(found, "timestamp")}
    told = PlatformEvent(event_id, user, signal, evidence=evidence, reply_token=_token(found))
    return Event(EventKind.SIGNAL, _sent_at(found), signal=told)


_READERS: Final = {"message": _message, "postback": _postback, "follow": _follow, "unfollow": _unfollow}


def _token(event: Mapping[str, Any]) -> str:
    """An unfollow has none; nobody is there to read an answer."""
    token = at(event, "replyToken")
    return token if len(token) <= _LONGEST_TOKEN else ""


def _sent_at(event: Mapping[str, Any]) -> datetime | None:
    return moment(event.get("timestamp"), 1000)
