"""Channels that people read us on: their names, and how long one message may be there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Channel:
    """One medium. `longest` counts in `unit`: sms (characters, whatever parts they make), chars, utf16 or bytes.

    `key` is its word in tables and commands, where that is not the name in small letters.
    """

    name: str
    longest: int
    unit: str = "chars"
    key: str = ""

    def length(self, text: str) -> int:
        """Return how long a text is here."""
        if self.unit == "utf16":
            return len(text.encode("utf-16-le")) // 2
        return len(text.encode()) if self.unit == "bytes" else len(text)


_ALL: Final = (
    Channel("SMS", 1600, "sms"),
    Channel("Telegram", 4096, "utf16"),
    Channel("XMPP", 10_000),
    Channel("LINE", 5000, "utf16"),
    # Free text may be longer, but a broadcast mostly goes as an approved template, whose body ends here.
    Channel("WhatsApp", 1024),
    Channel("Messenger", 2000, "utf16"),
    Channel("Viber", 7000),
    Channel("WeChat", 2048, "bytes"),
    # Half of an event's 65,536 bytes: each byte of a text may need an escape, and an event holds more than its text.
    Channel("Matrix", 32_000, "bytes"),
    # What is longer arrives as a file of text, which not every client opens by itself.
    Channel("Signal", 2000),
    # An encrypted push has 4,096 bytes at most; the rest is the envelope.
    Channel("Web Push", 3500, "bytes", key="webpush"),
    Channel("Inbox", 5000, key="inapp"),
)
IN_BROWSERS: Final = frozenset({"webpush", "inapp"})
"""Channels that people join on a page of ours, and not by a text."""
TELL_READS: Final = frozenset({"whatsapp", "viber", "signal"})
"""Channels on which each message that was opened is told; on the others nobody knows."""
TELL_NO_DELIVERY: Final = frozenset(
    {"africastalking", "line", "matrix", "telegram", "wechat", "wechat_subscription"}
)
"""Gateways whose platform says that it took a message, and nothing afterwards: those without such receipts."""
CHANNELS: Final[Mapping[str, Channel]] = {one.key or one.name.casefold(): one for one in _ALL}


def channel_named(name: str) -> Channel:
    """Return a channel; one that is not in the table is taken to carry as much as an SMS provider takes."""
    return CHANNELS.get(name, Channel(name, 1600))
