"""Units as a centre sends them (SMPP 3.4)."""

from app.domain.messages import ErrorKind, HookRequest, ReceiptStatus
from app.gateways.base import Reply
from app.gateways.smpp import DELIVER, NUMBER, SEQUENCE
from app.gateways.smpp_pdu import (
    MESSAGE_STATE,
    RECEIPT_OF_CENTRE,
    RECEIPTED_MESSAGE_ID,
    RESPONSE,
    Command,
    Message,
    Party,
    Pdu,
)
from tests.gateways.sample import HOOK, Sample

OURS, ADA = "+12025550180", "+447700900001"
SETTINGS = {"from": OURS, "host": "127.0.0.1", "system_id": "riverside", "password": "a-secret"}
TO_US, FROM_ADA = Party(1, 1, "12025550180"), Party(1, 1, "447700900001")


def answered(status: int = 0, id_: str = "00A7") -> Reply:
    body = id_.encode() + b"\0" if status == 0 else b""
    return Reply(200, Pdu(Command.SUBMIT_SM | RESPONSE, status, 7, body).encode())


def delivered(*messages: Message, number: str = "s1:1") -> HookRequest:
    """What the session hands on when a centre brings these."""
    units = b"".join(
        Pdu(Command.DELIVER_SM, 0, 40 + i, one.encode()).encode() for i, one in enumerate(messages)
    )
    return HookRequest(DELIVER, "", {NUMBER: number, SEQUENCE: "40"}, units)


def text(
    data: bytes, coding: int = 0, esm_class: int = 0, options: dict[int, bytes] | None = None
) -> Message:
    return Message(FROM_ADA, TO_US, data, esm_class, coding, options=options or {})


def report(
    words: str, esm_class: int = RECEIPT_OF_CENTRE, options: dict[int, bytes] | None = None
) -> Message:
    return text(words.encode("latin-1"), esm_class=esm_class, options=options)


def in_words(state: str, id_: str = "A7", error: str = "000") -> Message:
    return report(
        f"id:{id_} sub:001 dlvrd:001 submit date:2611281030 done date:2611281031 "
        f"stat:{state} err:{error} text:id:9 stat:none"
    )


def in_fields(state: int, id_: str = "a7") -> Message:
    return report("", options={RECEIPTED_MESSAGE_ID: id_.encode() + b"\0", MESSAGE_STATE: bytes((state,))})


STOP = delivered(text(b"STOP"))

SAMPLE = Sample(
    name="smpp",
    settings=SETTINGS,
    sender=OURS,
    wrong_settings=[
        ({"from": "NEWS"}, "answer to"),
        ({"port": "five"}, "a number"),
        ({"window": "0"}, "from 1 to 200"),
        ({"long": "cut"}, "parts, payload"),
        ({"alphabet": "greek"}, "gsm, latin1"),
        ({"ids": "octal"}, "hex-decimal"),
        ({"tls": "/nowhere/smsc.pem"}, "certificates"),
    ],
    addresses=[ADA, "+447700900002", "+12025550143"],
    accepted=lambda count: answered(),
    provider_id="#a7",
    unlisted=[answered(0x400)],
    failures=[
        (answered(0x58), ErrorKind.RATE_LIMITED),
        (answered(0x14), ErrorKind.TEMPORARY),
        (answered(0x0B), ErrorKind.INVALID),
        (answered(0x0E), ErrorKind.AUTH),
        (answered(0x0A), ErrorKind.CONFIG),
        (answered(0x01), ErrorKind.CONTENT),
        (answered(0x400), ErrorKind.TEMPORARY),
        (Reply(200, Pdu(Command.GENERIC_NACK, 0x03, 7).encode()), ErrorKind.TEMPORARY),
        (Reply(200, b"no unit"), ErrorKind.UNKNOWN),
    ],
    stop=STOP,
    tampered=HookRequest("POST", HOOK, {}, STOP.body),
    malformed=[
        HookRequest(DELIVER, "", {}, STOP.body[:-1]),
        HookRequest(DELIVER, "", {}, b""),
        HookRequest(DELIVER, "", {}, Pdu(Command.ENQUIRE_LINK).encode()),
        delivered(Message(Party(1, 1, "99999999999999999"), TO_US, b"STOP")),
    ],
    receipts={
        ReceiptStatus.SENT: delivered(in_fields(6)),
        ReceiptStatus.DELIVERED: delivered(in_words("DELIVRD")),
        ReceiptStatus.FAILED: delivered(in_words("UNDELIV", error="001")),
    },
)
