"""Twilio Programmable Messaging: SMS by the 2010-04-01 REST API, webhooks signed with the account's token."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from twilio.request_validator import RequestValidator

from app.domain.addresses import Address, BadAddress, parse_phone
from app.domain.media.attached import Media
from app.domain.media.limits import media_of, rule_for
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    Event,
    EventKind,
    HookReply,
    HookRequest,
    InboundMessage,
    Outcome,
    ProviderSignal,
    Receipt,
    ReceiptStatus,
    Recipient,
    SendError,
)
from app.gateways import (
    consent_shares,
    given_back,
    twilio_consents,
    twilio_deactivations,
    twilio_look_up,
    twilio_signatures,
    twilio_words,
)
from app.gateways.base import BadSetting, BadSignature, Call, Capabilities, Malformed, Reply, SettingSpec
from app.gateways.common import HttpGateway, by_code, check_switch, for_all, json_of, seconds, without_answer
from app.gateways.look_ups import Question, Sighting

API = "https://api.twilio.com"
REF_PARAMETER = "d"
# In Twilio's own spelling of a message's id: nothing that a person wrote can look like it, for there the quotes are
# escaped. A reply in any other shape is read as JSON, which costs ten times as much.
_SID = re.compile(rb'"sid": ?"((?:SM|MM)[0-9a-f]{32})"')
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}

# Statuses that say nothing new (queued, sending ...) are taken and dropped.
_RECEIPTS = {
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.DELIVERED,
    "undelivered": ReceiptStatus.FAILED,
    "failed": ReceiptStatus.FAILED,
    "canceled": ReceiptStatus.FAILED,
}


ACCOUNT_SETTINGS: Final = (
    SettingSpec("account_sid", secret=False, example="AC" + "0" * 32),
    SettingSpec("auth_token", secret=True, example="your account's auth token"),
    SettingSpec("from", secret=False, example="+12025550100"),
    SettingSpec("messaging_service_sid", secret=False, example="MG" + "0" * 32, required=False),
)


class TwilioGateway(HttpGateway):
    """One Twilio number, or one Messaging Service, as a sender."""

    name = "twilio"
    channel = "sms"
    most_consents = twilio_consents.MOST
    settings: ClassVar[tuple[SettingSpec, ...]] = (
        *ACCOUNT_SETTINGS,
        SettingSpec(
            given_back.SETTING,
            secret=False,
            example="yes",
            required=False,
            help="Ask Twilio once a day which US numbers were given back, and end what their owners agreed to.",
        ),
        SettingSpec(
            consent_shares.SETTING,
            secret=False,
            example="yes",
            required=False,
            help="Tell Twilio who agreed and who left through us, for its own block list. Twilio has to open its "
            "Consent API to the account.",
        ),
        twilio_words.SPEC,
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._account = settings["account_sid"]
        self._token = settings["auth_token"]
        self._from = settings["from"]
        self._base_url = base_url
        service = settings.get("messaging_service_sid")
        self._sender = {"MessagingServiceSid": service} if service else {"From": self._from}
        self._url = (
            f"{(base_url or API).rstrip('/')}/2010-04-01/Accounts/{quote(self._account)}/Messages.json"
        )
        self._validator = RequestValidator(self._token)
        self._answers_words = settings.get(twilio_words.SETTING) == twilio_words.US

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address (E.164); raises `BadSetting` naming what is missing, wrong or unknown."""
        cls.complete(settings)
        if not settings["account_sid"].startswith("AC"):
            raise BadSetting("account_sid must begin with AC; find it on the first page of Twilio's console.")
        check_switch(settings, given_back.SETTING)
        check_switch(settings, consent_shares.SETTING)
        twilio_words.check(settings)
        try:
            return parse_phone(settings["from"]).value
        except BadAddress as error:
            raise BadSetting(f"from is no phone number: {error}") from error

    @classmethod
    def capabilities(cls) -> Capabilities:
        """One US long code passes one part a second, which is the careful default."""
        return Capabilities(channel=cls.channel, receipts=frozenset(ReceiptStatus), media=media_of(cls.name))

    @property
    def provider_account(self) -> str:
        """All numbers of one Account SID, WhatsApp's too, share the API's limits."""
        return f"twilio:{self._account}"

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a recipient: the API takes no more."""
        sender = urlencode(self._sender)
        callback = quote_plus(f"{batch.callback_url}?{REF_PARAMETER}=")
        return [self._call(recipient, sender, callback, batch.media) for recipient in batch.recipients]

    def _call(self, recipient: Recipient, sender: str, callback: str, media: Media | None) -> Call:
        """Write the form by hand: of what `urlencode` would quote, only the text differs between two people."""
        to, content = self._to(recipient.address.value), self._content(recipient)
        if media is not None:
            content = self._with_media(recipient, media)
        form = f"To={to}&{sender}&{content}&StatusCallback={callback}{recipient.ref}"
        return Call(
            method="POST",
            url=self._url,
            body=form.encode(),
            headers=_HEADERS,
            basic_auth=(self._account, self._token),
            refs=(recipient.ref,),
        )

    @staticmethod
    def _to(address: str) -> str:
        return f"%2B{address[1:]}"  # E.164: a plus and digits

    def _content(self, recipient: Recipient) -> str:
        return f"Body={quote_plus(recipient.text)}"

    def _with_media(self, recipient: Recipient, media: Media) -> str:
        """An MMS, where the person's country has them; elsewhere the words that stand in its place."""
        rule = rule_for(media.mime, media_of(self.name))
        if rule is None or not rule.reaches(recipient.address.value):
            return f"Body={quote_plus(recipient.text + media.instead)}"
        return f"Body={quote_plus(recipient.text)}&MediaUrl={quote_plus(media.url)}"

    @staticmethod
    def _person(sender: str) -> Address:
        """Return who wrote; raises `BadAddress`."""
        return parse_phone(sender)

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """Read a reply: 2xx carries the message's sid; an error carries a code; no reply may mean anything."""
        (ref,) = call.refs
        if reply.status == 0:
            return for_all(call, without_answer(reply))
        if reply.status == 201 and (found := _SID.search(reply.body)):
            return [Outcome(ref, found[1].decode())]
        body = json_of(reply.body)
        if 200 <= reply.status < 300:
            sid = body.get("sid")
            # A 2xx without a sid was not written by Twilio; the message may or may not be on its way.
            error = None if sid else SendError(ErrorKind.UNKNOWN, code="no_sid")
            return [Outcome(ref, provider_id=sid, error=error)]
        return [Outcome(ref, error=_error(reply, body))]

    def verify(self, request: HookRequest) -> None:
        """Check `X-Twilio-Signature` with Twilio's own validator over the public address and the form fields."""
        if not twilio_signatures.is_signed(self._validator, request, _fields):
            raise BadSignature(
                "The X-Twilio-Signature does not fit this address, these fields and this token."
            )

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Tell an inbound message from a status callback: the latter has `MessageStatus`."""
        fields = dict(_fields(request.body))
        if "MessageStatus" in fields:
            return [_receipt(fields, request.query.get(REF_PARAMETER, ""))]
        return [self._message(fields)]

    def _message(self, fields: Mapping[str, str]) -> Event:
        external_id = _need(fields, "MessageSid")
        try:
            address, also_at = self._who(fields)
            media = int(fields.get("NumMedia") or 0)
            signal = ProviderSignal(fields.get("OptOutType", "").lower())
        except (BadAddress, ValueError) as error:
            raise Malformed(str(error)) from error
        text, payload = fields.get("Body", ""), fields.get("ButtonPayload", "")
        message = InboundMessage(
            external_id,
            address,
            text or fields.get("ButtonText", ""),
            signal,
            media,
            payload,
            also_at=also_at,
        )
        return Event(EventKind.MESSAGE, message=self._as_answered(message))

    def _as_answered(self, message: InboundMessage) -> InboundMessage:
        """Note what Twilio answers by itself without telling: its default words, unless that is switched off."""
        if self._answers_words or message.signal is not ProviderSignal.NONE:
            return message
        signal = twilio_words.signal_of(message.text)
        return message if not signal else replace(message, signal=signal, signal_from=twilio_words.RULE)

    def _who(self, fields: Mapping[str, str]) -> tuple[Address, Address | None]:
        """Return who wrote, and another address of the same account; raises `BadAddress`."""
        return self._person(_need(fields, "From")), None

    def look_up(self, question: Question) -> Call:
        """Ask for the messages from this sender to a person, the newest first."""
        sender = f"&{urlencode({'From': self._sender['From']})}" if "From" in self._sender else ""
        url = f"{self._url}?To={self._to(question.address.value)}{sender}&PageSize={twilio_look_up.PAGE_SIZE}"
        access = (self._account, self._token)
        return Call("GET", url, b"", {"Accept": "application/json"}, access, refs=(question.ref,))

    def sightings(self, question: Question, reply: Reply) -> Sequence[Sighting]:
        """Read the list; raises `CannotTell`."""
        return twilio_look_up.read(question, reply, _RECEIPTS, _by_code)

    def given_back_call(self, day: date) -> Call:
        """Ask where the list of a day lies."""
        return twilio_deactivations.call(self._base_url, day, (self._account, self._token))

    def given_back_file(self, reply: Reply) -> str:
        """Return the address of the list; raises `CannotRead`."""
        return twilio_deactivations.file_address(self._base_url, reply)

    def consents_call(self, standings: Sequence[consent_shares.Standing]) -> Call:
        """Put these standings in place of what Twilio knows of these people and this sender."""
        (sender_id,) = self._sender.values()
        return twilio_consents.call(self._base_url, standings, sender_id, (self._account, self._token))

    def refused_consents(self, reply: Reply) -> Sequence[str]:
        """Return why single ones were refused; raises `CannotShare`."""
        return twilio_consents.refused(reply)

    def link(self, payload: str) -> str | None:
        """`sms:` with the word written already; this spelling works on iOS and on Android."""
        return f"sms:{self._from}?&body={quote(payload)}"

    def acknowledge(self, request: HookRequest) -> HookReply:
        """Empty TwiML: our answer to the person goes out as a delivery, like everything else."""
        return HookReply(200, "text/xml; charset=utf-8", '<?xml version="1.0" encoding="UTF-8"?><Response/>')


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise Malformed("The form is not UTF-8.") from error


def _need(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name)
    if not value:
        raise Malformed(f"The field {name} is missing.")
    return value


def _receipt(fields: Mapping[str, str], ref: str) -> Event:
    status = _RECEIPTS.get(_need(fields, "MessageStatus"))
    sid = _need(fields, "MessageSid")
    if status is None:
        return Event(EventKind.IGNORED)
    try:
        delivery = DeliveryRef.parse(ref)
    except ValueError as error:
        raise Malformed(str(error)) from error
    failure = _by_code(fields.get("ErrorCode") or "") if status is ReceiptStatus.FAILED else None
    receipt = Receipt(delivery, sid, status, failure, read=fields["MessageStatus"] == "read")
    return Event(EventKind.RECEIPT, receipt=receipt)


def _error(reply: Reply, body: Mapping[str, Any]) -> SendError:
    code = str(body.get("code") or "")
    detail = str(body.get("message") or "")[:300]
    wait = seconds(reply.headers.get("retry-after"))
    if reply.status == 429:
        return SendError(ErrorKind.RATE_LIMITED, code or "429", detail, wait or 1.0)
    if reply.status in (502, 504):
        # Something between us and Twilio gave up waiting; whether Twilio took the message nobody can tell.
        return SendError(ErrorKind.UNKNOWN, code or str(reply.status), detail)
    if reply.status >= 500:
        return SendError(ErrorKind.TEMPORARY, code or str(reply.status), detail, wait)
    if not code and reply.status in (401, 403):
        return SendError(ErrorKind.AUTH, str(reply.status), detail)
    if not code:
        return SendError(ErrorKind.CONFIG, str(reply.status), "The reply is not Twilio's; check --base-url.")
    return replace(_by_code(code), detail=detail, retry_after=wait)


# "Unknown destination handset" is said of phones that are off, too: only a second time counts as a dead number.
_BOUNCES_TWICE = frozenset({"30005"})


def _by_code(code: str) -> SendError:
    return replace(by_code("twilio", code), bounces_after=2 if code in _BOUNCES_TWICE else 1)
