"""Loads the commands of each language from the data files, and joins them for the languages in use."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from app.domain.keywords.normalise import squeeze

ENGLISH: Final = "en"  # STOP, START and HELP work in every language and cannot be switched off
LANGUAGES: Final = (
    "ar", "de", "en", "es", "fr", "hi", "it", "ja", "nl", "pl", "pt", "ru", "sw", "tr", "uk", "zh",
)  # fmt: skip
MEANINGS: Final = ("stop", "start", "help", "yes", "no", "pause")

# As people write whose keyboard lacks the letters.
WRITTEN_OUT: Final = {"de": str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})}

Rules = Mapping[str, str]  # squeezed word -> rule, which names the language file and the word in it


@dataclass(frozen=True, slots=True)
class Words:
    """The commands in force. `weak` STOP words also occur in ordinary talk: they count alone only.

    `also_stop` says as much as STOP without being announced anywhere (unsubscribeme, désabonne): a stop that is
    confirmed with a way back. `polite` words may surround a command.
    """

    stop: Rules
    start: Rules
    help: Rules
    yes: Rules
    no: Rules
    pause: Rules
    also_stop: Rules
    weak: frozenset[str]
    polite: frozenset[str]

    @property
    def strong(self) -> frozenset[str]:
        """STOP words that nobody writes without meaning them."""
        return frozenset(self.stop) - self.weak


def words_for(languages: Collection[str]) -> Words:
    """The words of English and of `languages` ('de', 'pt-BR', ...). Languages without a file add none."""
    return _joined(codes(languages))


def codes(languages: Collection[str]) -> tuple[str, ...]:
    """The languages in use that have words here, English first."""
    tags = {tag.replace("_", "-").partition("-")[0].lower() for tag in languages}
    return (ENGLISH, *sorted(tags.intersection(LANGUAGES) - {ENGLISH}))


def as_written(meaning: str, language: str) -> tuple[str, ...]:
    """The words for `meaning` in the file of one language, as people write them, universal ones not repeated."""
    return tuple(_load(language).get(meaning, ()))


@cache
def all_words() -> frozenset[str]:
    """How people say *all* after STOP. In any language: whoever writes STOP TUTTI means it."""
    return frozenset(squeeze(word) for language in LANGUAGES for word in _load(language)["all"])


@lru_cache(maxsize=1024)
def _joined(active: tuple[str, ...]) -> Words:
    rules = {kind: _rules(kind, active) for kind in (*MEANINGS, "also_stop")}
    return Words(**rules, weak=_set("weak", active), polite=_set("polite", active))


def _rules(kind: str, active: Collection[str]) -> dict[str, str]:
    """A word of the person's own language is credited to it, even if it is universal too."""
    rules: dict[str, str] = {}
    for language in (*(code for code in active if code != ENGLISH), ENGLISH):
        for word in _load(language).get(kind, ()):
            for spelling in {squeeze(word), squeeze(word.translate(WRITTEN_OUT.get(language, {})))}:
                rules.setdefault(spelling, f"{language}.{kind}:{squeeze(word)}")
    return rules


def _set(kind: str, active: Collection[str]) -> frozenset[str]:
    return frozenset(squeeze(word) for language in active for word in _load(language).get(kind, ()))


@cache
def _load(language: str) -> dict[str, list[str]]:
    source = files("app.domain.keywords").joinpath("data", f"{language}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))
