"""Counts and cuts the text of an SMS into the parts that networks bill: GSM-7 or UCS-2."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal

Encoding = Literal["GSM-7", "UCS-2"]

# 3GPP TS 23.038, default alphabet without the escape, then its extension table (two septets each).
GSM7_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION: Final = "\f^{}\\[~]|€"

_SINGLE: Final[dict[Encoding, int]] = {"GSM-7": 160, "UCS-2": 70}
_JOINED: Final[dict[Encoding, int]] = {"GSM-7": 153, "UCS-2": 67}
_GSM7_ONLY: Final = re.compile(f"[{re.escape(GSM7_BASIC + GSM7_EXTENSION)}]*")
_GSM7_PLAIN: Final = re.compile(f"[{re.escape(GSM7_BASIC)}]+")
_NOT_GSM7: Final = re.compile(f"[^{re.escape(GSM7_BASIC + GSM7_EXTENSION)}]")
_TWO_SEPTETS: Final = re.compile(f"[{re.escape(GSM7_EXTENSION)}]")
_TWO_CODE_UNITS: Final = re.compile("[\U00010000-\U0010ffff]")

_LOOK_ALIKES: Final = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc`\u00b4\uff07",
    '"': "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022",
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\u2028\u2029",
    "...": "\u2026",
    "": "\u00ad\u200b\u2060\ufeff",
}
_PLAIN: Final = str.maketrans({fancy: plain for plain, many in _LOOK_ALIKES.items() for fancy in many})


@dataclass(frozen=True, slots=True)
class Parts:
    """How a text travels.

    `units` are septets (GSM-7) or 16-bit code units (UCS-2) of the whole text; `count` parts are billed;
    `chunks` are the texts of the parts; `left` is how many units still fit before one more part is needed.
    """

    encoding: Encoding
    units: int
    count: int
    chunks: tuple[str, ...]
    left: int


def measure(text: str, encoding: Encoding | None = None) -> Parts:
    """Cut `text` as a handset receives it: no character ever straddles two parts.

    One part holds 160 septets or 70 code units; of several, each holds 153 or 67 (the header takes the rest).
    `encoding` is for a centre that cannot take a text in the one that fits it best.
    """
    encoding = encoding or ("GSM-7" if _GSM7_ONLY.fullmatch(text) else "UCS-2")
    units = _units(text, encoding)
    if units <= _SINGLE[encoding]:
        return Parts(encoding, units, 1 if text else 0, (text,) if text else (), _SINGLE[encoding] - units)
    chunks = _split(text, encoding)
    return Parts(encoding, units, len(chunks), chunks, _JOINED[encoding] - _units(chunks[-1], encoding))


def count_parts(text: str) -> int:
    """Return `measure(text).count`; at once for what surely fits into one part, for it is asked for every message."""
    if 0 < len(text) <= _SINGLE["UCS-2"] // 2:
        return 1
    if len(text) <= _SINGLE["GSM-7"] and _GSM7_PLAIN.fullmatch(text):
        return 1
    return measure(text).count


def offenders(text: str) -> tuple[str, ...]:
    """The characters that force `text` into UCS-2, each once, in the order in which they appear."""
    return tuple(dict.fromkeys(_NOT_GSM7.findall(text)))


def plain_quotes(text: str) -> str:
    """Replace typographic quotes, dashes, blanks and invisible marks by look-alikes that GSM-7 has.

    Letters never change: `ç` and emoji stay, and with them UCS-2. Joined emoji and Persian keep their joiner.
    """
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


def _units(text: str, encoding: Encoding) -> int:
    if encoding == "GSM-7":
        return len(text) + len(_TWO_SEPTETS.findall(text))
    return len(text) + len(_TWO_CODE_UNITS.findall(text))


def _split(text: str, encoding: Encoding) -> tuple[str, ...]:
    room = _JOINED[encoding]
    if _units(text, encoding) == len(text):  # every character is one unit wide, so none can straddle
        return tuple(text[start : start + room] for start in range(0, len(text), room))
    ends = list(accumulate(_units(ch, encoding) for ch in text))
    chunks: list[str] = []
    start = used = 0
    for index, end in enumerate(ends):
        if end - used > room:
            chunks.append(text[start:index])
            start, used = index, ends[index - 1]
    chunks.append(text[start:])
    return tuple(chunks)
