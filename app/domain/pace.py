"""How fast messages may leave: what a lane asks the shared throttle for, and what it hears."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.domain.channels import CHANNELS

_SETTING: Final = re.compile(r"\s*([a-z]{2,20})\s*=\s*(\d+(?:\.\d+)?)\s*")
MOST: Final = 100_000.0
"""Messages a second that any limit may name."""


@dataclass(frozen=True, slots=True)
class PairLimit:
    """What a provider takes from one sender to one person: a message in `seconds`, and `burst` of them at once.

    Broadcasts keep to the steady pace; the burst is for answers, which are paid back in the same way.
    """

    seconds: float
    burst: int = 1


# What the platforms publish, by channel. WhatsApp ("Pair rate limits"): one message in 6 seconds to one person, and 45
# at once that are paid back. Telegram (FAQ, "My bot is hitting limits"): one in a second in a chat, and short bursts.
PAIRS: Final[Mapping[str, PairLimit]] = {
    "whatsapp": PairLimit(6.0, burst=45),
    "telegram": PairLimit(1.0, burst=3),
}


class Shared(NamedTuple):
    """A limit that several senders keep together: of an account or a channel, in units a second."""

    name: str
    rate: float


@dataclass(frozen=True)
class Ask:
    """One question for permits of a sender: messages that cost `costs` units each (SMS: parts).

    `shared` limits hold as well. `people` are the subscribers whom the messages are for, one for each cost, where the
    provider has a `pair` limit. `back` are units of earlier permits that nobody used. With `must` the messages leave
    whether there are permits or not, and others wait the longer: they answer people.
    """

    sender_id: int
    rate: float
    costs: Sequence[int]
    shared: Sequence[Shared] = ()
    people: Sequence[int] = ()
    pair: PairLimit | None = None
    back: int = 0
    must: bool = False


@dataclass(frozen=True)
class Grant:
    """How many messages from the first on may leave, and seconds to wait when none may.

    Those at the places in `rests` are counted among them and took no permit: their person had a message just now, and
    may have this one in so many seconds.
    """

    count: int
    wait: float = 0.0
    rests: Mapping[int, float] = field(default_factory=dict)


def read_rates(text: str) -> dict[str, float]:
    """Read `sms=100, whatsapp=80`, units a second by channel; raises ValueError."""
    found: dict[str, float] = {}
    for part in filter(str.strip, text.split(",")):
        match = _SETTING.fullmatch(part)
        if match is None or not 0 < float(match[2]) <= MOST:
            raise ValueError("must be messages a second by channel, above 0, such as sms=100, whatsapp=80")
        if match[1] not in CHANNELS:
            raise ValueError(
                f"names {match[1]}, which is no channel; there are {', '.join(sorted(CHANNELS))}"
            )
        found[match[1]] = float(match[2])
    return found
