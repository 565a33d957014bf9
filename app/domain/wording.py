"""Other words of a broadcast, for a channel, a language, or both: how they are named, and who gets which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from app.domain.channels import CHANNELS
from app.domain.languages import is_language


class Scope(NamedTuple):
    """For whom other words are: a channel ("" for all), and a language as `Subscriber.language` has it ("" for all)."""

    channel: str
    language: str

    @property
    def key(self) -> str:
        """Its name among the other words of a broadcast: `sms`, `/de`, or `sms/de`."""
        return f"{self.channel}/{self.language}" if self.language else self.channel


class BadScope(ValueError):
    """What an editor wrote names neither a channel nor a language."""


def scope(key: str) -> Scope:
    """Read what `Scope.key` wrote."""
    channel, _, language = key.partition("/")
    return Scope(channel, language)


def scope_written(written: str) -> Scope:
    """Read what an editor wrote: `telegram`, `de` or `telegram/de`. Raises `BadScope`."""
    found = scope(written if "/" in written or written in CHANNELS else f"/{written}")
    known = not found.channel or found.channel in CHANNELS
    spoken = not found.language or is_language(found.language)
    if not known or not spoken or found == Scope("", "") or written.endswith("/"):
        raise BadScope(f"“{written}” is no channel, no code of a language, and no channel/language")
    return found


@dataclass(frozen=True)
class Wording:
    """What a broadcast says on one channel: `by_language` to whom its words are written for, `base` to all others.

    `styled`: marks in them style words (`app.domain.styles`).
    """

    base: str
    by_language: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    styled: bool = False

    def to(self, language: str) -> str:
        """Return the words for a person of a language."""
        return self.by_language.get(language, self.base)

    @property
    def texts(self) -> tuple[str, ...]:
        """Each text once, the base first."""
        return tuple(dict.fromkeys((self.base, *self.by_language.values())))


def wording(text: str, variants: Mapping[str, str], channel: str, *, styled: bool = False) -> Wording:
    """Choose a channel's words: those for it in the language, else for the language, else for the channel, else `text`.

    The language goes before the channel: words for a channel only suit it better, those in another language may not be
    understood. Where words for a language do not fit a channel, the check before sending says so. A language whose
    words are everybody's is not named.

    Args:
        text: The main text.
        variants: `Scope.key` -> other words.
        channel: The channel that the people are on.
        styled: Whether marks in the words style them.
    """
    languages = dict.fromkeys(one.language for one in map(scope, variants) if one.language)
    base = variants.get(channel) or text
    theirs = {one: variants.get(f"{channel}/{one}") or variants.get(f"/{one}") for one in sorted(languages)}
    found = {one: words for one, words in theirs.items() if words and words != base}
    return Wording(base, found, styled)
