"""What each word does: the consent events it makes, and the answer it gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.consent import Act, EventType, Scope, SubscriptionState
from app.domain.keywords import Decision, Outcome
from app.domain.messages import InboundMessage, ProviderSignal
from app.domain.replies import ReplyKind, reply
from app.services import suppressions
from app.services.controller import Controller
from app.services.lists_of_sender import Offer, facts_of, present_notice
from app.services.record_consent import NewEvent, record
from app.storage.models import InboundRow, Sender, Subscriber, Subscription

REPEAT_CONFIRMATION_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class Answer:
    """What we say to the person."""

    kind: ReplyKind
    text: str


@dataclass
class Case:
    """Everything about one message while it is being decided."""

    session: Session
    message: InboundMessage
    sender: Sender
    person: Subscriber
    row: InboundRow
    decision: Decision
    offers: Mapping[str, Offer]
    controller: Controller
    now: datetime

    def answer(self, kind: ReplyKind, offer: Offer | None = None) -> Answer:
        """Return an answer in the person's language."""
        language = self.person.language
        return Answer(
            kind, reply(kind, language, facts_of(offer, self.offers, self.sender, self.controller, language))
        )

    def event(self, event_type: EventType, **more: Any) -> NewEvent:
        """Return an event that carries the person's words as evidence."""
        pii = {
            "address": self.person.address,
            "channel": self.person.channel,
            "text": self.message.text,
            "provider_message_id": self.message.external_id,
        }
        return NewEvent(
            self.person,
            event_type,
            self.now,
            actor="person",
            sender=self.sender,
            pii=pii,
            matcher_version=self.decision.matcher_version,
            matched_rule=self.decision.rule,
            tier=self.decision.tier,
            **more,
        )


def act_on(case: Case) -> Answer | None:
    """Record what the message means for consent; returns what to say, or None to stay silent."""
    _revive(case)
    return _ACTIONS.get(case.decision.outcome, _keep)(case)


def _revive(case: Case) -> None:
    """Whoever writes to us can be reached again; whoever says START has lifted the block."""
    person = case.person
    if person.bounced_at is not None:
        _record(case, case.event(EventType.ENDPOINT_REVIVED, scope=Scope.ALL))
    starts = case.decision.outcome in (Outcome.START, Outcome.START_LIST)
    if person.blocked_at is not None and (starts or case.message.signal is ProviderSignal.START):
        _record(case, case.event(EventType.UNBLOCKED, scope=Scope.ALL, act=Act.PROVIDER_SIGNAL))


def _stop(case: Case) -> Answer | None:
    act = Act.PROVIDER_SIGNAL if case.decision.tier == "provider" else Act.KEYWORD_EXACT
    skipped = "provider" if case.message.signal is ProviderSignal.STOP else None
    was_on = _active_lists(case)
    event_type = EventType.CONSENT_WITHDRAWN if was_on else EventType.STOP_REPEATED
    repeated = not was_on and _confirmed_lately(case)
    _record(
        case,
        case.event(
            event_type,
            act=act,
            scope=Scope.ALL,
            reply_template=None if repeated else ReplyKind.STOPPED.value,
            reply_skipped_reason=skipped or ("repeated" if repeated else None),
        ),
    )
    if repeated:
        case.row.reply_skipped = "repeated"
        return None
    return case.answer(ReplyKind.STOPPED)


def _stop_list(case: Case) -> Answer | None:
    offer = _offer(case)
    event_type = (
        EventType.CONSENT_WITHDRAWN if offer.list.id in _active_lists(case) else EventType.STOP_REPEATED
    )
    _record(
        case,
        case.event(
            event_type,
            act=Act.KEYWORD_EXACT,
            list_id=offer.list.id,
            reply_template=ReplyKind.STOPPED_LIST.value,
        ),
    )
    return case.answer(ReplyKind.STOPPED_LIST, offer)


def _start(case: Case) -> Answer | None:
    offer = _offer(case) if case.decision.list_key else _default(case.offers)
    if offer is None:
        return case.answer(ReplyKind.CHOOSE_LIST) if case.offers else None
    notice = present_notice(case.session, offer.list.id, offer.list.language)
    _lift_suppression(case)
    if offer.list.id not in _active_lists(case):
        _learn_language(case, offer)
        more = {"list_id": offer.list.id, "notice": notice, "cta_ref": f"sms:{case.sender.name}"}
        _record(
            case,
            case.event(EventType.NOTICE_SHOWN, **more),
            case.event(
                EventType.CONSENT_GIVEN, act=Act.KEYWORD_EXACT, reply_template=ReplyKind.WELCOME.value, **more
            ),
        )
    # The welcome is the notice, to the letter: what the ledger hashes is what the person reads.
    return Answer(ReplyKind.WELCOME, notice.text)


def _learn_language(case: Case, offer: Offer) -> None:
    """The first list that a person joins tells in which language to answer; nothing else has told it before."""
    joined = select(Subscription.list_id).where(Subscription.subscriber_id == case.person.id).limit(1)
    if case.session.scalar(joined) is None:
        case.person.language = offer.list.language


def _lift_suppression(case: Case) -> None:
    """Only a fresh act of the person lifts it (consent.md 3.2, row 16); the row stays, closed."""
    if case.person.suppressed_at is None:
        return
    here = Address(case.person.channel, case.person.address)
    suppressions.lift(case.session, case.controller.keys, here, now=case.now)
    _record(case, case.event(EventType.SUPPRESSION_LIFTED, act=Act.KEYWORD_EXACT, scope=Scope.ALL))


def _help(case: Case) -> Answer | None:
    return case.answer(ReplyKind.HELP, _default(case.offers))


def _keep(case: Case) -> Answer | None:
    """Anything else is kept and shown at the desk."""
    return None


_ACTIONS: dict[Outcome, Callable[[Case], Answer | None]] = {
    Outcome.STOP: _stop,
    Outcome.STOP_LIST: _stop_list,
    Outcome.START: _start,
    Outcome.START_LIST: _start,
    Outcome.HELP: _help,
}


def _record(case: Case, *events: NewEvent) -> None:
    record(case.session, events, controller=case.controller, now=case.now)


def _active_lists(case: Case) -> set[int]:
    return set(
        case.session.scalars(
            select(Subscription.list_id).where(
                Subscription.subscriber_id == case.person.id,
                Subscription.state == SubscriptionState.ACTIVE.value,
            )
        )
    )


def _confirmed_lately(case: Case) -> bool:
    """A second STOP within a day is not confirmed again (consent.md 3.2, row 20)."""
    return (
        case.session.scalar(
            select(InboundRow.id)
            .where(
                InboundRow.subscriber_id == case.person.id,
                InboundRow.id != case.row.id,
                InboundRow.reply_kind == ReplyKind.STOPPED.value,
                InboundRow.received_at > case.now - REPEAT_CONFIRMATION_AFTER,
            )
            .limit(1)
        )
        is not None
    )


def _offer(case: Case) -> Offer:
    return next(offer for offer in case.offers.values() if str(offer.list.id) == case.decision.list_key)


def _default(offers: Mapping[str, Offer]) -> Offer | None:
    """The list that a bare START means: the sender's default, or its only one."""
    chosen = [offer for offer in offers.values() if offer.list.is_default]
    if chosen:
        return chosen[0]
    return next(iter(offers.values())) if len(offers) == 1 else None
