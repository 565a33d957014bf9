"""Facebook Messenger: a page that answers within a day of a person's words, and no newsletter beyond that.

Meta switched recurring notifications off on 10 February 2026, and its message tags for news before that. Source:
developers.facebook.com/docs/messenger-platform, read in November 2026; codes are in `messenger_codes.toml`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from app.domain.addresses import Address
from app.domain.buttons import Button, ButtonKind, Rich, as_text, limits_named
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import (
    Batch,
    DeliveryRef,
    Event,
    EventKind,
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
from app.domain.policy.proactive import window_of
from app.gateways import messenger_card, messenger_media
from app.gateways.base import BadSetting, Call, Capabilities, Malformed, Reply, SettingSpec
from app.gateways.common import for_all, json_of, moment, posted_json, without_answer
from app.gateways.meta import SETTINGS, VERSION, MetaGateway
from app.gateways.paths import at, items
from app.gateways.uploads import Handle, multipart

MAX_TEMPLATE_TEXT: Final = 640
OURS: Final = "tidings:"
"""What begins the metadata of a message that we sent, so that its echo tells which delivery it was."""
GET_STARTED: Final = "get_started"
_IGNORED: Final = Event(EventKind.IGNORED)
_PREFERENCES: Final = {
    "STOP_NOTIFICATIONS": PlatformSignal.PREFERENCE_STOP,
    "RESUME_NOTIFICATIONS": PlatformSignal.PREFERENCE_RESUME,
}


class MessengerGateway(MetaGateway):
    """One page as a sender."""

    name = "messenger"
    channel = "messenger"
    _node = "page_id"
    settings = (
        SettingSpec("page_id", secret=False, example="102030405060708"),
        SettingSpec("username", secret=False, example="citydesk"),
        *SETTINGS,
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        super().__init__(settings, base_url)
        self._username = settings["username"]
        self._graph = f"{self._url.partition(VERSION)[0]}{VERSION}/"

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, the page's name in m.me; raises `BadSetting` naming what is wrong."""
        cls.complete(settings)
        if not settings["page_id"].isdigit():
            raise BadSetting("page_id is digits; it stands on the page under About, Page transparency.")
        if not re.fullmatch(r"[A-Za-z0-9.]{1,50}", settings["username"]):
            raise BadSetting("username is the page's name in m.me links, such as citydesk.")
        return settings["username"]

    @classmethod
    def capabilities(cls) -> Capabilities:
        """Reports of delivery name Meta's ids and nothing of ours: by these the delivery is found."""
        return Capabilities(
            channel=cls.channel,
            max_text=2000,
            text_unit="utf16",
            default_rate=10.0,
            rate_unit="message",
            media=media_of(cls.name),
            buttons=limits_named(cls.name),
            window=window_of(cls.channel),
            receipts=frozenset({ReceiptStatus.SENT, ReceiptStatus.DELIVERED}),
            signals=frozenset({PlatformSignal.FOLLOWED, *_PREFERENCES.values()}),
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a recipient: the API takes no more."""
        return [self._call(recipient, batch.media) for recipient in batch.recipients]

    def _call(self, recipient: Recipient, media: Media | None) -> Call:
        buttons = [_button(one) for one in recipient.rich.buttons] if recipient.rich else []
        card = messenger_card.card(recipient.text, media, buttons) if media else None
        body: dict[str, Any] = {
            "recipient": {"id": recipient.address.value},
            "messaging_type": "RESPONSE" if recipient.ref.inbound_id > 0 else "UPDATE",
            "message": {**(card or _content(recipient)), "metadata": f"{OURS}{recipient.ref}"},
        }
        if media is not None and card is None:
            raw, form = messenger_media.batch_of(media, body, f"{VERSION}/{self._account}/messages")
            return Call("POST", self._graph, raw, {**self._headers, **form}, refs=(recipient.ref,))
        return Call("POST", self._url, json.dumps(body).encode(), self._headers, refs=(recipient.ref,))

    def upload_call(self, media: Media, data: bytes) -> Call:
        """Hand a file over; Meta keeps it for ninety days."""
        body, kind = multipart(messenger_media.upload_fields(media), "filedata", media, data)
        url = f"{self._url.removesuffix('/messages')}/message_attachments"
        return Call("POST", url, body, {**self._headers, "Content-Type": kind})

    def handle_of(self, reply: Reply) -> Handle | SendError:
        """The id of the file, or Meta's reason."""
        return without_answer(reply) or messenger_media.handle_of(reply) or self._refusal(reply)

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """A yes carries the message's id; with a file it is the answer to the words that counts."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        found = messenger_media.read(reply)
        if isinstance(found, SendError):
            return for_all(call, found)
        reply = found
        message_id = at(json_of(reply.body), "message_id")
        if reply.status == 200 and message_id:
            return for_all(call, None, found_by(message_id))
        return for_all(call, self._refusal(reply))

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Several events of several pages may come in one post; only this sender's page is ours."""
        body = posted_json(request)
        if not isinstance(body.get("entry"), list):
            raise Malformed("The field entry is missing.")
        entries = [entry for entry in items(body, "entry") if at(entry, "id") == self._account]
        events = [one for entry in entries for told in items(entry, "messaging") for one in _events(told)]
        return events or [_IGNORED]

    def link(self, payload: str) -> str:
        """Opens the chat; a newcomer's Get Started, or the opening itself, brings the payload."""
        return f"https://m.me/{quote(self._username)}?ref={quote(payload)}"


def _content(recipient: Recipient) -> dict[str, Any]:
    """Answers alone are quick replies; with a link among them it is a template of buttons, whose text is short."""
    buttons = recipient.rich.buttons if recipient.rich else ()
    if not any(one.kind is ButtonKind.LINK for one in buttons):
        quick = [{"content_type": "text", "title": one.label, "payload": one.value} for one in buttons]
        return {"text": recipient.text, **({"quick_replies": quick} if quick else {})}
    if len(recipient.text) > MAX_TEMPLATE_TEXT:
        links = [one for one in buttons if one.kind is ButtonKind.LINK]
        rest = Rich(tuple(one for one in buttons if one.kind is not ButtonKind.LINK))
        return _content(recipient._replace(text=f"{recipient.text}\n{as_text(links)}", rich=rest))
    payload = {
        "template_type": "button",
        "text": recipient.text,
        "buttons": [_button(one) for one in buttons],
    }
    return {"attachment": {"type": "template", "payload": payload}}


def _button(button: Button) -> dict[str, str]:
    if button.kind is ButtonKind.LINK:
        return {"type": "web_url", "title": button.label, "url": button.value}
    return {"type": "postback", "title": button.label, "payload": button.value}


def _events(found: object) -> list[Event]:
    """One report of delivery may name several messages; that all before a moment were read names none."""
    arrived, when = items(found, "delivery.mids"), moment(at(found, "timestamp"), 1000)
    if not arrived:
        return [_event(found)]
    receipts = [Receipt(None, found_by(str(mid)), ReceiptStatus.DELIVERED) for mid in arrived]
    return [Event(EventKind.RECEIPT, when, receipt=one) for one in receipts]


def _event(found: object) -> Event:
    person, when = at(found, "sender.id"), at(found, "timestamp")
    if not isinstance(found, dict) or not person or not when:
        return _IGNORED
    user = Address(MessengerGateway.channel, person)
    for field, read in (
        ("message", _message),
        ("postback", _postback),
        ("referral", _referral),
        ("optin", _optin),
    ):
        if isinstance(found.get(field), dict):
            return read(found[field], user, when)
    return _IGNORED


def _message(message: Mapping[str, object], user: Address, when: str) -> Event:
    """People's words; the copy of a message of ours says that it was sent, the copy of a colleague's nothing."""
    mid = at(message, "mid")
    if not mid:
        return _IGNORED
    if at(message, "is_echo") == "true":
        return _echo(at(message, "metadata"), mid, when)
    payload, media = at(message, "quick_reply.payload"), len(items(message, "attachments"))
    return _words(mid, user, at(message, "text"), when, payload, media)


def _echo(metadata: str, mid: str, when: str) -> Event:
    try:
        ref = DeliveryRef.parse(metadata.removeprefix(OURS) if metadata.startswith(OURS) else "")
    except ValueError:
        return _IGNORED
    return Event(
        EventKind.RECEIPT, moment(when, 1000), receipt=Receipt(ref, found_by(mid), ReceiptStatus.SENT)
    )


def _postback(postback: Mapping[str, object], user: Address, when: str) -> Event:
    """A pressed button. Get Started after one of our links is as clear as Telegram's Start."""
    event_id = at(postback, "mid") or f"postback:{user.value}:{when}"
    if ref := at(postback, "referral.ref"):
        return _words(event_id, user, "", when, ref)
    payload = at(postback, "payload")
    if payload.casefold() == GET_STARTED:
        return _signal(event_id, user, PlatformSignal.FOLLOWED, when, {"postback": payload})
    return _words(event_id, user, at(postback, "title"), when, payload)


def _referral(referral: Mapping[str, object], user: Address, when: str) -> Event:
    """Somebody who knows us opened a link of ours. Nothing was pressed, so it is no consent: we say what there is."""
    evidence = {"referral": at(referral, "source") or "link", "payload": at(referral, "ref")}
    return _signal(f"referral:{user.value}:{when}", user, PlatformSignal.FOLLOWED, when, evidence)


def _optin(optin: Mapping[str, object], user: Address, when: str) -> Event:
    """Meta's switch for notifications, or a pressed plug-in of ours."""
    status = at(optin, "notification_messages_status")
    event_id = f"optin:{user.value}:{when}:{status}"
    if status in _PREFERENCES:
        return _signal(event_id, user, _PREFERENCES[status], when, {"notification_messages_status": status})
    payload = at(optin, "payload") or at(optin, "ref")
    return _words(event_id, user, "", when, payload) if payload else _IGNORED


def _words(event_id: str, user: Address, text: str, when: str, payload: str = "", media: int = 0) -> Event:
    message = InboundMessage(event_id, user, text, media_count=media, payload=payload)
    return Event(EventKind.MESSAGE, moment(when, 1000), message=message)


def _signal(
    event_id: str, user: Address, signal: PlatformSignal, when: str, evidence: Mapping[str, str]
) -> Event:
    told = PlatformEvent(event_id, user, signal, evidence={**evidence, "timestamp": when})
    return Event(EventKind.SIGNAL, moment(when, 1000), signal=told)
