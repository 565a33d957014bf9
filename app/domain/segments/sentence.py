"""A segment as one sentence, in English and in German."""

from collections.abc import Sequence
from datetime import date
from typing import Final, Protocol

from app.domain.segments.rule import (
    Among,
    Clause,
    Had,
    Joined,
    JoinedWithin,
    NothingWithin,
    OnList,
    Reacted,
    Reaction,
    Segment,
    Test,
    Trait,
    Way,
)
from app.domain.segments.words import WORDS, Words

_LONGEST_LINK: Final = 60


class Names(Protocol):
    """What things are called in the language of the sentence."""

    def language(self, code: str) -> str: ...
    def channel(self, name: str) -> str: ...
    def country(self, code: str) -> str: ...
    def day(self, day: date) -> str: ...
    def list_name(self, list_id: int) -> str: ...
    def title(self, broadcast_id: int) -> str: ...


def sentence(segment: Segment, lists: Sequence[str], names: Names, language: str) -> str:
    """Say whom a segment of these lists chooses; `language` is `en` or `de`.

    "People on City News whose language is German and who did not receive “Flood warning”." With `but`: "Everybody on
    City News but those whose language is German."
    """
    words = WORDS[language]
    clauses = [_clause(one, names, words) for one in segment.clauses]
    whose = _listed(clauses, words.either if segment.any_of else words.both, words)
    if segment.but:
        return f"{words.all_but.format(x=_listed(list(lists), words.both, words))} {whose}."
    return f"{words.people.format(x=_listed(list(lists), words.either, words))} {whose}."


def way_words(way: Way, language: str) -> str:
    """Say how somebody joined: `by an import`."""
    return WORDS[language].ways[way]


def short_link(url: str) -> str:
    """Say an address without its `https://`, and without its middle where it is long."""
    bare = url.removeprefix("https://")
    half = _LONGEST_LINK // 2
    return bare if len(bare) <= _LONGEST_LINK else f"{bare[:half]}…{bare[-half:]}"


def _clause(clause: Clause, names: Names, words: Words) -> str:
    name, about = _about(clause.test, names, words)
    return words.clauses[name][clause.negated].format(x=about)


def _about(test: Test, names: Names, words: Words) -> tuple[str, str]:
    match test:
        case Among(trait, values):
            return trait.value, _listed(
                [_value(trait, one, names, words) for one in values], words.either, words
            )
        case Joined(side, day):
            return f"joined_{side}", names.day(day)
        case JoinedWithin(days):
            return "joined_within", _days(days, words)
        case Had(outcome, broadcast_id):
            return outcome.value, words.quoted.format(x=names.title(broadcast_id))
        case Reacted():
            return test.reaction.value, _reaction(test, names, words)
        case NothingWithin(days):
            return "nothing_within", _days(days, words)
        case OnList(list_id):
            return "on_list", names.list_name(list_id)


def _reaction(test: Reacted, names: Names, words: Words) -> str:
    to = words.quoted.format(x=test.to) if test.reaction is Reaction.ANSWERED else short_link(test.to)
    title = words.quoted.format(x=names.title(test.broadcast_id))
    return words.reactions[test.reaction][bool(test.to)].format(to=to, title=title)


def _value(trait: Trait, value: str, names: Names, words: Words) -> str:
    match trait:
        case Trait.LANGUAGE:
            return names.language(value)
        case Trait.CHANNEL:
            return names.channel(value)
        case Trait.AREA:
            return names.country(value)
        case Trait.WAY:
            return words.ways[Way(value)]
        case Trait.PLACE:
            return value
        case Trait.TAG:
            return words.quoted.format(x=value)


def _days(days: int, words: Words) -> str:
    return words.last_day if days == 1 else words.last_days.format(n=days)


def _listed(items: list[str], joint: str, words: Words) -> str:
    if len(items) < 3:
        return f" {joint} ".join(items)
    return f"{', '.join(items[:-1])}{words.before_last} {joint} {items[-1]}"
