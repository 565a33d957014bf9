"""The small language for choosing part of a list: which conditions there are, how they are written and said."""

from app.domain.segments.person import Joining, Moment, Person, holds
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
    spellings,
    way_of,
)
from app.domain.segments.sentence import Names, sentence
from app.domain.segments.written import MOST_CONDITIONS, BadSegment, parse, written

__all__ = [
    "MOST_CONDITIONS",
    "Among",
    "BadSegment",
    "Clause",
    "Had",
    "Joined",
    "JoinedWithin",
    "Joining",
    "Moment",
    "Names",
    "NothingWithin",
    "OnList",
    "Outcome",
    "Person",
    "Reacted",
    "Reaction",
    "Segment",
    "Side",
    "Test",
    "Trait",
    "Way",
    "holds",
    "parse",
    "sentence",
    "spellings",
    "way_of",
    "written",
]
