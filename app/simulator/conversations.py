"""The phones on the screen: who holds them, and what each conversation shows."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Literal, TypeAlias

from app.domain.styles import Span
from app.simulator.keys import Keys
from app.simulator.medium import Medium
from app.simulator.records import Bubble

KEPT_BUBBLES = 100
Kind: TypeAlias = Literal["in", "out", "note"]
Change: TypeAlias = Literal["done", "same", "missing"]


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody with a phone: `key` names it in the page's addresses, `number` is reserved for fiction."""

    key: str
    name: str
    number: str
    language: str


PERSONAS = (
    Persona("ada", "Ada Okafor", "+12025550143", "en"),
    Persona("jonas", "Jonas Weber", "+493023125017", "de"),
    Persona("grace", "Grace Bennett", "+447700900118", "en"),
    Persona("mia", "Mia Schubert", "+493023125064", "de"),
)


class Conversations:
    """The newest bubbles of each persona's phone. Bubbles are added, which `version` counts, or changed."""

    def __init__(self, clock: Callable[[], datetime], personas: tuple[Persona, ...] = PERSONAS) -> None:
        self._clock = clock
        self._by_number = {persona.number: persona for persona in personas}
        self._by_key = {persona.key: persona for persona in personas}
        self._lock = Lock()
        self.version = 0
        self.epoch = 0
        self.reset()

    def reset(self) -> None:
        """Empty every phone; `epoch` tells open pages that what they show is so no more."""
        with self._lock:
            self.epoch += 1
            self._bubbles: dict[str, deque[Bubble]] = {
                number: deque(maxlen=KEPT_BUBBLES) for number in self._by_number
            }

    def personas(self) -> tuple[Persona, ...]:
        """Return the people whose phones are shown."""
        return tuple(self._by_key.values())

    def persona(self, key: str) -> Persona | None:
        """Return the person with this key."""
        return self._by_key.get(key)

    def add(
        self,
        number: str,
        kind: Kind,
        peer: str,
        text: str,
        parts: int = 1,
        channel: str = "sms",
        medium: Medium | None = None,
        keys: Keys = (),
        name: str = "",
        looks: tuple[Span, ...] = (),
    ) -> None:
        """Show one more bubble on the phone with this number; other numbers have no screen."""
        if number not in self._by_number:
            return
        with self._lock:
            self.version += 1
            file = (medium.sha256, medium.kind) if medium else ("", "")
            here = (self.version, kind, peer, text, self._clock(), parts, channel)
            self._bubbles[number].append(Bubble(*here, *file, keys, name, looks=looks))

    def change(
        self,
        number: str,
        peer: str,
        name: str,
        text: str | None,
        keys: Keys = (),
        looks: tuple[Span, ...] = (),
    ) -> Change:
        """Give the message that `peer` calls `name` other words, or with None take it away.

        Open pages show everything anew, as after `reset`. Phones without a screen remember nothing, and agree.
        """
        if number not in self._by_number:
            return "done"
        with self._lock:
            phone = self._bubbles[number]
            found = [place for place, one in enumerate(phone) if (one.peer, one.name) == (peer, name)]
            if not found or phone[found[0]].mark == "deleted":
                return "missing"
            old = phone[found[0]]
            if (old.text, old.keys, old.looks) == (text, keys, looks):
                return "same"
            if text is None:
                phone[found[0]] = replace(
                    old, text="", file="", file_kind="", keys=(), looks=(), mark="deleted"
                )
            else:
                phone[found[0]] = replace(old, text=text, keys=keys, looks=looks, mark="edited")
            self.epoch += 1
        return "done"

    def bubbles(self, number: str, after: int = 0) -> list[Bubble]:
        """Return the bubbles of a phone that came after `after`, oldest first."""
        with self._lock:
            return [bubble for bubble in self._bubbles.get(number, ()) if bubble.order > after]

    def restore(self, saved: dict[str, list[Bubble]], version: int) -> None:
        """Show again what was saved, for the phones that still exist."""
        with self._lock:
            self.version = max(self.version, version)
            for number, bubbles in saved.items():
                if number in self._bubbles:
                    self._bubbles[number].extend(bubbles)
