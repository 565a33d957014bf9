"""WhatsApp by Meta's Cloud API: words within a day of the person's own, an approved template at other times.

Source: developers.facebook.com/docs/whatsapp/cloud-api and github.com/facebook/openapi (business messaging), read in
November 2026; codes are in `whatsapp_codes.toml`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from app.domain.addresses import Address, BadAddress, canonical, parse_phone
from app.domain.allowances import Allowance
from app.domain.buttons import limits_named
from app.domain.channels import CHANNELS
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
)
from app.domain.pace import PAIRS
from app.domain.policy.proactive import window_of
from app.domain.styles import styles_named
from app.gateways import whatsapp_allowance, whatsapp_media
from app.gateways.base import BadSetting, Call, Capabilities, Malformed, Reply, SettingSpec
from app.gateways.common import for_all, in_marks, json_of, moment, posted_json, without_answer
from app.gateways.meta import SETTINGS, MetaGateway
from app.gateways.paths import at, items
from app.gateways.uploads import Handle, multipart
from app.gateways.whatsapp_account import news_of
from app.gateways.whatsapp_content import free_text, own_template, template, to

_TEMPLATE: Final = re.compile(r"([a-z0-9_]{1,512}):([a-z]{2,3}(?:_[A-Z]{2})?)")
_IGNORED: Final = Event(EventKind.IGNORED)
_RECEIPTS: Final = {
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.DELIVERED,
    "failed": ReceiptStatus.FAILED,
}


class WhatsAppGateway(MetaGateway):
    """One business number. What answers a person is free text; with a template named, everything else is that."""

    name = "whatsapp"
    channel = "whatsapp"
    _node = "phone_number_id"
    settings = (
        SettingSpec("phone_number_id", secret=False, example="106540352242922"),
        SettingSpec("number", secret=False, example="+12025550100"),
        *SETTINGS,
        SettingSpec("template", secret=False, example="newsletter:en_US", required=False),
        SettingSpec(
            "template_header", secret=False, example="image, if the template has one", required=False
        ),
        SettingSpec(
            "business_account_id",
            secret=False,
            example="102290129340398",
            required=False,
            help="Only where one app has several accounts: news of the others is then left alone.",
        ),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        super().__init__(settings, base_url)
        self._number = settings["number"]
        name, _, language = settings.get("template", "").partition(":")
        # Meta's description wants the policy, of which there is one.
        spoken = {"policy": "deterministic", "code": language}
        self._template = {"name": name, "language": spoken} if name else None
        self.usual_template = settings.get("template", "")
        self._business = settings.get("business_account_id", "")
        self.has_template = self._template is not None
        self.template_file = settings.get("template_header", "")

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address (E.164); raises `BadSetting` naming what is missing, wrong or unknown."""
        cls.complete(settings)
        if not settings["phone_number_id"].isdigit():
            raise BadSetting(
                "phone_number_id is digits, and not the phone number; it stands under API Setup."
            )
        if settings.get("template") and not _TEMPLATE.fullmatch(settings["template"]):
            raise BadSetting("template is name:language of an approved template, such as newsletter:en_US.")
        if not settings.get("business_account_id", "0").isdigit():
            raise BadSetting("business_account_id is digits; it stands under API Setup.")
        if settings.get("template_header", "") not in ("", *whatsapp_media.HEADERS):
            raise BadSetting(
                "template_header is what stands above the template's text: image, video or document."
            )
        try:
            return parse_phone(settings["number"]).value
        except BadAddress as error:
            raise BadSetting(f"number is no phone number: {error}") from error

    @classmethod
    def capabilities(cls) -> Capabilities:
        """80 messages a second for a number, our own and people's together; 20 is careful."""
        return Capabilities(
            channel=cls.channel,
            max_text=CHANNELS[cls.channel].longest,
            text_unit="chars",
            default_rate=20.0,
            rate_unit="message",
            pair=PAIRS[cls.channel],
            media=media_of(cls.name),
            buttons=limits_named(cls.name),
            styles=styles_named(cls.name),
            window=window_of(cls.channel),
            templates=True,
            receipts=frozenset(ReceiptStatus),
            signals=frozenset(
                {
                    PlatformSignal.PREFERENCE_STOP,
                    PlatformSignal.PREFERENCE_RESUME,
                    PlatformSignal.NUMBER_CHANGED,
                }
            ),
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a recipient: the API takes no more. Apps read marks of styles in the text."""
        return [self._call(recipient, batch.media) for recipient in in_marks(batch.recipients)]

    def _call(self, recipient: Recipient, media: Media | None) -> Call:
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **to(recipient.address),
            **self._content(recipient, media),
            "biz_opaque_callback_data": str(recipient.ref),
        }
        return Call("POST", self._url, json.dumps(body).encode(), self._headers, refs=(recipient.ref,))

    def _content(self, recipient: Recipient, media: Media | None) -> dict[str, Any]:
        """Free text answers a person, whose words opened the window; with a template named, all else is that."""
        rich = recipient.rich
        if rich is not None and rich.template is not None:
            return own_template(recipient.text, rich, rich.template, media)
        if self._template is None or recipient.ref.inbound_id > 0:
            return free_text(recipient.text, rich, media)
        return template(self._template, [recipient.text], media=media)

    def upload_call(self, media: Media, data: bytes) -> Call:
        """Hand a file over; Meta keeps it for thirty days."""
        body, kind = multipart({**whatsapp_media.FIELDS, "type": media.mime}, "file", media, data)
        url = f"{self._url.removesuffix('/messages')}/media"
        return Call("POST", url, body, {**self._headers, "Content-Type": kind})

    def handle_of(self, reply: Reply) -> Handle | SendError:
        """The id of the file, or Meta's reason."""
        return without_answer(reply) or whatsapp_media.handle_of(reply) or self._refusal(reply)

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """A yes carries the message's id; many a no comes later, with the receipts."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        message_id = at(json_of(reply.body), "messages.0.id")
        if reply.status == 200 and message_id:
            return for_all(call, None, message_id)
        return for_all(call, self._tuned(self._refusal(reply)))

    @staticmethod
    def _tuned(error: SendError) -> SendError:
        return replace(error, **_TUNING.get(error.code, {}))

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """An app hears of every number of its account; only this sender's is ours.

        What is about the account as a whole names no number.
        """
        body = posted_json(request)
        if not isinstance(body.get("entry"), list):
            raise Malformed("The field entry is missing.")
        found: list[Event] = []
        pairs = [(one, change) for one in items(body, "entry") for change in items(one, "changes")]
        for entry, change in pairs:
            value = change.get("value") if isinstance(change, dict) else None
            number = at(value, "metadata.phone_number_id")
            if isinstance(value, dict) and number in ("", self._account):
                found += self._events(value) + self._news(entry, at(change, "field"), value)
        return found or [_IGNORED]

    def _news(self, entry: object, field: str, value: Mapping[str, Any]) -> list[Event]:
        if self._business and at(entry, "id") not in ("", self._business):
            return []
        told = news_of(field, value, self.usual_template, self._number, self._account)
        return [] if told is None else [Event(EventKind.NEWS, moment(at(entry, "time")), news=told)]

    def _events(self, value: Mapping[str, Any]) -> list[Event]:
        contacts = _Contacts(value)
        return [
            *(_message(one, contacts) for one in items(value, "messages")),
            *(self._receipt(one, contacts) for one in items(value, "statuses")),
            *(_preference(one, contacts) for one in items(value, "user_preferences")),
        ]

    def _receipt(self, found: object, contacts: "_Contacts") -> Event:
        """Our reference comes back as we gave it; without it the message was not ours."""
        status = _RECEIPTS.get(at(found, "status"))
        try:
            ref = DeliveryRef.parse(at(found, "biz_opaque_callback_data"))
        except ValueError:
            return _IGNORED
        if status is None:
            return _IGNORED
        error = None
        if status is ReceiptStatus.FAILED:
            detail = at(found, "errors.0.error_data.details") or at(found, "errors.0.title")
            error = self._tuned(self._by_code(at(found, "errors.0.code"), detail))
        number, id_ = contacts.addresses(at(found, "recipient_id"), at(found, "recipient_user_id"))
        shows, read = (number, id_) if number and id_ else None, at(found, "status") == "read"
        receipt = Receipt(ref, at(found, "id"), status, error, shows, read)
        return Event(EventKind.RECEIPT, moment(at(found, "timestamp")), receipt=receipt)

    def allowance_calls(self) -> Sequence[Call]:
        """Ask for the tier of the number."""
        return whatsapp_allowance.calls(self._url, self._headers)

    def allowance_of(self, replies: Sequence[Reply]) -> Allowance:
        """With how many people it may begin to talk in 24 hours; raises `CannotSay`."""
        return whatsapp_allowance.read(replies)

    def link(self, payload: str) -> str:
        """Opens the chat with the word written already."""
        return f"https://wa.me/{self._number.removeprefix('+')}?text={quote(payload)}"


# 131026 bundles several reasons; only a second time counts as a dead number. 130472 is not worth a second try,
# 131049 is, a day and two days later. Meta lets a person have a message of ours every six seconds.
_TUNING: Final[Mapping[str, Mapping[str, Any]]] = {
    "131026": {"bounces_after": 2},
    "130472": {"tries": 1},
    "131049": {"tries": 3},
    "131056": {"retry_after": 6.0},
}


class _Contacts:
    """Who is who in one post: beside the messages Meta lists people by number, where it shows that, and by id."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        pairs = [(at(one, "wa_id"), at(one, "user_id")) for one in items(value, "contacts")]
        self._ids = {number: id_ for number, id_ in pairs if number and id_}
        self._numbers = {id_: number for number, id_ in self._ids.items()}

    def addresses(self, number: str, business_scoped: str) -> tuple[Address | None, Address | None]:
        """Return where somebody is and their other address: the number first where Meta tells it, then the id.

        None where it tells neither, or nothing that we can write to.
        """
        number = number or self._numbers.get(business_scoped, "")
        id_ = _address(business_scoped or self._ids.get(number, ""))
        phone = _address(f"+{number.removeprefix('+')}" if number else "")
        return (phone, id_) if number else (id_, None)


def _address(raw: str) -> Address | None:
    try:
        return canonical("whatsapp", raw) if raw else None
    except BadAddress:
        return None


def _message(found: object, contacts: _Contacts) -> Event:
    message_id, kind = at(found, "id"), at(found, "type")
    if message_id and kind == "system":
        return _changed(found, message_id)
    person, also_at = contacts.addresses(at(found, "from"), at(found, "from_user_id"))
    if not message_id or person is None:
        return _IGNORED
    when = moment(at(found, "timestamp"))
    text, payload, media = _said(found, kind)
    message = InboundMessage(message_id, person, text, media_count=media, payload=payload, also_at=also_at)
    return Event(EventKind.MESSAGE, when, message=message)


def _said(found: object, kind: str) -> tuple[str, str, int]:
    """Return the words, the payload of a button, and how many pictures and the like."""
    if kind == "text":
        return at(found, "text.body"), "", 0
    if kind == "button":
        return at(found, "button.text"), at(found, "button.payload"), 0
    if kind == "interactive":
        pressed = f"interactive.{at(found, 'interactive.type')}"
        return at(found, f"{pressed}.title"), at(found, f"{pressed}.id"), 0
    return at(found, f"{kind}.caption"), "", 0 if kind == "reaction" else 1


def _changed(found: object, message_id: str) -> Event:
    """A new number or a new id; the account stays the same.

    What it was known by before is the number where Meta tells it, and else the id before. Of a new id beside a number
    that stays we only learn: it is the number that we write to.
    """
    kind, number = at(found, "system.type"), at(found, "from")
    if kind not in ("user_changed_number", "user_changed_user_id"):
        return _IGNORED
    nobody_else = _Contacts({})
    before, _ = nobody_else.addresses(
        number, at(found, "system.previous_user_id") or at(found, "from_user_id")
    )
    after, also_at = nobody_else.addresses(at(found, "system.wa_id"), at(found, "system.user_id"))
    if before is None or after is None or before == after:
        return _IGNORED
    signal = PlatformEvent(
        message_id,
        before,
        PlatformSignal.NUMBER_CHANGED,
        new_address=after,
        evidence={"system": kind},
        also_at=also_at,
    )
    return Event(EventKind.SIGNAL, moment(at(found, "timestamp")), signal=signal)


def _preference(found: object, contacts: _Contacts) -> Event:
    """The person's own switch for marketing from this number."""
    person, also_at = contacts.addresses(at(found, "wa_id"), at(found, "user_id"))
    value, when = at(found, "value"), at(found, "timestamp")
    signal = {"stop": PlatformSignal.PREFERENCE_STOP, "resume": PlatformSignal.PREFERENCE_RESUME}.get(value)
    if person is None or signal is None or at(found, "category") != "marketing_messages":
        return _IGNORED
    evidence = {
        name: at(found, name) for name in ("category", "value", "detail", "timestamp") if at(found, name)
    }
    told = PlatformEvent(
        f"preference:{person.value}:{when}:{value}", person, signal, evidence=evidence, also_at=also_at
    )
    return Event(EventKind.SIGNAL, moment(when), signal=told)
