"""Writes and reads the data units of SMPP 3.4 that a client and a centre exchange.

Source: Short Message Peer to Peer Protocol Specification v3.4, issue 1.2 (1999), chapters 4 and 5. Both ends of the
protocol are here, for texts go out and come in by units of the same form.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

HEADER: Final = struct.Struct(">IIII")
LONGEST: Final = 70_000
"""Bytes of a unit that we take: a text of 64 KB in one field is the longest that 3.4 knows."""
RESPONSE: Final = 0x80000000
"""The bit that tells an answer from a request."""

MESSAGE_PAYLOAD: Final = 0x0424
RECEIPTED_MESSAGE_ID: Final = 0x001E
MESSAGE_STATE: Final = 0x0427
SAR_REFERENCE: Final = 0x020C
SAR_TOTAL: Final = 0x020E
SAR_NUMBER: Final = 0x020F

HAS_USER_DATA_HEADER: Final = 0x40
KIND_OF_MESSAGE: Final = 0x3C
RECEIPT_OF_CENTRE: Final = 0x04
REPORTS: Final = frozenset({RECEIPT_OF_CENTRE, 0x08, 0x20})
"""Kinds of message that no person wrote (5.2.12): the centre's report, a machine's, and one on the way."""


class BadPdu(ValueError):
    """The bytes are no such unit; the text says where they end or differ."""


class Command(IntEnum):
    """What a unit asks for (5.1.2.1). Its answer has the same number and the bit `RESPONSE`."""

    GENERIC_NACK = 0x80000000
    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15


class Status(IntEnum):
    """The few values of `command_status` that the code itself says or looks at (5.1.3)."""

    OK = 0x00
    INVALID_LENGTH = 0x02
    INVALID_COMMAND = 0x03
    INVALID_PASSWORD = 0x0E
    THROTTLED = 0x58
    TRY_LATER = 0x64
    REFUSED_FOR_GOOD = 0x65


class Pdu(NamedTuple):
    """One unit: what it asks for or answers, with which status, its number, and what follows."""

    command: int
    status: int = 0
    sequence: int = 0
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes for the wire."""
        return HEADER.pack(16 + len(self.body), self.command, self.status, self.sequence) + self.body


def next_pdu(data: bytes, at: int = 0) -> tuple[Pdu | None, int]:
    """Return the unit that begins at byte `at`, and its length; None and 0 when more must come. Raises `BadPdu`."""
    if len(data) < at + 16:
        return None, 0
    length, command, status, sequence = HEADER.unpack_from(data, at)
    if not 16 <= length <= LONGEST:
        raise BadPdu(f"a unit of {length} bytes")
    if len(data) < at + length:
        return None, 0
    return Pdu(command, status, sequence, data[at + 16 : at + length]), length


def all_pdus(data: bytes) -> list[Pdu]:
    """Return the units of which `data` is made; raises `BadPdu` when it ends in the middle of one."""
    found, at = [], 0
    while at < len(data):
        pdu, length = next_pdu(data, at)
        if pdu is None:
            raise BadPdu("the last unit is not whole")
        found.append(pdu)
        at += length
    return found


class Party(NamedTuple):
    """A number with its type and plan (5.2.5, 5.2.6): 1 and 1 say international and E.164."""

    ton: int
    npi: int
    number: str


@dataclass(frozen=True)
class Message:
    """The body of `submit_sm` and `deliver_sm` (4.4.1, 4.6.1). `options` are the optional fields, tag -> value."""

    source: Party
    destination: Party
    short_message: bytes = b""
    esm_class: int = 0
    data_coding: int = 0
    registered_delivery: int = 0
    options: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def payload(self) -> bytes:
        """What it carries, in whichever field."""
        return self.short_message or self.options.get(MESSAGE_PAYLOAD, b"")

    def encode(self) -> bytes:
        """Return the body."""
        return b"".join(
            (
                b"\0",
                *(bytes((one.ton, one.npi)) + cstring(one.number) for one in (self.source, self.destination)),
                bytes((self.esm_class, 0, 0)),
                b"\0\0",
                bytes((self.registered_delivery, 0, self.data_coding, 0, len(self.short_message))),
                self.short_message,
                *(struct.pack(">HH", tag, len(value)) + value for tag, value in self.options.items()),
            )
        )

    @classmethod
    def decode(cls, body: bytes) -> "Message":
        """Read a body; raises `BadPdu`."""
        read = Reader(body)
        read.string()
        source = Party(read.octet(), read.octet(), read.string())
        destination = Party(read.octet(), read.octet(), read.string())
        esm_class, _protocol, _priority = read.octet(), read.octet(), read.octet()
        read.string()
        read.string()
        registered, _replace, coding, _default = (read.octet() for _ in range(4))
        return cls(
            source, destination, read.octets(read.octet()), esm_class, coding, registered, read.options()
        )


class Bind(NamedTuple):
    """The body of a bind (4.1)."""

    system_id: str
    password: str
    system_type: str = ""
    version: int = 0x34
    ton: int = 0
    npi: int = 0
    addresses: str = ""

    def encode(self) -> bytes:
        """Return the body."""
        names = b"".join(map(cstring, (self.system_id, self.password, self.system_type)))
        return names + bytes((self.version, self.ton, self.npi)) + cstring(self.addresses)

    @classmethod
    def decode(cls, body: bytes) -> "Bind":
        """Read a body; raises `BadPdu`."""
        read = Reader(body)
        names = read.string(), read.string(), read.string()
        return cls(*names, read.octet(), read.octet(), read.octet(), read.string())

    def __repr__(self) -> str:
        return f"Bind(system_id={self.system_id!r})"


class Reader:
    """Takes fields off a body, one after the other; each raises `BadPdu` when the body ends first."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def octet(self) -> int:
        """Return one byte as a number."""
        return self.octets(1)[0]

    def octets(self, count: int) -> bytes:
        """Return that many bytes."""
        found = self._body[self._at : self._at + count]
        if len(found) < count:
            raise BadPdu(f"it ends at byte {len(self._body)}, in the middle of a field")
        self._at += count
        return found

    def string(self) -> str:
        """Return a C-octet string (3.1) without its zero."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise BadPdu(f"the text at byte {self._at} has no end")
        found = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return found

    def options(self) -> Mapping[int, bytes]:
        """Return the optional fields (3.2.4) that are left, tag -> value."""
        found = {}
        while self._at < len(self._body):
            tag, length = struct.unpack(">HH", self.octets(4))
            found[tag] = self.octets(length)
        return found


def cstring(text: str) -> bytes:
    """Return a C-octet string."""
    return text.encode("latin-1", "replace").replace(b"\0", b"") + b"\0"


def message_id(body: bytes) -> str:
    """Return the id in the body of a `submit_sm_resp`; some centres leave the body of a refusal away."""
    return body.partition(b"\0")[0].decode("latin-1")
