"""Find people by their number, and count who could be reached now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, select

from app.domain.addresses import BadAddress, parse_phone
from app.domain.channels import CHANNELS
from app.services.controller import NotFound, Refused
from app.services.project_consent import overlays_of
from app.storage import headcounts
from app.storage.database import db
from app.storage.models import BroadcastList, Subscriber, Subscription
from app.storage.people_pages import tail_is

FEWEST_DIGITS: Final = 4


@dataclass(frozen=True)
class PersonRow:
    """A subscriber: `lists` maps names of lists to states; `overlays` are what forbids any message; `place` is
    the town.
    """

    subscriber_id: int
    address: str
    channel: str
    language: str
    lists: dict[str, str]
    overlays: tuple[str, ...]
    place: str = ""


def search(query: str, *, region: str, limit: int = 25) -> list[PersonRow]:
    """Find people by their full number, or by its last four digits or more; the newest first.

    Raises Refused when there are fewer than four digits.
    """
    digits = digits_of(query)
    matches = matching(query, digits, region)
    chosen = (
        select(Subscriber)
        .where(matches, Subscriber.erased_at.is_(None))
        .order_by(Subscriber.id.desc())
        .limit(limit)
    )
    return rows_of(db.session.scalars(chosen).all())


def digits_of(query: str) -> str:
    """Return the digits that somebody searches for; raises `Refused` where they are fewer than four."""
    digits = "".join(character for character in query if character.isdecimal())
    if len(digits) < FEWEST_DIGITS:
        raise Refused("Write a full number, or its last four digits or more.")
    return digits


def person(subscriber_id: int) -> PersonRow:
    """One subscriber. Raises NotFound."""
    return rows_of([subscriber(subscriber_id)])[0]


def reachable(list_ids: Iterable[int]) -> int:
    """How many people are subscribed to at least one of these lists and can be written to right now."""
    return headcounts.open_on_any(db.session(), list_ids)


def matching(query: str, digits: str, region: str) -> ColumnElement[bool]:
    """Return SQL for whose number it is, or ends in these digits, which are four or more."""
    try:
        found = parse_phone(query, region).value
        # By the index of channel and address. SQLite, which works `tail_is` out before it looks for an index, would
        # else read everybody.
        return and_(Subscriber.channel.in_(CHANNELS), Subscriber.address == found)
    except BadAddress:
        return and_(tail_is(digits), Subscriber.address.endswith(digits, autoescape=True))


def subscriber(subscriber_id: int) -> Subscriber:
    """The row of one subscriber. Raises NotFound."""
    found = db.session.get(Subscriber, subscriber_id)
    if found is None:
        raise NotFound("There is no such person.")
    return found


def rows_of(subscribers: Sequence[Subscriber]) -> list[PersonRow]:
    """Return what is shown of these people, in their order."""
    lists = _lists_of([subscriber.id for subscriber in subscribers])
    return [
        PersonRow(s.id, s.address, s.channel, s.language, lists.get(s.id, {}), _overlays(s), s.place)
        for s in subscribers
    ]


def _lists_of(subscriber_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = (
        select(Subscription.subscriber_id, BroadcastList.name, Subscription.state)
        .join(BroadcastList, BroadcastList.id == Subscription.list_id)
        .where(Subscription.subscriber_id.in_(subscriber_ids))
        .order_by(BroadcastList.name)
    )
    for subscriber_id, name, state in db.session.execute(rows):
        found[subscriber_id][name] = state
    return found


def _overlays(subscriber: Subscriber) -> tuple[str, ...]:
    return tuple(name.value for name in overlays_of(subscriber).present)
