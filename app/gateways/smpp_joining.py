"""Puts the parts of long texts together that people sent; what never becomes whole is handed on as it is."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.gateways.smpp_pdu import (
    HAS_USER_DATA_HEADER,
    SAR_NUMBER,
    SAR_REFERENCE,
    SAR_TOTAL,
    Message,
    Party,
)
from app.gateways.smpp_text import Header, sar_header, split_header

WAIT_SECONDS: Final = 600.0
MOST_TEXTS: Final = 1000


class Key(NamedTuple):
    """What the parts of one text share."""

    source: Party
    destination: Party
    reference: int
    total: int


@dataclass
class _Text:
    until: float
    parts: dict[int, bytes] = field(default_factory=dict)

    def in_order(self) -> bytes:
        return b"".join(self.parts[number] for number in sorted(self.parts))


def header_of(message: Message) -> Header | None:
    """Return where a message belongs when it is a part: by its user data header, or by the `sar_` fields."""
    if message.esm_class & HAS_USER_DATA_HEADER:
        return split_header(message.payload)[0]
    return sar_header(message.options, SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER)


class Joining:
    """Parts that wait for others. A text whose rest does not come in ten minutes is over, and so is the oldest of too
    many: words that somebody sent are never thrown away, there may be a STOP in them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST_TEXTS) -> None:
        self._clock, self._most = clock, most
        self._texts: dict[Key, _Text] = {}

    def add(self, message: Message, header: Header, unit: bytes) -> bytes | None:
        """Keep a part; returns all units of its text in order when it is whole. A repeated part changes nothing."""
        key = Key(message.source, message.destination, header.reference, header.total)
        text = self._texts.setdefault(key, _Text(self._clock() + WAIT_SECONDS))
        text.parts[header.number] = unit
        if len(text.parts) < header.total:
            return None
        return self._texts.pop(key).in_order()

    def overdue(self) -> Iterable[bytes]:
        """Return what will not become whole, each text's units in order."""
        while self._texts:
            key, oldest = next(iter(self._texts.items()))
            if oldest.until > self._clock() and len(self._texts) <= self._most:
                return
            del self._texts[key]
            yield oldest.in_order()
