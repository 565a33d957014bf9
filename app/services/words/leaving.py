"""STOP in its forms, the wish to be erased, and the wrong number: each ends, and gets one confirmation at most."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.consent import Act, EventType, Scope
from app.domain.keywords import Outcome
from app.domain.replies import CONFIRMATIONS, ReplyKind
from app.services.words.case import IN_FORCE, Answer, Case
from app.storage.database import among
from app.storage.models import InboundRow
from app.storage.shared import about

REPEAT_CONFIRMATION_AFTER: Final = timedelta(hours=24)


def stop(case: Case) -> Answer | None:
    """Leave everything (rows 6, 9, 20 and 23)."""
    event_type = _kind_of_stop(case)
    repeated = event_type is EventType.STOP_REPEATED and _confirmed_lately(case)
    kind = _confirmation(case)
    case.record(
        case.event(
            event_type,
            act=_act(case),
            scope=Scope.ALL,
            reply_template=None if repeated else kind.value,
            reply_skipped_reason=case.silence or ("repeated" if repeated else None),
        )
    )
    if repeated:
        case.silence = case.silence or "repeated"
        return None
    return case.answer(kind)


def stop_list(case: Case) -> Answer | None:
    """Leave one list (row 10)."""
    offer = case.offer()
    mine = [row for row in case.subscriptions() if row.list_id == offer.list.id]
    if any(row.state in IN_FORCE for row in mine):
        event_type = EventType.CONSENT_WITHDRAWN
    elif any(row.requested_seq is not None for row in mine):
        event_type = EventType.CONSENT_REFUSED
    else:
        event_type = EventType.STOP_REPEATED
    case.record(
        case.event(
            event_type,
            act=_act(case),
            list_id=offer.list.id,
            reply_template=ReplyKind.STOPPED_LIST.value,
            reply_skipped_reason=case.silence,
        )
    )
    return case.answer(ReplyKind.STOPPED_LIST, offer)


def erase(case: Case) -> Answer | None:
    """Stop and suppress at once (row 21). The erasure itself is a job: it finds who asked by `erasure_requested`."""
    case.record(
        case.event(
            EventType.ERASURE_REQUESTED,
            act=_act(case),
            scope=Scope.ALL,
            reply_template=ReplyKind.ERASURE.value,
            reply_skipped_reason=case.silence,
        )
    )
    case.suppress("erasure requested")
    return case.answer(ReplyKind.ERASURE)


def wrong_number(case: Case) -> Answer | None:
    """Whoever has this number now never agreed (row 22); the answer names nobody."""
    case.record(
        case.event(
            EventType.CONSENT_INVALIDATED,
            act=_act(case),
            scope=Scope.ALL,
            reply_template=ReplyKind.WRONG_NUMBER.value,
            reply_skipped_reason=case.silence,
        )
    )
    case.suppress("wrong number")
    return case.answer(ReplyKind.WRONG_NUMBER)


def _kind_of_stop(case: Case) -> EventType:
    rows = case.subscriptions()
    if any(row.state in IN_FORCE for row in rows):
        return EventType.CONSENT_WITHDRAWN
    if any(row.requested_seq is not None for row in rows):
        return EventType.CONSENT_REFUSED
    return EventType.STOP_REPEATED


def _confirmation(case: Case) -> ReplyKind:
    """Who leaves several lists may keep one; whom we may have misread is told how to come back."""
    if case.decision.outcome is Outcome.STOP_FUZZY:
        return ReplyKind.STOPPED_FUZZY
    here = {offer.list.id for offer in case.offers.values()}
    if len(case.lists_in(*IN_FORCE) & here) > 1:
        return ReplyKind.STOPPED_KEEP
    return ReplyKind.STOPPED


def _act(case: Case) -> Act:
    if case.decision.tier == "provider":
        return Act.PROVIDER_SIGNAL
    exact = case.decision.outcome in (Outcome.STOP, Outcome.STOP_LIST)
    return case.act(Act.KEYWORD_EXACT if exact else Act.KEYWORD_FUZZY)


def _confirmed_lately(case: Case) -> bool:
    """A second STOP within a day is not confirmed again (row 20)."""
    since = case.now - REPEAT_CONFIRMATION_AFTER
    return about(case.session, case.person.id, "confirmed lately", partial(_confirmed, since=since)) is True


def _confirmed(session: Session, subscriber_ids: Collection[int], *, since: datetime) -> dict[int, bool]:
    """The present message has no answer yet, so it is none of those that are found."""
    confirmed = select(InboundRow.subscriber_id).where(
        among(session, InboundRow.subscriber_id, subscriber_ids),
        InboundRow.reply_kind.in_([kind.value for kind in CONFIRMATIONS]),
        InboundRow.received_at > since,
    )
    return dict.fromkeys(session.scalars(confirmed), True)
