"""What a segment means, said in plain Python: the SQL that chooses people is compared with this."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

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
    Trait,
    Way,
    spellings,
)


@dataclass(frozen=True)
class Moment:
    """When a rule is asked (UTC), for the people of which lists, and in whose zone its days are."""

    at: datetime
    zone: str
    list_ids: tuple[int, ...]


@dataclass(frozen=True)
class Joining:
    """An active subscription: since when it is agreed to, how that came, and the tag of the link ("" for none)."""

    list_id: int
    at: datetime
    way: Way | None = None
    tag: str = ""


@dataclass(frozen=True)
class Person:
    """A subscriber as segments see one. `country` is "" where the address tells of none, `place` where nobody said it.

    `had` maps broadcasts that they had, or may have had, to the moment; `failed` are those that failed with them.
    `answers` maps broadcasts to the label that they pressed last; `opened` has broadcasts with the address of a link.
    """

    language: str
    channel: str
    country: str
    joinings: tuple[Joining, ...]
    had: Mapping[int, datetime]
    failed: frozenset[int]
    answers: Mapping[int, str]
    opened: frozenset[tuple[int, str]]
    place: str = ""


def holds(segment: Segment, person: Person, moment: Moment) -> bool:
    """Tell whether a person, who is on one of the lists, belongs to a segment at a moment."""
    answers = (_true(clause, person, moment) for clause in segment.clauses)
    return (any(answers) if segment.any_of else all(answers)) is not segment.but


def _true(clause: Clause, person: Person, moment: Moment) -> bool:
    here = [one for one in person.joinings if one.list_id in moment.list_ids]
    match clause.test:
        case Among(trait, values):
            meant = {
                one for value in values for one in (spellings(value) if trait is Trait.PLACE else (value,))
            }
            answer = not _traits(trait, person, here).isdisjoint(meant)
        case Joined(Side.AFTER, day):
            answer = any(one.at >= midnight(day + timedelta(days=1), moment.zone) for one in here)
        case Joined(_, day):
            answer = any(one.at < midnight(day, moment.zone) for one in here)
        case JoinedWithin(days):
            answer = any(one.at > moment.at - timedelta(days=days) for one in here)
        case Had(outcome, broadcast_id):
            answer = broadcast_id in (person.had if outcome is Outcome.RECEIVED else person.failed)
        case Reacted(Reaction.ANSWERED, broadcast_id, to):
            answer = broadcast_id in person.answers and to in ("", person.answers[broadcast_id])
        case Reacted(_, broadcast_id, to):
            answer = any(one == broadcast_id and to in ("", url) for one, url in person.opened)
        case NothingWithin(days):
            answer = all(at <= moment.at - timedelta(days=days) for at in person.had.values())
        case OnList(list_id):
            answer = any(one.list_id == list_id for one in person.joinings)
    return answer is not clause.negated


def _traits(trait: Trait, person: Person, here: list[Joining]) -> set[str]:
    match trait:
        case Trait.LANGUAGE:
            return {person.language}
        case Trait.CHANNEL:
            return {person.channel}
        case Trait.AREA:
            return {person.country}
        case Trait.PLACE:
            return {person.place}
        case Trait.WAY:
            return {one.way.value for one in here if one.way is not None}
        case Trait.TAG:
            return {one.tag for one in here}


def midnight(day: date, zone: str) -> datetime:
    """Return the instant (UTC) at which a day begins on the clocks of a zone."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
