"""The units of SMPP 3.4 that a small SMS centre needs, written after the specification and not after our own client.

Texts are in GSM 7 bit, a byte for each sign, where the coding is 0, and in UTF-16 where it is 8.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.domain.parts import GSM7_BASIC

HEAD: Final = struct.Struct(">IIII")
LONGEST: Final = 70_000
ANSWER: Final = 0x80000000
SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x04, 0x05, 0x06, 0x15
BINDS: Final = {0x01: "receiver", 0x02: "transmitter", 0x09: "transceiver"}
PAYLOAD, REPORTED_ID, STATE = 0x0424, 0x001E, 0x0427
HAS_HEADER, IS_REPORT = 0x40, 0x04
UCS2: Final = 8
_ESCAPE: Final = 27
# 3GPP TS 23.038: the default alphabet has its escape at 27, which the table in `parts` leaves out.
_SIGNS: Final = GSM7_BASIC[:_ESCAPE] + "\x1b" + GSM7_BASIC[_ESCAPE:]
_MORE: Final = {10: "\f", 20: "^", 40: "{", 41: "}", 47: "\\", 60: "[", 61: "~", 62: "]", 64: "|", 101: "€"}


class BadUnit(ValueError):
    """The bytes are no unit of SMPP."""


@dataclass(frozen=True)
class Unit:
    """One unit: command, status, number and body."""

    command: int
    status: int
    number: int
    body: bytes = b""

    def bytes(self) -> bytes:
        """Return it for the wire."""
        return HEAD.pack(HEAD.size + len(self.body), self.command, self.status, self.number) + self.body


@dataclass(frozen=True)
class Short:
    """The body of submit_sm and deliver_sm as far as a centre reads it."""

    source: str
    target: str
    data: bytes
    esm_class: int = 0
    coding: int = 0
    wants_report: bool = False
    options: Mapping[int, bytes] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """Return it for the wire; data that is too long for its field goes into the optional one."""
        options = dict(self.options)
        data = self.data
        if len(data) > 254:
            data, options[PAYLOAD] = b"", data
        parties = b"".join(b"\1\1" + _cstring(one.removeprefix("+")) for one in (self.source, self.target))
        fixed = bytes((self.esm_class, 0, 0, 0, 0, self.wants_report, 0, self.coding, 0, len(data)))
        more = (struct.pack(">HH", tag, len(value)) + value for tag, value in options.items())
        return b"\0" + parties + fixed + data + b"".join(more)


def take_units(data: bytearray) -> Iterator[Unit]:
    """Take the whole units off the front of what came in; raises `BadUnit`."""
    while len(data) >= HEAD.size:
        length, command, status, number = HEAD.unpack_from(data)
        if not HEAD.size <= length <= LONGEST:
            raise BadUnit(f"{length} bytes")
        if len(data) < length:
            return
        body = bytes(data[HEAD.size : length])
        del data[:length]
        yield Unit(command, status, number, body)


def read_bind(body: bytes) -> tuple[str, str]:
    """Return system_id and password."""
    system_id, password, *_ = body.split(b"\0")
    return system_id.decode("latin-1"), password.decode("latin-1")


def read_short(body: bytes) -> Short:
    """Read the body of submit_sm (4.4.1); raises `BadUnit`."""
    try:
        _, rest = _string(body)
        source, rest = _string(rest[2:])
        target, rest = _string(rest[2:])
        esm_class, rest = rest[0], rest[3:]
        for _ in range(2):  # when to deliver it, and until when
            _, rest = _string(rest)
        report, _, coding, _, length = rest[:5]
        data, options = rest[5 : 5 + length], dict(_options(rest[5 + length :]))
    except (IndexError, ValueError, struct.error) as error:
        raise BadUnit("a message that ends too early") from error
    data = data or options.get(PAYLOAD, b"")
    return Short(f"+{source}", f"+{target}", data, esm_class, coding, bool(report & 1), options)


def split_header(data: bytes) -> tuple[tuple[int, int, int] | None, bytes]:
    """Return reference, total and number of a part, and what follows its user data header."""
    end = 1 + data[0]
    at = 1
    while at < end:
        kind, length = data[at], data[at + 1]
        if kind == 0 and length == 3:
            return (data[at + 2], data[at + 3], data[at + 4]), data[end:]
        at += 2 + length
    return None, data[end:]


def words(data: bytes, coding: int) -> str:
    """Read a text."""
    if coding == UCS2:
        return data.decode("utf_16_be", "replace")
    found, escaped = [], False
    for byte in data:
        sign = _MORE.get(byte, " ") if escaped else _SIGNS[byte & 0x7F]
        escaped = not escaped and byte == _ESCAPE
        if not escaped:
            found.append(sign)
    return "".join(found)


def coded(text: str) -> tuple[int, bytes]:
    """Return a text's coding and bytes."""
    more = {sign: code for code, sign in _MORE.items()}
    if any(sign not in _SIGNS and sign not in more for sign in text):
        return UCS2, text.encode("utf_16_be")
    pieces = (bytes((_ESCAPE, more[one])) if one in more else bytes((_SIGNS.index(one),)) for one in text)
    return 0, b"".join(pieces)


def _string(data: bytes) -> tuple[str, bytes]:
    end = data.index(b"\0")
    return data[:end].decode("latin-1"), data[end + 1 :]


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        tag, length = struct.unpack_from(">HH", data)
        yield tag, data[4 : 4 + length]
        data = data[4 + length :]


def _cstring(text: str) -> bytes:
    return text.encode("latin-1") + b"\0"
