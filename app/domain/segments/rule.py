"""What a segment can ask of a person: a closed set of tests, each of which may be turned round, joined by all or any.

One more test needs a class here, or an `Outcome` or a `Reaction` when it is about one broadcast, and a line in each of
`written`, `sentence`, `person.holds` and `app.storage.segments`: mypy names the places, for each of them matches every
test.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.domain.consent import Act


class Trait(StrEnum):
    """What is known of a person as a word. `TAG` is where the link hung by which they came (`app.domain.links`).

    `AREA` is the country of the number, as two letters of ISO 3166; an address without a number is in none.
    `PLACE` is the town that an import or the desk has of them, whatever its capital letters (`spellings`).
    """

    LANGUAGE = "language"
    CHANNEL = "channel"
    WAY = "way"
    TAG = "tag"
    AREA = "area"
    PLACE = "place"


class Way(StrEnum):
    """How somebody joined, as editors tell the ways apart; the ledger's acts are finer."""

    TEXT = "text"
    FORM = "form"
    ASKED = "asked"
    BUTTON = "button"
    FOLLOW = "follow"
    IMPORT = "import"
    DESK = "desk"


class Side(StrEnum):
    """Which side of a day."""

    AFTER = "after"
    BEFORE = "before"


class Outcome(StrEnum):
    """What became of one broadcast for a person. Received is also what may have arrived, as corrections count it."""

    RECEIVED = "received"
    FAILED = "failed"


class Reaction(StrEnum):
    """What a person did with one broadcast: pressed one of its buttons, or opened one of its links.

    A click is known only of who agreed to a notice that says so, and only for as long as clicks are kept.
    """

    ANSWERED = "answered"
    CLICKED = "clicked"


@dataclass(frozen=True)
class Among:
    """A trait is one of these values."""

    trait: Trait
    values: tuple[str, ...]


@dataclass(frozen=True)
class Joined:
    """They agreed to one of the broadcast's lists on a later (or an earlier) day than this one, in the list's zone."""

    side: Side
    day: date


@dataclass(frozen=True)
class JoinedWithin:
    """They agreed within so many days before the moment at which the rule is asked."""

    days: int


@dataclass(frozen=True)
class Had:
    """What became of a broadcast for them."""

    outcome: Outcome
    broadcast_id: int


@dataclass(frozen=True)
class Reacted:
    """They answered a broadcast, or opened a link of it. `to` is the label or the address, "" for any of them."""

    reaction: Reaction
    broadcast_id: int
    to: str = ""


@dataclass(frozen=True)
class NothingWithin:
    """They received no broadcast at all within so many days."""

    days: int


@dataclass(frozen=True)
class OnList:
    """They are on another list, too."""

    list_id: int


Test = Among | Joined | JoinedWithin | Had | Reacted | NothingWithin | OnList


@dataclass(frozen=True)
class Clause:
    """A test, or its opposite."""

    test: Test
    negated: bool = False


@dataclass(frozen=True)
class Segment:
    """The people for whom every clause is true, or with `any_of` at least one; with `but` everybody else."""

    clauses: tuple[Clause, ...]
    any_of: bool = False
    but: bool = False


# A yes to a question is a sign-up on the web unless somebody else asked it: these are the beginnings of `cta_ref` then.
ASKED_BY_US: Final = ("operator:", "list:")
QUESTIONS: Final = frozenset({Act.DOI_REPLY, Act.DOI_LINK})
WAYS: Final[dict[Way, frozenset[Act]]] = {
    Way.TEXT: frozenset({Act.KEYWORD_EXACT, Act.KEYWORD_FUZZY}),
    Way.FORM: frozenset({Act.WEB_CHECKBOX, *QUESTIONS}),
    Way.ASKED: QUESTIONS,
    Way.BUTTON: frozenset({Act.BUTTON}),
    Way.FOLLOW: frozenset({Act.FOLLOW_EVENT}),
    Way.IMPORT: frozenset({Act.IMPORT_ATTESTED}),
    Way.DESK: frozenset({Act.AGENT_RECORDED, Act.OPERATOR}),
}


def spellings(place: str) -> tuple[str, ...]:
    """Return how a town may be written: `berlin`, `BERLIN` and `Berlin` are one, in each database alike."""
    return tuple(dict.fromkeys((place, place.lower(), place.upper(), place.title(), place.capitalize())))


def way_of(act: Act, cta_ref: str) -> Way | None:
    """Return how somebody joined whose consent has this act and names this call to action; None for no known way."""
    if act in QUESTIONS:
        return Way.ASKED if cta_ref.startswith(ASKED_BY_US) else Way.FORM
    return next((way for way, acts in WAYS.items() if act in acts), None)
