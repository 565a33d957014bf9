"""Placeholders in editors' text (`{{first_name|friend}}`): checked when saved, cheap to fill when sent.

There is no logic in them on purpose: a template language in the hands of editors can ask for gigabytes.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

KNOWN: Final = ("first_name", "last_name", "city")
# A link that is made for each person: only in the texts that `app.services.move_channel` writes.
MOVE_LINK: Final = "move_link"

_TOKEN: Final = re.compile(r"\{\{|\}\}")
_FORBIDDEN: Final = re.compile(r"[{}|\x00-\x1f\x7f]")


class PlaceholderError(ValueError):
    """A placeholder cannot be read. `position` is the 0-based index of the character to look at."""

    def __init__(self, position: int, problem: str, instead: str) -> None:
        super().__init__(f"At character {position + 1}: {problem} {instead}")
        self.position = position
        self.problem = problem
        self.instead = instead


@dataclass(frozen=True, slots=True)
class Slot:
    """A place to fill: the value called `name`, or `fallback` for people of whom it is not known."""

    name: str
    fallback: str


@dataclass(frozen=True, slots=True)
class Template:
    """A checked text: `literals` has one more item than `slots`, and they alternate, literal first."""

    literals: tuple[str, ...]
    slots: tuple[Slot, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names used, each once, in order of appearance."""
        return tuple(dict.fromkeys(slot.name for slot in self.slots))

    @property
    def source(self) -> str:
        """The text that `parse` reads as this one."""
        pieces = [self.literals[0]]
        for slot, literal in zip(self.slots, self.literals[1:], strict=True):
            pieces += (f"{{{{{slot.name}|{slot.fallback}}}}}", literal)
        return "".join(pieces)

    def followed_by(self, tail: str) -> "Template":
        """Return the same text with words at its end that are not parsed."""
        return Template((*self.literals[:-1], self.literals[-1] + tail), self.slots)

    def render(self, values: Mapping[str, str]) -> str:
        """Fill in `values`; an absent or blank one gives way to the fall-back. Values are never parsed."""
        pieces = [self.literals[0]]
        for slot, literal in zip(self.slots, self.literals[1:], strict=True):
            pieces += (values.get(slot.name, "").strip() or slot.fallback, literal)
        return "".join(pieces)


def parse(text: str, known: Collection[str] = KNOWN) -> Template:
    """Check `text` and cut it into literals and slots. Raises PlaceholderError at the first fault."""
    literals: list[str] = []
    slots: list[Slot] = []
    start = 0
    while opening := _TOKEN.search(text, start):
        closing = _closing(text, opening, known)
        literals.append(_literal(text, start, opening.start(), known))
        slots.append(_slot(text, opening.end(), closing, known))
        start = closing + 2
    literals.append(_literal(text, start, len(text), known))
    return Template(tuple(literals), tuple(slots))


def read(text: str) -> Template:
    """Cut a text that was checked when it was saved; it may hold what editors cannot write themselves."""
    return parse(text, (*KNOWN, MOVE_LINK))


def _closing(text: str, opening: re.Match[str], known: Collection[str]) -> int:
    if opening.group() == "}}":
        raise PlaceholderError(opening.start(), "“}}” closes nothing.", f"Write {_example(known)}.")
    closing = text.find("}}", opening.end())
    following = text.find("{{", opening.end())
    if closing < 0 or 0 <= following < closing:
        raise PlaceholderError(opening.start(), "“{{” is never closed.", f"Write {_example(known)}.")
    return closing


def _slot(text: str, start: int, end: int, known: Collection[str]) -> Slot:
    raw_name, bar, raw_fallback = text[start:end].partition("|")
    name, fallback = raw_name.strip(), raw_fallback.strip()
    if name not in known:
        raise PlaceholderError(start, f"there is no placeholder “{name}”.", _suggestion(name, known))
    if bad := _FORBIDDEN.search(raw_fallback):
        position = start + len(raw_name) + len(bar) + bad.start()
        raise PlaceholderError(
            position,
            f"the fall-back of “{name}” may not hold {_show(bad.group())}.",
            f"Write plain words on one line: {{{{{name}|friend}}}}.",
        )
    if not fallback:
        instead = f"Say what people without one shall read: {{{{{name}|friend}}}}."
        raise PlaceholderError(start, f"“{name}” has no fall-back.", instead)
    return Slot(name, fallback)


def _literal(text: str, start: int, end: int, known: Collection[str]) -> str:
    """Refuse `{first_name|friend}` with single braces: it would reach people as it stands."""
    names = "|".join(map(re.escape, known))
    if slip := re.compile(rf"\{{\s*(?:{names})\s*[|}}]").search(text, start, end):
        raise PlaceholderError(slip.start(), "a placeholder has two braces.", f"Write {_example(known)}.")
    return text[start:end]


def _suggestion(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name.lower().replace(" ", "_"), list(known), n=1)
    return f"Write {_example(close or known)}. Known are: {', '.join(known)}."


def _example(known: Collection[str]) -> str:
    return f"{{{{{next(iter(known), 'name')}|friend}}}}"


def _show(character: str) -> str:
    return f"“{character}”" if character.isprintable() else "a line break or control character"
