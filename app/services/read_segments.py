"""What is told of segments: the sentence in the reader's language, how many can be reached now, and who they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import format_date
from sqlalchemy import select

from app.domain.channels import channel_named
from app.domain.replies import LANGUAGES
from app.domain.segments import Reacted, Reaction, Segment, parse, sentence
from app.services.broadcast_rows import targets_of
from app.services.controller import NotFound
from app.storage import audience, quick_answers, segments
from app.storage.database import db
from app.storage.models import Broadcast, BroadcastList, SavedSegment, Subscriber
from app.storage.segments import Chosen
from app.storage.ways import ways, ways_to

_LATELY: Final = 50
# Countries that take "the" in an English sentence.
_WITH_ARTICLE: Final = frozenset(
    {"AE", "BS", "CD", "CF", "DO", "GB", "GM", "KM", "MH", "MV", "NL", "PH", "SC", "SB", "US"}
)
_DAYS: Final = {"en": "d MMMM y", "de": "d. MMMM y"}


class DatabaseNames:
    """Names of languages and countries from the Unicode tables, of lists and broadcasts as they are called now."""

    def __init__(self, language: str) -> None:
        self._language = language

    def language(self, code: str) -> str:
        """`German`, or the code itself."""
        return str(_locale(self._language).languages.get(code.partition("-")[0], code))

    def channel(self, name: str) -> str:
        """`SMS`"""
        return channel_named(name).name

    def country(self, code: str) -> str:
        """`Germany`, `the United States`, or the code itself."""
        article = "the " if self._language == "en" and code in _WITH_ARTICLE else ""
        return f"{article}{self.territory(code)}"

    def territory(self, code: str) -> str:
        """The name of a country without an article, for a list of them."""
        return str(_locale(self._language).territories.get(code, code))

    def day(self, day: date) -> str:
        """`1 May 2026`"""
        return format_date(day, _DAYS[self._language], locale=self._language)

    def list_name(self, list_id: int) -> str:
        """The name of a list."""
        return (
            db.session.scalar(select(BroadcastList.name).where(BroadcastList.id == list_id)) or f"#{list_id}"
        )

    def title(self, broadcast_id: int) -> str:
        """The title of a broadcast."""
        found = db.session.scalar(select(Broadcast.title).where(Broadcast.id == broadcast_id))
        return found or f"#{broadcast_id}"


@cache
def _locale(language: str) -> Locale:
    return Locale(language)


@dataclass(frozen=True)
class Counted:
    """How many people of the lists belong to a segment now, and how many of them can be written to."""

    people: int
    reachable: int


@dataclass(frozen=True)
class Known:
    """What there is to choose from: traits that people of the lists have, other open lists, broadcasts of late."""

    languages: tuple[str, ...]
    channels: tuple[str, ...]
    countries: tuple[str, ...]
    other_lists: tuple[int, ...]
    broadcasts: tuple[int, ...]


def known_of(list_ids: Sequence[int]) -> Known:
    """Return what a segment of these lists can sensibly ask for, without looking at each of their people."""
    session = db.session()
    lists = session.execute(
        select(BroadcastList.id, BroadcastList.language)
        .where(BroadcastList.archived_at.is_(None))
        .order_by(BroadcastList.name)
    ).all()
    began = (
        select(Broadcast.id)
        .where(Broadcast.started_at.is_not(None), Broadcast.tests_id.is_(None))
        .order_by(Broadcast.started_at.desc())
        .limit(_LATELY)
    )
    return Known(
        languages=tuple(sorted({*(language for _, language in lists), *LANGUAGES})),
        channels=tuple(sorted(ways(session, list_ids))),
        countries=tuple(sorted(segments.areas(session))),
        other_lists=tuple(one for one, _ in lists if one not in list_ids),
        broadcasts=tuple(session.scalars(began)),
    )


def in_words(rule: Segment, list_ids: Sequence[int], language: str) -> str:
    """Say whom a rule chooses of these lists."""
    names = DatabaseNames(language)
    return sentence(rule, [names.list_name(one) for one in list_ids], names, language)


def said_of(broadcast: Broadcast, language: str) -> str:
    """Say to which part of its lists a broadcast goes; "" when it goes to all of them."""
    session = db.session()
    data = segments.rule_data(session, broadcast)
    if data is None:
        return ""
    return in_words(parse(data), [one.id for one in targets_of(session, broadcast.id)], language)


def reactions_asked(broadcast: Broadcast) -> set[Reaction]:
    """Return what the rule of a broadcast asks that people did: answered, clicked, or nothing of the kind."""
    data = segments.rule_data(db.session(), broadcast)
    tests = [one.test for one in parse(data).clauses] if data is not None else []
    return {test.reaction for test in tests if isinstance(test, Reacted)}


def count(rule: Segment, list_ids: Sequence[int], now: datetime) -> Counted:
    """Count the people of these lists whom a rule chooses at `now`."""
    session = db.session()
    chosen = _chosen(rule, list_ids, now)
    answers = quick_answers.ask(session, list_ids, now, ways_to(session, list_ids), chosen=chosen)
    return Counted(sum(answers.counts.values()), answers.reachable)


def reachable(broadcast: Broadcast, list_ids: Sequence[int], now: datetime) -> int | None:
    """Count whom a draft would reach on these lists; None when it goes to all of them."""
    data = segments.rule_data(db.session(), broadcast)
    if data is None:
        return None
    return count(parse(data), list_ids, now).reachable if list_ids else 0


def people(
    rule: Segment, list_ids: Sequence[int], now: datetime, *, limit: int, after: int = 0
) -> list[Subscriber]:
    """Return the people whom a rule chooses, in the order of their ids, from the one behind `after` on."""
    chosen = audience.members(list_ids, chosen=_chosen(rule, list_ids, now)).subquery()
    rows = (
        select(Subscriber)
        .join(chosen, chosen.c.subscriber_id == Subscriber.id)
        .where(Subscriber.id > after)
        .order_by(Subscriber.id)
        .limit(limit)
    )
    return list(db.session.scalars(rows))


def rule_of(row: SavedSegment) -> Segment:
    """Read the rule of a saved segment."""
    return parse(row.rule)


def name_of(broadcast: Broadcast) -> str:
    """Return the name of the saved segment that a broadcast goes to; "" for a rule of its own, or none."""
    if broadcast.segment_id is None:
        return ""
    return db.session.scalar(select(SavedSegment.name).where(SavedSegment.id == broadcast.segment_id)) or ""


def _chosen(rule: Segment, list_ids: Sequence[int], now: datetime) -> Chosen:
    if not list_ids:
        raise NotFound("There is no such list.")
    session = db.session()
    zone = select(BroadcastList.zone).where(BroadcastList.id.in_(list_ids)).order_by(BroadcastList.id)
    return segments.chosen_by(session, rule, now, session.scalar(zone.limit(1)) or "UTC")
