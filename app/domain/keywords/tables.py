"""Loads the words of each language from the data files, and joins them for the languages in use."""

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


@dataclass(frozen=True, slots=True)
class Words:
    """The commands in force: squeezed word -> rule, the rule naming the language file and the word in it."""

    stop: Mapping[str, str]
    start: Mapping[str, str]
    help: Mapping[str, str]


def words_for(languages: Collection[str]) -> Words:
    """The words of English and of `languages` ('de', 'pt-BR', ...). Languages without a file add none."""
    return _joined(tuple(languages))


@cache
def all_words() -> frozenset[str]:
    """How people say *all* after STOP. In any language: whoever writes STOP TUTTI means it."""
    return frozenset(squeeze(word) for language in LANGUAGES for word in _load(language)["all"])


@lru_cache(maxsize=1024)
def _joined(languages: tuple[str, ...]) -> Words:
    subtags = {ENGLISH, *(tag.replace("_", "-").partition("-")[0].lower() for tag in languages)}
    active = sorted(subtags.intersection(LANGUAGES))
    return Words(*(_rules(kind, active) for kind in ("stop", "start", "help")))


def _rules(kind: str, active: list[str]) -> dict[str, str]:
    rules: dict[str, str] = {}
    for language in active:
        for word in _load(language)[kind]:
            rules.setdefault(squeeze(word), f"{language}.{kind}:{squeeze(word)}")
    return rules


@cache
def _load(language: str) -> dict[str, list[str]]:
    source = files("app.domain.keywords").joinpath("data", f"{language}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))
