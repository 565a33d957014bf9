"""Recipients whose number decides what happens, so that a test or a demo can ask for a failure by dialling it.

The last four digits choose the behaviour. Fictional North American numbers (555-0100 to 555-0199) end in 01xx and
the reserved Berlin numbers (+49 30 23125 000-999) in 5xxx, so neither is ever magic by accident. The British drama
numbers (+44 7700 900000-900999) cover 0000-0999: magic recipients are best dialled there, e.g. +44 7700 900404.

Behaviours that only other messengers know (0424 window closed, 0449 preference cap, 0456 pair limit) do not exist
in SMS; such numbers are ordinary here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType

Step = tuple[str, int | None]

NORMAL: tuple[Step, ...] = (("sent", None), ("delivered", None))
SLOW_SECONDS = 3.0
HANDSET_BLOCKS: tuple[Step, ...] = (("sent", None), ("undelivered", 30004))


@dataclass(frozen=True, slots=True)
class Magic:
    """What one ending does: a refusal (`status`, `code`), for the first call only when `once`, or odd receipts."""

    status: int = 201
    code: int | None = None
    once: bool = False
    retry_after: int | None = None
    never_answers: bool = False
    slow: bool = False
    receipts: tuple[Step, ...] = NORMAL


ENDINGS = {
    "0404": Magic(status=400, code=21211),
    "0610": Magic(status=400, code=21610),
    "0429": Magic(status=429, code=20429, once=True, retry_after=2),
    "0500": Magic(status=500, code=20500, once=True),
    "0408": Magic(slow=True),
    "0504": Magic(never_answers=True),
    "0614": Magic(status=400, code=21614),
    "0998": Magic(status=400, code=39998),
    "0202": Magic(receipts=(("sent", None), ("undelivered", 30005))),
    "0403": Magic(receipts=HANDSET_BLOCKS),
    "0299": Magic(receipts=(("delivered", None), ("sent", None), ("delivered", None))),
}
ORDINARY = Magic()


class MagicNumbers:
    """The table of endings, and which one-time failures have already happened."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._lock = Lock()

    def look_up(self, number: str, own: Mapping[str, Magic] = MappingProxyType({})) -> Magic:
        """Return what happens to a message to `number` now; a one-time failure is used up by this call.

        `own` are the endings that mean something else on this channel.
        """
        magic = own.get(number[-4:]) or ENDINGS.get(number[-4:], ORDINARY)
        if not magic.once:
            return magic
        with self._lock:
            if number in self._seen:
                return ORDINARY
            self._seen.add(number)
        return magic

    def reset(self) -> None:
        """Forget which one-time failures have happened."""
        with self._lock:
            self._seen.clear()


class OneTimeFaults:
    """Which ids on a messenger have had the one failure that their last digits ask for: 0429, 0456 or 0500.

    `on_reset` are the jobs of a reset, after which each counts anew.
    """

    def __init__(self, on_reset: list[Callable[[], object]]) -> None:
        self._seen: set[str] = set()
        self._lock = Lock()
        on_reset.append(self._seen.clear)

    def take(self, user_id: str) -> str:
        """Return the ending for the first request, and "" from then on."""
        ending = ending_of(user_id)
        with self._lock:
            if ending not in ("0429", "0456", "0500") or user_id in self._seen:
                return ""
            self._seen.add(user_id)
        return ending


def ending_of(user_id: str) -> str:
    """Return the last four digits of an id, whatever signs stand behind them."""
    return "".join(sign for sign in user_id if sign.isdecimal())[-4:]
