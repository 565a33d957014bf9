"""Walk through people in order of their ids and find those whose time is over; then let them go like an erasure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.consent import EventType, Scope, SubscriptionState
from app.domain.retention import Kept, Periods, Traces, due
from app.services import kept_hooks
from app.services.controller import Controller
from app.services.record_consent import NewEvent, record
from app.services.rights import wiping
from app.storage.models import (
    BroadcastList,
    ConsentEvent,
    Delivery,
    InboundRow,
    Subject,
    Subscriber,
    Subscription,
    Ticker,
)

_ACTOR: Final = "system:retention"
_TIMED: Final = (Kept.PROOF, Kept.SIGNUPS, Kept.STRANGERS)
# Who had answered; an old import would bring them back.
_STAY_SUPPRESSED: Final = (Kept.PROOF, Kept.EVENTS)
_ASKED: Final = frozenset({EventType.SIGNUP_RECORDED, EventType.CONSENT_REQUESTED})
# Events that tell nothing of an answer of the person: who has only these was a sign-up or a stranger.
_NO_ANSWER: Final = _ASKED | {
    EventType.NOTICE_SHOWN,
    EventType.REQUEST_EXPIRED,
    EventType.CONTACT_OPENED,
    EventType.ENDPOINT_BOUNCED,
    EventType.ENDPOINT_CHANGED,
    EventType.ENDPOINT_REVIVED,
    EventType.UNBLOCKED,
}
# A state that is not named here is one in which the consent is in use.
_OFF_THE_LIST: Final = ("unknown", "pending", "stale", SubscriptionState.STOPPED.value)


@dataclass(frozen=True)
class Aged:
    """A person whose time is over, and by which timer."""

    person: Subscriber
    kind: Kept


@dataclass(frozen=True)
class Page:
    """Who of a page of people goes, and the id of the last one looked at."""

    people: tuple[Aged, ...]
    last_id: int


def aged_people(session: Session, after: int, size: int, periods: Periods, now: datetime) -> Page | None:
    """Look at the next `size` people of whom a subject is left; None when there are no more."""
    page = session.scalars(
        select(Subscriber)
        .join(Subject, Subject.subject_ref == Subscriber.subject_ref)
        .where(Subscriber.id > after)
        .order_by(Subscriber.id)
        .limit(size)
    ).all()
    if not page:
        return None
    youngest = now - timedelta(days=min(periods[kind] for kind in _TIMED))
    events = _event_goes_at(session, page)
    old = _off_every_list(
        session, [person for person in page if person.created_at <= youngest or person.id in events]
    )
    traces = _traces(session, old, events)
    found = ((person, due(traces[person.id], periods, now)) for person in old)
    return Page(tuple(Aged(person, kind) for person, kind in found if kind is not None), page[-1].id)


def let_go(session: Session, aged: Sequence[Aged], *, controller: Controller, now: datetime) -> None:
    """Erase these people fully. Whoever had answered stays suppressed, or the next import would bring them back."""
    if not aged:
        return
    # Before the ledger says "erased" of them, which sets the mark.
    present = [one for one in aged if one.person.erased_at is None]
    events = [
        NewEvent(
            one.person, EventType.ERASED, now, _ACTOR, scope=Scope.ALL, matched_rule=f"retention:{one.kind}"
        )
        for one in aged
    ]
    record(session, events, controller=controller, now=now)
    answered = [one.person for one in present if one.kind in _STAY_SUPPRESSED]
    wiping.suppress(session, wiping.hashes_of(session, answered, controller.keys), controller.keys, now)
    kept_hooks.forget(session, [one.person for one in present], controller.keys)
    wiping.blank(session, [one.person for one in present], now)
    wiping.shred(session, [one.person.subject_ref for one in aged])


def _off_every_list(session: Session, people: Sequence[Subscriber]) -> list[Subscriber]:
    on = set(
        session.scalars(
            select(Subscription.subscriber_id).where(
                Subscription.subscriber_id.in_([person.id for person in people]),
                Subscription.state.not_in(_OFF_THE_LIST),
            )
        )
    )
    return [person for person in people if person.id not in on]


def _event_goes_at(session: Session, people: Sequence[Subscriber]) -> dict[int, datetime]:
    """When those of these people go who were on live events only, all of them over."""
    if session.scalar(select(Ticker.list_id).where(Ticker.ended_at.is_not(None)).limit(1)) is None:
        return {}
    rows = session.execute(
        select(Subscription.subscriber_id, Ticker.ended_at, BroadcastList.erase_after_days)
        .join(BroadcastList, BroadcastList.id == Subscription.list_id)
        .outerjoin(Ticker, Ticker.list_id == BroadcastList.id)
        .where(Subscription.subscriber_id.in_([person.id for person in people]))
    ).all()
    others = {subscriber_id for subscriber_id, ended_at, _ in rows if ended_at is None}
    found: dict[int, datetime] = {}
    for subscriber_id, ended_at, days in rows:
        if ended_at is not None and subscriber_id not in others:
            goes_at = ended_at + timedelta(days=days or 0)
            found[subscriber_id] = max(found.get(subscriber_id, goes_at), goes_at)
    return found


def _traces(
    session: Session, people: Sequence[Subscriber], events_over: Mapping[int, datetime]
) -> dict[int, Traces]:
    """What is left of each: the newest entries, texts and hand-overs, in three statements for all."""
    ids = [person.id for person in people]
    events = _events(session, people)
    texts = _newest(
        session, InboundRow.subscriber_id, InboundRow.received_at, InboundRow.subscriber_id.in_(ids)
    )
    broadcasts = (
        Delivery.subscriber_id.in_(ids) & (Delivery.inbound_id == 0) & Delivery.status.in_(wiping.HANDED_OVER)
    )
    sent = _newest(session, Delivery.subscriber_id, Delivery.updated_at, broadcasts)
    return {
        person.id: replace(
            _traces_of(person, events[person.subject_ref], texts.get(person.id), sent.get(person.id)),
            event_goes_at=events_over.get(person.id),
        )
        for person in people
    }


def _traces_of(
    person: Subscriber, events: Mapping[str, datetime], text: datetime | None, sent: datetime | None
) -> Traces:
    uses = [at for at in (events.get(EventType.CONSENT_GIVEN), sent) if at is not None]
    signs = [person.created_at, *events.values(), *(at for at in (text, sent) if at is not None)]
    return Traces(
        on_a_list=False,
        answered=any(kind not in _NO_ANSWER for kind in events),
        asked=any(kind in _ASKED for kind in events),
        used_at=max(uses or signs),
        heard_at=max(signs),
    )


def _events(session: Session, people: Sequence[Subscriber]) -> Mapping[str, dict[str, datetime]]:
    rows = session.execute(
        select(ConsentEvent.subject_ref, ConsentEvent.event_type, func.max(ConsentEvent.recorded_at))
        .where(ConsentEvent.subject_ref.in_([person.subject_ref for person in people]))
        .group_by(ConsentEvent.subject_ref, ConsentEvent.event_type)
    )
    found: dict[str, dict[str, datetime]] = defaultdict(dict)
    for ref, kind, at in rows:
        found[ref][kind] = datetime.fromisoformat(at)
    return found


def _newest(
    session: Session,
    whose: InstrumentedAttribute[int],
    when: InstrumentedAttribute[datetime],
    which: ColumnElement[bool],
) -> dict[int, datetime]:
    rows = session.execute(select(whose, func.max(when)).where(which).group_by(whose))
    return {subscriber_id: at for subscriber_id, at in rows}
