"""Segments as SQL: the one place that turns a rule into a condition on people.

Each test is said so that it is true or false and never NULL, for its opposite must be the other half.
What the rule means is said once more in `app.domain.segments.person`; a test compares the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.domain.consent import SubscriptionState
from app.domain.policy.places import Whereabouts
from app.domain.policy.windows import UNKNOWN
from app.domain.segments import (
    Among,
    Clause,
    Had,
    Joined,
    JoinedWithin,
    NothingWithin,
    OnList,
    Outcome,
    Reacted,
    Segment,
    Side,
    Test,
    Trait,
    Way,
    parse,
    spellings,
    written,
)
from app.domain.segments.person import midnight
from app.domain.segments.rule import ASKED_BY_US, QUESTIONS, WAYS
from app.domain.statuses import DeliveryStatus
from app.storage import quiet
from app.storage.holding import HAD_IT
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    ConsentEvent,
    Delivery,
    SavedSegment,
    Subscriber,
    Subscription,
)
from app.storage.models.people import PLACE
from app.storage.reactions import reacted

_ACTIVE: Final = SubscriptionState.ACTIVE.value
_NO_GROUP: Final = -1


class Chosen(NamedTuple):
    """A rule with all that its answer depends on besides the people.

    `at` is when it is asked, `zone` that of its days; `areas` has the quiet groups of each country.
    """

    rule: Segment
    at: datetime
    zone: str
    areas: Mapping[str, Sequence[int]]

    def of(self, list_ids: Sequence[int]) -> ColumnElement[bool]:
        """SQL, of the joined `Subscriber`: whether somebody on these lists belongs to the segment."""
        clauses = [_clause(one, self, list_ids) for one in self.rule.clauses]
        found = or_(*clauses) if self.rule.any_of else and_(*clauses)
        return ~found if self.rule.but else found

    @property
    def asks_area(self) -> bool:
        """Tell whether people must have been put into their quiet groups before they can be chosen."""
        tests = (one.test for one in self.rule.clauses)
        return any(isinstance(test, Among) and test.trait is Trait.AREA for test in tests)


def chosen_by(session: Session, rule: Segment, at: datetime, zone: str) -> Chosen:
    """Return a rule, ready to be asked at a moment."""
    chosen = Chosen(rule, at, zone, {})
    return chosen._replace(areas=areas(session)) if chosen.asks_area else chosen


def chosen_of(session: Session, broadcast: Broadcast, at: datetime) -> Chosen | None:
    """Return the rule of a broadcast as it would be asked at `at`, or since its start; None: it has none."""
    data = rule_data(session, broadcast)
    if data is None:
        return None
    moment = broadcast.started_at or at
    return chosen_by(session, parse(data), moment, zone_of(session, broadcast.id))


def rule_data(session: Session, broadcast: Broadcast) -> Mapping[str, Any] | None:
    """Return the JSON of a broadcast's rule: the one it keeps, or that of the saved segment as it is now.

    With `segment_but` the saved one is turned round; a rule that is kept says so itself.
    """
    if broadcast.segment_rule is not None or broadcast.segment_id is None:
        return broadcast.segment_rule
    rule = session.get_one(SavedSegment, broadcast.segment_id).rule
    return turned_round(rule) if broadcast.segment_but else rule


def turned_round(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON of a rule that means everybody else."""
    segment = parse(rule)
    return written(replace(segment, but=not segment.but))


def zone_of(session: Session, broadcast_id: int) -> str:
    """Return the zone of the first list of a broadcast: on its clocks the days of a rule begin."""
    first = (
        select(BroadcastList.zone)
        .join(BroadcastTarget, BroadcastTarget.list_id == BroadcastList.id)
        .where(BroadcastTarget.broadcast_id == broadcast_id)
        .order_by(BroadcastList.id)
    )
    return session.scalar(first.limit(1)) or "UTC"


def areas(session: Session) -> dict[str, list[int]]:
    """Return country -> the quiet groups of people whose number is from there."""
    found: dict[str, list[int]] = {}
    for group_id, key in quiet.groups(session).items():
        where = Whereabouts.parse(key)
        if where.place != UNKNOWN:
            found.setdefault(where.country, []).append(group_id)
    return found


def _clause(clause: Clause, chosen: Chosen, list_ids: Sequence[int]) -> ColumnElement[bool]:
    condition = _test(clause.test, chosen, list_ids)
    return ~condition if clause.negated else condition


def _test(test: Test, chosen: Chosen, list_ids: Sequence[int]) -> ColumnElement[bool]:
    row = aliased(Subscription)
    match test:
        case Among(trait, values):
            return _trait(trait, values, chosen, list_ids)
        case Joined(Side.AFTER, day):
            since = midnight(day + timedelta(days=1), chosen.zone)
            return _on(row, list_ids, row.granted_at >= since)
        case Joined(_, day):
            return _on(row, list_ids, row.granted_at < midnight(day, chosen.zone))
        case JoinedWithin(days):
            return _on(row, list_ids, row.granted_at > chosen.at - timedelta(days=days))
        case Had(outcome, broadcast_id):
            statuses = HAD_IT if outcome is Outcome.RECEIVED else (DeliveryStatus.FAILED.value,)
            return _delivered(Delivery.broadcast_id == broadcast_id, Delivery.status.in_(statuses))
        case Reacted():
            return reacted(test)
        case NothingWithin(days):
            since = chosen.at - timedelta(days=days)
            tests = select(Broadcast.id).where(Broadcast.tests_id.is_not(None))
            sent = Delivery.broadcast_id.not_in(tests)
            return ~_delivered(Delivery.status.in_(HAD_IT), Delivery.updated_at > since, sent)
        case OnList(list_id):
            return _on(row, [list_id])


def _trait(
    trait: Trait, values: Sequence[str], chosen: Chosen, list_ids: Sequence[int]
) -> ColumnElement[bool]:
    match trait:
        case Trait.LANGUAGE:
            return Subscriber.language.in_(values)
        case Trait.CHANNEL:
            return Subscriber.channel.in_(values)
        case Trait.AREA:
            groups = [group for one in values for group in chosen.areas.get(one, ())]
            return func.coalesce(Subscriber.quiet_group_id, _NO_GROUP).in_(groups)
        case Trait.WAY:
            return _agreed(list_ids, or_(*(_way(Way(one)) for one in values)))
        case Trait.PLACE:
            there = func.coalesce(Subscriber.attributes[PLACE].as_string(), "")
            return there.in_([one for value in values for one in spellings(value)])
        case Trait.TAG:
            return _agreed(list_ids, or_(*(has_tag(one) for one in values)))


def _on(
    row: type[Subscription], list_ids: Sequence[int], *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether they are on one of these lists, and what is said of that subscription."""
    return exists().where(
        row.subscriber_id == Subscriber.id, row.list_id.in_(list_ids), row.state == _ACTIVE, *conditions
    )


def _agreed(list_ids: Sequence[int], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the entry of the ledger by which they agreed is such a one."""
    row = aliased(Subscription)
    # By the person's pseudonym first, for which there is an index.
    mine = ConsentEvent.subject_ref == Subscriber.subject_ref
    return _on(row, list_ids, mine, ConsentEvent.seq == row.granted_seq, condition)


def _way(way: Way) -> ColumnElement[bool]:
    acts = {act.value for act in WAYS[way]}
    reference = func.coalesce(ConsentEvent.cta_ref, "")
    by_us = or_(*(reference.startswith(one, autoescape=True) for one in ASKED_BY_US))
    questions = {act.value for act in QUESTIONS}
    if way is Way.ASKED:
        return and_(ConsentEvent.act.in_(questions), by_us)
    plain = ConsentEvent.act.in_(sorted(acts - questions))
    return or_(plain, and_(ConsentEvent.act.in_(questions), ~by_us)) if acts & questions else plain


def has_tag(tag: str) -> ColumnElement[bool]:
    """Whether a consent, of the joined `ConsentEvent`, came by a link with this tag.

    `channel:sender:city_poster7` ends in the tag; compared as text, for SQLite's LIKE takes A for a."""
    reference = func.coalesce(ConsentEvent.cta_ref, "")
    end = func.substr(reference, func.length(reference) - len(tag))
    return and_(reference.like("%:%:%"), end == f"_{tag}")


def _delivered(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Delivery.subscriber_id == Subscriber.id, Delivery.inbound_id == 0, *conditions)
