"""A segment as one sentence, in English and in German."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    Segment,
    Test,
    Trait,
    Way,
)


class Names(Protocol):
    """What things are called in the language of the sentence."""

    def language(self, code: str) -> str: ...
    def channel(self, name: str) -> str: ...
    def country(self, code: str) -> str: ...
    def day(self, day: date) -> str: ...
    def list_name(self, list_id: int) -> str: ...
    def title(self, broadcast_id: int) -> str: ...


@dataclass(frozen=True)
class _Words:
    """A language's way of saying it. Each test has its clause and the opposite; `{x}` is what it is about."""

    people: str
    either: str
    both: str
    before_last: str
    """What stands before the last "and" of three or more."""
    quoted: str
    last_day: str
    last_days: str
    ways: dict[Way, str]
    clauses: dict[str, tuple[str, str]]


_WORDS: Final = {
    "en": _Words(
        people="People on {x}",
        either="or",
        both="and",
        before_last=",",
        quoted="“{x}”",
        last_day="in the last day",
        last_days="in the last {n} days",
        ways={
            Way.TEXT: "by texting the word",
            Way.FORM: "by a form on the web",
            Way.ASKED: "by saying yes to a question",
            Way.BUTTON: "by a button",
            Way.FOLLOW: "by following us on the platform",
            Way.IMPORT: "by an import",
            Way.DESK: "through the desk",
        },
        clauses={
            "language": ("whose language is {x}", "whose language is not {x}"),
            "channel": ("who read us on {x}", "who do not read us on {x}"),
            "way": ("who joined {x}", "who did not join {x}"),
            "tag": ("who came by the link {x}", "who did not come by the link {x}"),
            "area": ("whose number is from {x}", "whose number is not from {x}"),
            "joined_after": ("who joined after {x}", "who did not join after {x}"),
            "joined_before": ("who joined before {x}", "who did not join before {x}"),
            "joined_within": ("who joined {x}", "who did not join {x}"),
            "received": ("who received {x}", "who did not receive {x}"),
            "failed": ("whom {x} failed to reach", "whom {x} did not fail to reach"),
            "nothing_within": ("who received nothing {x}", "who received something {x}"),
            "on_list": ("who are also on {x}", "who are not on {x}"),
        },
    ),
    "de": _Words(
        people="Alle auf {x},",
        either="oder",
        both="und",
        before_last="",
        quoted="„{x}“",
        last_day="am letzten Tag",
        last_days="in den letzten {n} Tagen",
        ways={
            Way.TEXT: "mit dem Stichwort",
            Way.FORM: "über ein Webformular",
            Way.ASKED: "auf eine Frage hin",
            Way.BUTTON: "mit einem Knopf",
            Way.FOLLOW: "durch Folgen auf der Plattform",
            Way.IMPORT: "durch einen Import",
            Way.DESK: "über die Redaktion",
        },
        clauses={
            "language": ("deren Sprache {x} ist", "deren Sprache nicht {x} ist"),
            "channel": ("die uns über {x} lesen", "die uns nicht über {x} lesen"),
            "way": ("die sich {x} angemeldet haben", "die sich nicht {x} angemeldet haben"),
            "tag": ("die über den Link {x} kamen", "die nicht über den Link {x} kamen"),
            "area": ("deren Nummer zum Land {x} gehört", "deren Nummer nicht zum Land {x} gehört"),
            "joined_after": ("die nach dem {x} dazukamen", "die nicht nach dem {x} dazukamen"),
            "joined_before": ("die vor dem {x} dazukamen", "die nicht vor dem {x} dazukamen"),
            "joined_within": ("die {x} dazukamen", "die nicht {x} dazukamen"),
            "received": ("die {x} bekommen haben", "die {x} nicht bekommen haben"),
            "failed": ("bei denen {x} fehlschlug", "bei denen {x} nicht fehlschlug"),
            "nothing_within": ("die {x} nichts bekommen haben", "die {x} etwas bekommen haben"),
            "on_list": ("die auch auf {x} sind", "die nicht auf {x} sind"),
        },
    ),
}


def sentence(segment: Segment, lists: Sequence[str], names: Names, language: str) -> str:
    """Say whom a segment of these lists chooses; `language` is `en` or `de`.

    "People on City News whose language is German and who did not receive “Flood warning”."
    """
    words = _WORDS[language]
    clauses = [_clause(one, names, words) for one in segment.clauses]
    whose = _listed(clauses, words.either if segment.any_of else words.both, words)
    return f"{words.people.format(x=_listed(list(lists), words.either, words))} {whose}."


def way_words(way: Way, language: str) -> str:
    """Say how somebody joined: `by an import`."""
    return _WORDS[language].ways[way]


def _clause(clause: Clause, names: Names, words: _Words) -> str:
    name, about = _about(clause.test, names, words)
    return words.clauses[name][clause.negated].format(x=about)


def _about(test: Test, names: Names, words: _Words) -> tuple[str, str]:
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
        case NothingWithin(days):
            return "nothing_within", _days(days, words)
        case OnList(list_id):
            return "on_list", names.list_name(list_id)


def _value(trait: Trait, value: str, names: Names, words: _Words) -> str:
    match trait:
        case Trait.LANGUAGE:
            return names.language(value)
        case Trait.CHANNEL:
            return names.channel(value)
        case Trait.AREA:
            return names.country(value)
        case Trait.WAY:
            return words.ways[Way(value)]
        case Trait.TAG:
            return words.quoted.format(x=value)


def _days(days: int, words: _Words) -> str:
    return words.last_day if days == 1 else words.last_days.format(n=days)


def _listed(items: list[str], joint: str, words: _Words) -> str:
    if len(items) < 3:
        return f" {joint} ".join(items)
    return f"{', '.join(items[:-1])}{words.before_last} {joint} {items[-1]}"
