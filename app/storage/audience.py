"""Who a broadcast is for: the people of its lists, what the gate says of them, and the size of its slices."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session, aliased

from app.domain.consent import SubscriptionState
from app.domain.statuses import SkipReason
from app.storage import linked
from app.storage.gate import Way, closed_now, covers, refusal, why_no_consent
from app.storage.holding import HAD_IT
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    Delivery,
    Slice,
    Subscriber,
    Subscription,
)
from app.storage.segments import Chosen

SLICE_SIZE = 1000
_ACTIVE = SubscriptionState.ACTIVE.value


def members(
    list_ids: Sequence[int] | BindParameter[Any],
    as_of_seq: int | BindParameter[int] | None = None,
    corrects: int | None = None,
    within: tuple[int, int] | tuple[BindParameter[int], BindParameter[int]] | None = None,
    chosen: Chosen | None = None,
) -> Select[int, int | None]:
    """SELECT subscriber_id and the consent (`consent_seq`) of everybody active on any of the lists, each once.

    The consent is NULL when they agreed to no list's purpose of today. A broadcast that was frozen before the purpose
    changed (`as_of_seq`) is still what they agreed to. With `corrects` everybody is meant who had, or may have had,
    that broadcast; the consent is NULL then for whoever has left the lists since, too. `within` are the first and the
    last subscriber id of interest. With `chosen` only those in the segment are meant; a correction asks for none.
    """
    agreed = covers(Subscription.granted_seq, BroadcastList.purpose_since_seq, as_of_seq)
    granted = case((agreed, Subscription.granted_seq))
    consent = func.min(granted)
    if corrects is not None:
        return _served(list_ids, corrects, consent, within)
    on_one = not isinstance(list_ids, BindParameter) and len(list_ids) == 1
    query = (
        select(Subscription.subscriber_id, (granted if on_one else consent).label("consent_seq"))
        .join(BroadcastList, BroadcastList.id == Subscription.list_id)
        .where(Subscription.list_id.in_(list_ids), Subscription.state == _ACTIVE)
    )
    if not on_one:  # on one list everybody is once, and a million need not be sorted out
        query = query.group_by(Subscription.subscriber_id)
    if within is not None:
        query = query.where(Subscription.subscriber_id.between(*within))
    if chosen is not None:
        assert not isinstance(list_ids, BindParameter)  # noqa: S101  # the claim's statement knows no segment
        query = query.join(Subscriber, Subscriber.id == Subscription.subscriber_id).where(chosen.of(list_ids))
    return query if as_of_seq is None else query.where(Subscription.active_seq <= as_of_seq)


def _served(
    list_ids: Sequence[int] | BindParameter[Any],
    corrects: int,
    consent: ColumnElement[int | None],
    within: tuple[int, int] | tuple[BindParameter[int], BindParameter[int]] | None,
) -> Select[int, int | None]:
    # The range is said of both: a database does not carry it over an outer join, and would read every subscription.
    still_on = and_(
        Subscription.subscriber_id == Delivery.subscriber_id,
        Subscription.list_id.in_(list_ids),
        Subscription.state == _ACTIVE,
        *(() if within is None else (Subscription.subscriber_id.between(*within),)),
    )
    return (
        select(Delivery.subscriber_id, consent.label("consent_seq"))
        .outerjoin(Subscription, still_on)
        .outerjoin(BroadcastList, BroadcastList.id == Subscription.list_id)
        .where(
            Delivery.broadcast_id == corrects,
            Delivery.inbound_id == 0,
            Delivery.status.in_(HAD_IT),
            *(() if within is None else (Delivery.subscriber_id.between(*within),)),
        )
        .group_by(Delivery.subscriber_id)
    )


def without_consent(corrects: int | None, list_ids: Sequence[int]) -> SkipReason | ColumnElement[str]:
    """Return why somebody without a consent is left out, or SQL for it."""
    return SkipReason.OTHER_PURPOSE if corrects is None else why_no_consent(list_ids)


def _answer_now(
    people: Subquery, ways: Sequence[Way], now: datetime, corrects: int | None, list_ids: Sequence[int]
) -> ColumnElement[str | None]:
    return refusal(
        people.c.consent_seq,
        literal(None, Broadcast.expires_at.type),
        now,
        closed_now(ways, now),
        without=without_consent(corrects, list_ids),
    )


@dataclass(frozen=True)
class Answers:
    """What the gate says to everybody at one moment, in people: (answer, channel, quiet group) -> how many.

    The answer is None for those who may be written to, the group for those at whom nobody has looked yet.
    """

    counts: Mapping[tuple[str | None, str, int | None], int]

    @property
    def reachable(self) -> int:
        """Those to whom the gate says "send"."""
        return self.by_reason()[None]

    def by_reason(self) -> Counter[str | None]:
        """Everybody by the gate's answer."""
        found: Counter[str | None] = Counter()
        for (answer, _, _), people in self.counts.items():
            found[answer] += people
        return found

    def by_channel(self) -> Counter[str]:
        """Those who are reachable by their channel."""
        found: Counter[str] = Counter()
        for (answer, channel, _), people in self.counts.items():
            if answer is None:
                found[channel] += people
        return found

    def by_group(self) -> Counter[int | None]:
        """Those who are reachable by their quiet group."""
        found: Counter[int | None] = Counter()
        for (answer, _, group), people in self.counts.items():
            if answer is None:
                found[group] += people
        return found


def ask(
    session: Session,
    list_ids: Sequence[int],
    now: datetime,
    ways: Sequence[Way] = (),
    corrects: int | None = None,
    chosen: Chosen | None = None,
    wordless: ColumnElement[str | None] | None = None,
    only: ColumnElement[bool] | None = None,
) -> Answers:
    """Ask the gate about everybody as of `now`, quiet hours and the cap aside. It reads each of them once.

    `wordless` is SQL for why somebody whom the gate lets through gets nothing all the same, NULL where they do. With
    `only`, SQL about the joined `Subscriber`, it asks about these alone.
    """
    if not list_ids:
        return Answers({})
    people = members(list_ids, corrects=corrects, chosen=chosen).subquery()
    answer = _answer_now(people, ways, now, corrects, list_ids)
    if wordless is not None:
        answer = func.coalesce(answer, wordless)
    answer = answer.label("answer")
    rows = session.execute(
        select(answer, Subscriber.channel, Subscriber.quiet_group_id, func.count())
        .select_from(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(*(() if only is None else (only,)))
        .group_by(answer, Subscriber.channel, Subscriber.quiet_group_id)
    )
    return Answers({(reason, channel, group): count for reason, channel, group, count in rows})


def beyond(session: Session, people: Subquery, channel: str, beginnings: Sequence[str]) -> int:
    """Count those of `reachable` on a channel whose addresses begin otherwise."""
    found = (
        select(func.count())
        .select_from(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(people.c.channel == channel, *(~Subscriber.address.startswith(one) for one in beginnings))
    )
    return session.scalar(found) or 0


def by_language(session: Session, people: Subquery, channel: str) -> dict[str, int]:
    """Count those of `reachable` on a channel by their language."""
    rows = session.execute(
        select(Subscriber.language, func.count())
        .select_from(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(people.c.channel == channel)
        .group_by(Subscriber.language)
    )
    return {language: count for language, count in rows}


def speaking(people: Subquery, language: str) -> Subquery:
    """Those of `reachable` whose language it is."""
    return (
        select(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(Subscriber.language == language)
        .subquery()
    )


def standing_back_by_group(
    session: Session,
    list_ids: Sequence[int],
    now: datetime,
    ways: Sequence[Way] = (),
    chosen: Chosen | None = None,
) -> dict[int | None, int]:
    """Count those of them, by quiet group, who stand back for another channel of the same person."""
    if not linked.any_links(session):
        return {}
    people = linked.standing_back(reachable(list_ids, now, ways, chosen=chosen))
    rows = session.execute(
        select(Subscriber.quiet_group_id, func.count())
        .join(people, Subscriber.id == people.c.subscriber_id)
        .group_by(Subscriber.quiet_group_id)
    )
    return {key: count for key, count in rows}


def reachable(
    list_ids: Sequence[int],
    now: datetime,
    ways: Sequence[Way] = (),
    corrects: int | None = None,
    chosen: Chosen | None = None,
) -> Subquery:
    """Subscriber id, channel and quiet group of those to whom the gate says "send" at `now`, quiet hours and the cap
    aside.
    """
    people = members(list_ids, corrects=corrects, chosen=chosen).subquery()
    return (
        select(people.c.subscriber_id, Subscriber.channel, Subscriber.quiet_group_id)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(_answer_now(people, ways, now, corrects, list_ids).is_(None))
        .subquery()
    )


def reached_elsewhere(
    session: Session,
    list_ids: Sequence[int],
    now: datetime,
    ways: Sequence[Way],
    chosen: Chosen | None = None,
) -> int:
    """Count whom their channel is closed to and who agreed to these lists on another one too, at the same address."""
    people, there = members(list_ids, chosen=chosen).subquery(), reachable(list_ids, now, ways, chosen=chosen)
    shut, other = aliased(Subscriber), aliased(Subscriber)
    answer = _answer_now(people, ways, now, None, list_ids)
    closed = (
        select(people.c.subscriber_id)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(answer.in_([SkipReason.NO_PROACTIVE_PATH.value, SkipReason.REGION_CLOSED.value]))
        .subquery()
    )
    query = (
        select(func.count(shut.id.distinct()))
        .join(closed, closed.c.subscriber_id == shut.id)
        .join(other, (other.address == shut.address) & (other.channel != shut.channel))
        .join(there, there.c.subscriber_id == other.id)
    )
    return session.scalar(query) or 0


def counted(session: Session, broadcast_id: int) -> int:
    """The people of all slices of a broadcast."""
    return session.scalar(select(func.sum(Slice.people)).where(Slice.broadcast_id == broadcast_id)) or 0


def target_ids(session: Session, broadcast_id: int) -> Sequence[int]:
    """Return the ids of the lists that a broadcast goes to."""
    return session.scalars(
        select(BroadcastTarget.list_id).where(BroadcastTarget.broadcast_id == broadcast_id)
    ).all()
