"""Texts as SMPP carries them: which bytes under which `data_coding`, in one part or in several.

Sources: 3GPP TS 23.038 (alphabets), 3GPP TS 23.040, 9.2.3.24 (header of a part), SMPP 3.4, 5.2.19 (data_coding).
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from app.domain.parts import GSM7_BASIC, GSM7_EXTENSION, Encoding, measure

GSM, LATIN_1 = "gsm", "latin1"
ALPHABETS: Final = (GSM, LATIN_1)
"""What a centre takes `data_coding` 0 for: its own default, which is one of these."""
DEFAULT_CODING, UCS2_CODING = 0x00, 0x08

_ESCAPE: Final = 0x1B
_AT: Final = (*range(_ESCAPE), *range(_ESCAPE + 1, 128))
_EXTENSION_AT: Final = (0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65)
_TO_GSM: Final = {ch: bytes((at,)) for ch, at in zip(GSM7_BASIC, _AT, strict=True)} | {
    ch: bytes((_ESCAPE, at)) for ch, at in zip(GSM7_EXTENSION, _EXTENSION_AT, strict=True)
}
_FROM_GSM: Final[Mapping[int, str]] = dict(zip(_AT, GSM7_BASIC, strict=True))
_FROM_ESCAPED: Final[Mapping[int, str]] = dict(zip(_EXTENSION_AT, GSM7_EXTENSION, strict=True))
_CODECS: Final = {
    0x01: "ascii",
    0x03: "latin-1",
    0x05: "shift_jis",
    0x06: "iso8859_5",
    0x07: "iso8859_8",
    0x08: "utf_16_be",
    0x0A: "iso2022_jp",
    0x0E: "euc_kr",
}
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08


def gsm_encode(text: str) -> bytes:
    """Return one byte a septet, as SMPP wants it; for texts that `measure` calls GSM-7."""
    return b"".join(_TO_GSM[ch] for ch in text)


def gsm_decode(data: bytes) -> str:
    """Read one byte a septet. An escape before what no table knows shows the plain character (23.038, 6.2.1.1)."""
    found: list[str] = []
    escaped = False
    for byte in data:
        if byte == _ESCAPE and not escaped:
            escaped = True
            continue
        plain = _FROM_GSM.get(byte, " " if byte == _ESCAPE else "\ufffd")
        found.append(_FROM_ESCAPED.get(byte, plain) if escaped else plain)
        escaped = False
    return "".join(found)


class Coded(NamedTuple):
    """A text as bytes: the coding, and what each part carries."""

    data_coding: int
    parts: Sequence[bytes]


def coded(text: str, alphabet: str) -> Coded:
    """Cut and write a text as `app.domain.parts` counts it; `alphabet` is the centre's default."""
    encoding: Encoding | None = "UCS-2" if alphabet == LATIN_1 and not _is_latin_1(text) else None
    found = measure(text, encoding)
    chunks = found.chunks or ("",)
    if found.encoding == "UCS-2":
        return Coded(UCS2_CODING, [chunk.encode("utf_16_be") for chunk in chunks])
    if alphabet == LATIN_1:
        return Coded(DEFAULT_CODING, [chunk.encode("latin-1") for chunk in chunks])
    return Coded(DEFAULT_CODING, [gsm_encode(chunk) for chunk in chunks])


def _is_latin_1(text: str) -> bool:
    return all(ord(ch) < 256 for ch in text)


def decoded(data: bytes, data_coding: int, alphabet: str) -> str | None:
    """Return the text that somebody sent, or None where it is none but a picture or a program's data."""
    if data_coding >= 0xF0:  # a message class (23.038, 4): flash and the like
        data_coding = 0x04 if data_coding & 0x04 else DEFAULT_CODING
    if data_coding == DEFAULT_CODING:
        return gsm_decode(data) if alphabet == GSM else data.decode("latin-1")
    codec = _CODECS.get(data_coding)
    return data.decode(codec, "replace") if codec else None


class Header(NamedTuple):
    """Where a part belongs: the reference that all parts of a text share, how many there are, and which this is."""

    reference: int
    total: int
    number: int

    def encode(self) -> bytes:
        """Return a user data header with a reference of 8 bits: `measure` counts on its six bytes."""
        return bytes((5, _CONCATENATED_8, 3, self.reference & 0xFF, self.total, self.number))


def split_header(data: bytes) -> tuple[Header | None, bytes]:
    """Take the user data header off; the first is None where it says nothing of parts or makes no sense."""
    elements, text = data[1 : 1 + data[0]] if data else b"", data[1 + data[0] :] if data else b""
    found = _elements(elements)
    if len(value := found.get(_CONCATENATED_8, b"")) == 3:
        return _sensible(Header(*value)), text
    if len(value := found.get(_CONCATENATED_16, b"")) == 4:
        return _sensible(Header(value[0] << 8 | value[1], value[2], value[3])), text
    return None, text


def _sensible(header: Header) -> Header | None:
    return header if 1 <= header.number <= header.total and header.total > 1 else None


def sar_header(options: Mapping[int, bytes], reference: int, total: int, number: int) -> Header | None:
    """Read the same from the three optional fields of those tags, or None."""
    values = [options.get(tag, b"") for tag in (reference, total, number)]
    if not all(values):
        return None
    return _sensible(Header(*(int.from_bytes(value) for value in values)))


def _elements(data: bytes) -> Mapping[int, bytes]:
    found, at = {}, 0
    while at + 2 <= len(data):
        found[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found
