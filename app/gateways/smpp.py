"""SMPP 3.4: texts over a session with an SMS centre, which `app.gateways.smpp_stream` keeps.

A text of several parts is one call with one unit for each. Only its last part asks for a report: the centre brings
that back with its own id of the message, and by this id the delivery is found (`app.domain.messages.found_by`).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from app.domain.addresses import Address, BadAddress, parse_phone, region_of
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
    Receipt,
    ReceiptStatus,
    Recipient,
    SendError,
    found_by,
)
from app.gateways.base import (
    BadSignature,
    Call,
    Capabilities,
    Malformed,
    Proof,
    Reply,
)
from app.gateways.common import (
    HttpGateway,
    by_code,
    by_status,
    for_all,
    number_of_ours,
    sms_link,
    without_answer,
)
from app.gateways.smpp_account import PAYLOAD, SETTINGS, account_of, check
from app.gateways.smpp_pdu import (
    HAS_USER_DATA_HEADER,
    MESSAGE_PAYLOAD,
    BadPdu,
    Command,
    Message,
    Party,
    Pdu,
    Status,
    all_pdus,
    message_id,
)
from app.gateways.smpp_receipts import ID_FORMS, is_receipt, report_of
from app.gateways.smpp_text import GSM, Header, coded, decoded, split_header

SUBMIT: Final = "SUBMIT_SM"
DELIVER: Final = "DELIVER_SM"
LATE_ANSWER: Final = "SUBMIT_SM_RESP"
NUMBER: Final = "x-number"
"""Header of what came in: unique for each, and the same when the centre repeats itself."""
SEQUENCE: Final = "x-sequence"
"""Header of what came in: the number of the unit that wants an answer."""
REF: Final = "x-ref"
"""Header of an answer that came after we gave up waiting: the delivery that it is about."""

_THROTTLED_SECONDS: Final = 1.0
_NATIONAL: Final = 2


class SmppGateway(HttpGateway):
    """One number at one centre. Each sender has a session of its own."""

    name = "smpp"
    channel = "sms"
    settings = SETTINGS

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self.account = account_of(settings)
        self._from = number_of_ours(settings["from"])
        self._source, self._region = _party(self._from), region_of(self._from)
        self._alphabet = settings.get("alphabet") or GSM
        self._one_unit = settings.get("long") == PAYLOAD
        self._answered_id, self._reported_id = ID_FORMS[settings.get("ids") or "same"]

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, E.164 or a short code; raises `BadSetting` naming what is wrong."""
        cls.complete(settings)
        check(settings)
        return number_of_ours(settings["from"])

    @property
    def provider_account(self) -> str:
        """A centre's limits are of the system_id, whatever number a session sends from."""
        return f"smpp:{self.account.system_id}@{self.account.host}"

    @classmethod
    def capabilities(cls) -> Capabilities:
        """A yes says that the centre has taken the message; what became of it, its report tells."""
        return Capabilities(
            channel=cls.channel,
            default_rate=10.0,
            receipts=frozenset({ReceiptStatus.SENT, ReceiptStatus.DELIVERED, ReceiptStatus.FAILED}),
            proof=Proof.QUEUED,
            connection="stream",
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One call a recipient; the units are numbered when they leave."""
        return [self._call(recipient) for recipient in batch.recipients]

    def _call(self, recipient: Recipient) -> Call:
        units = [Pdu(Command.SUBMIT_SM, body=one.encode()).encode() for one in self._messages(recipient)]
        address = f"smpp://{self.account.host}:{self.account.port}"
        return Call(SUBMIT, address, b"".join(units), refs=(recipient.ref,))

    def _messages(self, recipient: Recipient) -> list[Message]:
        to = _party(recipient.address.value)
        coding, parts = coded(recipient.text, self._alphabet)
        if len(parts) == 1:
            return [Message(self._source, to, parts[0], 0, coding, 1)]
        if self._one_unit:
            return [Message(self._source, to, b"", 0, coding, 1, {MESSAGE_PAYLOAD: b"".join(parts)})]
        reference = _reference(recipient.ref)
        return [
            Message(
                self._source,
                to,
                Header(reference, len(parts), number).encode() + part,
                HAS_USER_DATA_HEADER,
                coding,
                registered_delivery=int(number == len(parts)),
            )
            for number, part in enumerate(parts, 1)
        ]

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """Read the centre's answer to the last part, or to the first that it refused."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        pdu = _answer(reply.body)
        if reply.status != 200 or pdu is None:
            return for_all(call, by_status(reply))
        return for_all(call, _refusal(pdu), self._id(pdu, call.refs[0]))

    def _id(self, pdu: Pdu, ref: DeliveryRef) -> str:
        given = message_id(pdu.body)
        return found_by(self._answered_id(given)) if given else str(ref)

    def verify(self, request: HookRequest) -> None:
        """Only our own session brings units; what anybody posts over HTTP is none."""
        if request.method not in (DELIVER, LATE_ANSWER):
            raise BadSignature("SMPP comes in over the sender's own session, never over HTTP.")

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Texts of people, all parts in one request; reports; and answers that came too late to be waited for."""
        try:
            pdus = all_pdus(request.body)
            if request.method == LATE_ANSWER:
                return [self._late(pdus[0], request.headers[REF])]
            messages = [Message.decode(one.body) for one in pdus if one.command == Command.DELIVER_SM]
        except (BadPdu, IndexError, KeyError, ValueError) as error:
            raise Malformed(f"The unit makes no sense: {error}") from error
        if not messages:
            raise Malformed("There is no deliver_sm in it.")
        if is_receipt(messages[0]):
            return [self._receipt(messages[0])]
        return [self._text(messages, request.headers.get(NUMBER, ""))]

    def _late(self, pdu: Pdu, ref: str) -> Event:
        delivery, error = DeliveryRef.parse(ref), _refusal(pdu)
        status = ReceiptStatus.FAILED if error else ReceiptStatus.SENT
        return Event(EventKind.RECEIPT, receipt=Receipt(delivery, self._id(pdu, delivery), status, error))

    def _receipt(self, message: Message) -> Event:
        report = report_of(message)
        if report is None:
            return Event(EventKind.IGNORED)
        id_ = found_by(self._reported_id(report.id))
        return Event(EventKind.RECEIPT, receipt=Receipt(None, id_, report.status, report.error))

    def _text(self, messages: Sequence[Message], number: str) -> Event:
        first = messages[0]
        data = b"".join(_without_header(one) for one in messages)
        text = decoded(data, first.data_coding, self._alphabet)
        address = _person(first.source, self._region)
        if address is None:
            return Event(EventKind.IGNORED)
        message = InboundMessage(number, address, text or "", media_count=int(text is None))
        return Event(EventKind.MESSAGE, message=message)

    def acknowledge(self, request: HookRequest) -> HookReply:
        """The number of the unit to answer; the session writes the rest."""
        return HookReply(200, body=request.headers.get(SEQUENCE, ""))

    def link(self, payload: str) -> str:
        """Opens a text to us with the word written already."""
        return sms_link(self._from, payload)


def _party(number: str) -> Party:
    """International numbers go without their plus; a short code is the network's own (5.2.5)."""
    return Party(1, 1, number[1:]) if number.startswith("+") else Party(3, 0, number)


def _person(party: Party, region: str | None) -> Address | None:
    """Return who wrote; None for a name or a short code, which nobody can answer. Raises `Malformed`.

    Some centres bring numbers of the country as they are dialled there: they are of the country of our own number.
    """
    number = party.number
    national = party.ton == _NATIONAL or (number.startswith("0") and not number.startswith("00"))
    try:
        if national:
            return parse_phone(number, region)
        return parse_phone(number if number.startswith(("+", "00")) else f"+{number}")
    except BadAddress as error:
        if len(number) <= 8 or not number.isdecimal():
            return None
        raise Malformed(
            "A text came from no international number; let the centre send those (TON 1)."
        ) from error


def _reference(ref: DeliveryRef) -> int:
    """The same for a second try, so that a phone puts no text together twice, and another for the next broadcast."""
    return (ref.broadcast_id + 31 * abs(ref.inbound_id)) % 256


def _answer(body: bytes) -> Pdu | None:
    try:
        return all_pdus(body)[0]
    except (BadPdu, IndexError):
        return None


def _refusal(pdu: Pdu) -> SendError | None:
    if pdu.status == Status.OK and pdu.command != Command.GENERIC_NACK:
        return None
    error = by_code("smpp", f"0x{pdu.status:02x}")
    limited = error.kind is ErrorKind.RATE_LIMITED
    return by_code("smpp", error.code, retry_after=_THROTTLED_SECONDS) if limited else error


def _without_header(message: Message) -> bytes:
    has_header = message.esm_class & HAS_USER_DATA_HEADER
    return split_header(message.payload)[1] if has_header else message.payload
