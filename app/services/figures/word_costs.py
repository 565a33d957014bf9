"""What the people of each keyword cost: the messages that went to the list whose word it is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.figures.read import Told
from app.services.figures.sums import Sums
from app.storage.models import BroadcastList

COLUMNS: Final = ("word", "lists", "broadcasts", "sent_to", "parts", "cost", "without_price")


class _Word(NamedTuple):
    keyword: str
    list_name: str


def rows(session: Session, found: Iterable[Told]) -> list[tuple[Any, ...]]:
    """Return a row of `COLUMNS` for each word, by the alphabet; of the parts `without_price` no price is known.

    Broadcasts to several lists have a row of their own that names all their words: a message goes to a person, not to
    a list, so whose it was cannot be told, and no share is guessed.
    """
    words = _words(session)
    sums: dict[tuple[int, ...], Sums] = defaultdict(Sums)
    unpriced: dict[tuple[int, ...], int] = defaultdict(int)
    for one in found:
        sums[one.list_ids] += one.sums
        unpriced[one.list_ids] += sum(theirs.parts for theirs in one.by_sender.values() if not theirs.cost)
    made = [_row(words, key, sums[key], unpriced[key]) for key in sums]
    return sorted(made, key=lambda row: (" + " in row[0], row[0]))


def _row(words: Mapping[int, _Word], key: tuple[int, ...], sums: Sums, unpriced: int) -> tuple[Any, ...]:
    known = [words[one] for one in key if one in words]
    keywords = " + ".join(one.keyword.upper() for one in known)
    names = ", ".join(one.list_name for one in known)
    return keywords, names, sums.broadcasts, sums.sent_to, sums.parts, sums.money, unpriced


def _words(session: Session) -> Mapping[int, _Word]:
    columns = select(BroadcastList.id, BroadcastList.keyword, BroadcastList.name)
    return {one: _Word(keyword, name) for one, keyword, name in session.execute(columns)}
