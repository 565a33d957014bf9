"""Segments as JSON, and back: what is wrong in one is said with its place."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from app.domain.buttons import LONGEST_LABEL
from app.domain.channels import CHANNELS
from app.domain.segments.rule import (
    Among,
    Clause,
    Had,
    Joined,
    JoinedWithin,
    NothingWithin,
    OnList,
    Outcome,
    Reacted,
    Reaction,
    Segment,
    Side,
    Test,
    Trait,
    Way,
)

MOST_CONDITIONS: Final = 12
MOST_VALUES: Final = 50
MOST_DAYS: Final = 3650
_YEARS: Final = range(2000, 2101)
_MOST_ID: Final = 2**63 - 1
LONGEST_URL: Final = 4000
LONGEST_PLACE: Final = 100

# No half of a pair of code units either, which no database takes.
_ONE_LINE: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")
_LETTERS: Final = {
    Trait.LANGUAGE: re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?"),
    Trait.CHANNEL: re.compile("|".join(map(re.escape, sorted(CHANNELS)))),
    Trait.WAY: re.compile("|".join(Way)),
    Trait.TAG: re.compile(r"[A-Za-z0-9-]{1,30}"),
    Trait.AREA: re.compile(r"[A-Z]{2}"),
    Trait.PLACE: re.compile(rf"(?=\S)[^\x00-\x1f\x7f\ud800-\udfff]{{0,{LONGEST_PLACE - 1}}}\S"),
}
_EXAMPLES: Final = {
    Trait.LANGUAGE: "de",
    Trait.CHANNEL: "sms",
    Trait.WAY: "form",
    Trait.TAG: "poster-7",
    Trait.AREA: "DE",
    Trait.PLACE: "Riverside",
}
TESTS: Final = (
    *Trait,
    "joined_after",
    "joined_before",
    "joined_within",
    *Outcome,
    *Reaction,
    "nothing_within",
    "on_list",
)
"""The names of the tests, in the order in which they are offered."""
TO: Final = {Reaction.ANSWERED: "label", Reaction.CLICKED: "url"}
"""How one button or one link of a broadcast is named, beside its number."""


class BadSegment(ValueError):
    """A rule that cannot be read. `place` counts its conditions from 1; 0 means the rule as a whole."""

    def __init__(self, reason: str, place: int = 0) -> None:
        super().__init__(f"Condition {place}: {reason}" if place else reason)
        self.reason, self.place = reason, place


def written(segment: Segment) -> dict[str, Any]:
    """Return the JSON form, which `parse` reads.

    `{"match": "all", "conditions": [{"test": "language", "of": ["de"]}, {"test": "received", "of": 7, "not": true}]}`

    With `"but": true` it is everybody else on the lists.

    One answer, or one link, of a broadcast: `{"test": "answered", "of": {"broadcast": 7, "label": "Yes"}}`, or
    `{"test": "clicked", "of": {"broadcast": 7, "url": "https://example.org/a"}}`; with `"of": 7` any of them.
    """
    conditions = []
    for clause in segment.clauses:
        name, value = _named(clause.test)
        conditions.append({"test": name, "of": value, **({"not": True} if clause.negated else {})})
    all_but = {"but": True} if segment.but else {}
    return {"match": "any" if segment.any_of else "all", "conditions": conditions, **all_but}


def _named(test: Test) -> tuple[str, Any]:
    match test:
        case Among(trait, values):
            return trait.value, list(values)
        case Joined(side, day):
            return f"joined_{side}", day.isoformat()
        case JoinedWithin(days):
            return "joined_within", days
        case Had(outcome, broadcast_id):
            return outcome.value, broadcast_id
        case Reacted(reaction, broadcast_id, to):
            return reaction.value, {"broadcast": broadcast_id, TO[reaction]: to} if to else broadcast_id
        case NothingWithin(days):
            return "nothing_within", days
        case OnList(list_id):
            return "on_list", list_id


def parse(data: Any) -> Segment:
    """Read a JSON form; raises `BadSegment`."""
    if not isinstance(data, Mapping):
        raise BadSegment("A segment is an object with “match” and “conditions”.")
    if unknown := sorted(map(str, data.keys() - {"match", "conditions", "but"})):
        raise BadSegment(f"A segment has no “{unknown[0]}”; it has “match”, “conditions” and “but”.")
    if data.get("match", "all") not in ("all", "any"):
        raise BadSegment(f"“match” is “all” or “any”, not “{data['match']}”.")
    if not isinstance(data.get("but", False), bool):
        raise BadSegment("“but” is true or false.")
    conditions = data.get("conditions")
    if not isinstance(conditions, Sequence) or isinstance(conditions, str) or not conditions:
        raise BadSegment("Add at least one condition; without any it is the whole list.")
    if len(conditions) > MOST_CONDITIONS:
        raise BadSegment(f"A segment has at most {MOST_CONDITIONS} conditions, not {len(conditions)}.")
    clauses = tuple(_clause(one, place) for place, one in enumerate(conditions, 1))
    return Segment(clauses, data.get("match") == "any", data.get("but", False))


def _clause(data: Any, place: int) -> Clause:
    if not isinstance(data, Mapping):
        raise BadSegment("A condition is an object with “test”, “of” and perhaps “not”.", place)
    if unknown := sorted(map(str, data.keys() - {"test", "of", "not"})):
        raise BadSegment(f"A condition has no “{unknown[0]}”.", place)
    negated = data.get("not", False)
    if not isinstance(negated, bool):
        raise BadSegment("“not” is true or false.", place)
    return Clause(_test(data.get("test"), data.get("of"), place), negated)


def _test(name: Any, value: Any, place: int) -> Test:
    match name:
        case "joined_after" | "joined_before":
            return Joined(Side(name.removeprefix("joined_")), _day(value, place))
        case "joined_within":
            return JoinedWithin(_whole(value, MOST_DAYS, place))
        case "nothing_within":
            return NothingWithin(_whole(value, MOST_DAYS, place))
        case "on_list":
            return OnList(_whole(value, _MOST_ID, place))
        case "received" | "failed":
            return Had(Outcome(name), _whole(value, _MOST_ID, place))
        case "answered" | "clicked":
            return _reacted(Reaction(name), value, place)
        case str() if name in Trait.__members__.values():
            return Among(Trait(name), _values(Trait(name), value, place))
    raise BadSegment(f"There is no test “{name}”. There are: {', '.join(TESTS)}.", place)


def _reacted(reaction: Reaction, value: Any, place: int) -> Reacted:
    key = TO[reaction]
    if value is None or value == "":
        raise BadSegment("Choose at least one.", place)
    if not isinstance(value, Mapping):
        return Reacted(reaction, _whole(value, _MOST_ID, place))
    if value.keys() != {"broadcast", key}:
        raise BadSegment(
            f"“of” is the number of a broadcast, or an object with “broadcast” and “{key}”.", place
        )
    broadcast_id, to = _whole(value["broadcast"], _MOST_ID, place), value[key]
    most = LONGEST_LABEL if reaction is Reaction.ANSWERED else LONGEST_URL
    if not isinstance(to, str) or len(to) > most or not _ONE_LINE.fullmatch(to):
        raise BadSegment(f"“{key}” is a text of 1 to {most} characters on one line.", place)
    return Reacted(reaction, broadcast_id, to)


def _values(trait: Trait, value: Any, place: int) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise BadSegment("Choose at least one.", place)
    if len(value) > MOST_VALUES:
        raise BadSegment(f"Choose at most {MOST_VALUES}.", place)
    for one in value:
        if not isinstance(one, str) or not _LETTERS[trait].fullmatch(one):
            raise BadSegment(f"“{one}” cannot be chosen here; write for example {_EXAMPLES[trait]}.", place)
    return tuple(dict.fromkeys(value))


def _day(value: Any, place: int) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadSegment(f"“{value}” is no day; write for example 2026-05-01.", place) from None
    if day.year not in _YEARS:
        raise BadSegment(f"Choose a day from {_YEARS.start} to {_YEARS.stop - 1}.", place)
    return day


def _whole(value: Any, most: int, place: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadSegment(f"“{value}” is no whole number.", place)
    if not 1 <= value <= most:
        raise BadSegment(f"Write a number from 1 to {most}.", place)
    return value
