"""Look people up by number, status, list, language, town, tag and channel, page by page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement

from app.domain.consent import SubscriptionState
from app.services.find_people import PersonRow, digits_of, matching, rows_of
from app.storage import people_pages
from app.storage.database import db
from app.storage.models import Subscriber

PAGE: Final = 25
_OVERLAYS: Final[Mapping[str, Any]] = {
    "blocked": Subscriber.blocked_at,
    "bounced": Subscriber.bounced_at,
    "suppressed": Subscriber.suppressed_at,
    "review": Subscriber.review_opened_at,
}
STATUSES: Final = (
    SubscriptionState.ACTIVE.value,
    SubscriptionState.PAUSED.value,
    SubscriptionState.PENDING.value,
    SubscriptionState.STOPPED.value,
    SubscriptionState.STALE.value,
    *_OVERLAYS,
)
"""States of a subscription, then what forbids any message whatever they are subscribed to."""


@dataclass(frozen=True)
class Filter:
    """What is asked for; "" and None ask nothing. `query` is a full number, or its last four digits or more."""

    query: str = ""
    status: str = ""
    list_id: int | None = None
    language: str = ""
    place: str = ""
    tag: str = ""
    channel: str = ""

    def __bool__(self) -> bool:
        return self != Filter()


@dataclass(frozen=True)
class People:
    """A page of people, newest first; `before` begins the next one, None where nobody is left to look at."""

    rows: Sequence[PersonRow]
    before: int | None


def look_up(wanted: Filter, *, region: str, before: int | None = None, limit: int = PAGE) -> People:
    """Return a page of those for whom all of the filter is true.

    It may be short, even empty, and still name a next page: of a million people one page looks at a part. Raises
    `Refused` for fewer than four digits.
    """
    session, indexed, rest = db.session(), list(_indexed(wanted, region)), list(_others(wanted))
    if indexed:
        first, *others = indexed
        found = people_pages.page_by_index(session, first, [*others, *rest], before=before, limit=limit)
    else:
        most = people_pages.MOST_TAGGED if wanted.tag else people_pages.MOST_IDS
        found = people_pages.page(session, rest, before=before, limit=limit, most=most)
    return People(rows_of(found.people), found.before)


def _indexed(wanted: Filter, region: str) -> Iterable[ColumnElement[bool]]:
    """What an index finds, that of which fewest people are first."""
    if wanted.query:
        yield matching(wanted.query, digits_of(wanted.query), region)
    if wanted.status in _OVERLAYS:
        yield _OVERLAYS[wanted.status].is_not(None)
    if wanted.place:
        yield people_pages.lives_in(" ".join(wanted.place.split()))


def _others(wanted: Filter) -> Iterable[ColumnElement[bool]]:
    state = wanted.status if wanted.status and wanted.status not in _OVERLAYS else None
    if state is not None or wanted.list_id is not None:
        yield people_pages.stands(state, wanted.list_id)
    if wanted.language:
        yield Subscriber.language == wanted.language
    if wanted.channel:
        yield Subscriber.channel == wanted.channel
    if wanted.tag:
        yield people_pages.came_by(wanted.tag, wanted.list_id)
