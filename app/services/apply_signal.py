"""What a platform tells us about a person without a text of theirs: blocked us, came back, changed the number."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.domain.addresses import Address, is_phone
from app.domain.consent import QUESTION_OPEN_FOR, Act, EventType, Scope, SubscriptionState
from app.domain.keywords import Decision, Outcome
from app.domain.messages import InboundMessage, PlatformEvent, PlatformSignal
from app.domain.replies import ReplyKind
from app.services.controller import Controller, NewNumber
from app.services.lists_of_sender import offers_of, present_notice
from app.services.receive_message import Received, answer_with, store
from app.services.record_consent import NewEvent, find_or_create_subscriber
from app.services.same_account import Sighting, find_person
from app.services.words.case import IN_FORCE, Answer, Case
from app.storage import aliases
from app.storage.database import transaction
from app.storage.gate import PLATFORM_TIER
from app.storage.models import Sender

_LIVE: Final = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)


def apply_signal(event: PlatformEvent, *, sender_id: int, controller: Controller, now: datetime) -> Received:
    """Do what the signal means for consent, once: the same signal again (same external id) changes nothing.

    It is stored beside the texts, so that what we answer has something to answer to.
    """
    with transaction() as session:
        return take_signal(session, event, sender_id=sender_id, controller=controller, now=now)


def take_signal(
    session: Session, event: PlatformEvent, *, sender_id: int, controller: Controller, now: datetime
) -> Received:
    """Do the same within the caller's transaction."""
    if _left_elsewhere(session, event, sender_id):
        return Received(None, event.signal.value, reply_waits=False, duplicate=True)
    case = _case(session, event, session.get_one(Sender, sender_id), controller, now)
    if case is None:
        return Received(None, event.signal.value, reply_waits=False, duplicate=True)
    answer = _ACTIONS[event.signal](case, event)
    return Received(case.row.id, event.signal.value, reply_waits=answer_with(case, answer))


def _case(
    session: Session, event: PlatformEvent, sender: Sender, controller: Controller, now: datetime
) -> Case | None:
    offers = offers_of(session, sender)
    language = next((offer.list.language for offer in offers.values()), "en")
    where, also_at = _where(session, event)
    seen = Sighting(session, sender, event.external_id, controller, now)
    person = find_person(seen, where, also_at, language=language)
    message = InboundMessage(event.external_id, where, "", reply_token=event.reply_token)
    decision = Decision(Outcome.NONE, PLATFORM_TIER, event.signal.value)
    row = store(session, message, sender, person, decision, now)
    if row is None:
        return None
    person.reached_by(event.route, sender.id)
    return Case(
        session, message, sender, person, row, decision, offers, controller, now, evidence=event.evidence
    )


def _where(session: Session, event: PlatformEvent) -> tuple[Address, Address | None]:
    """Return where the person is now, and their other address: a greeting after a change of number goes to the new one.

    A new id of somebody whose number we know is one more alias: it is the number that we write to.
    """
    if event.new_address is None:
        return event.address, event.also_at
    known = aliases.person_at(session, event.address)
    here = Address(known.channel, known.address) if known is not None else event.address
    if is_phone(here.value) and not is_phone(event.new_address.value):
        return here, event.new_address
    return event.new_address, event.also_at


def _left_elsewhere(session: Session, event: PlatformEvent, sender_id: int) -> bool:
    """Tell whether somebody closed a room that we do not write to, such as the one before their present one."""
    if event.signal is not PlatformSignal.LEFT or not event.route:
        return False
    person = aliases.person_at(session, event.address)
    return person is None or person.route(sender_id) != event.route


def _left(case: Case, event: PlatformEvent) -> None:
    """Rows 28 and 30: stopped, and blocked, for nothing reaches them any more."""
    if case.person.blocked_at is None:
        case.record(
            case.event(
                EventType.CONSENT_WITHDRAWN,
                act=Act.PROVIDER_SIGNAL,
                scope=Scope.ALL,
                reply_skipped_reason="platform_blocked",
            )
        )


def _came_back(case: Case, event: PlatformEvent) -> Answer | None:
    """Rows 4, 29 and 31: we may write again, but to follow is no consent to a list; so we say what there is."""
    if case.person.blocked_at is not None:
        case.record(case.event(EventType.UNBLOCKED, act=Act.PROVIDER_SIGNAL, scope=Scope.ALL))
    elif event.signal is PlatformSignal.FOLLOWED:
        case.record(case.event(EventType.CONTACT_OPENED, act=Act.FOLLOW_EVENT, scope=Scope.ALL))
    return case.answer(ReplyKind.CHOOSE_LIST) if case.offers else None


def _preference_stop(case: Case, event: PlatformEvent) -> None:
    """Row 26: the platform's switch for marketing, which is about this sender's lists only."""
    here = {offer.list.id for offer in case.offers.values()}
    for list_id in sorted(case.lists_in(*IN_FORCE) & here):
        case.record(case.event(EventType.CONSENT_WITHDRAWN, act=Act.PLATFORM_PREFERENCE, list_id=list_id))


def _preference_resume(case: Case, event: PlatformEvent) -> None:
    """Row 27: only what the switch stopped; a STOP in words stays."""
    here = {offer.list.id: offer.list for offer in case.offers.values()}
    for row in case.subscriptions():
        if row.list_id in here and row.stopped_act == Act.PLATFORM_PREFERENCE and row.state == "stopped":
            notice = present_notice(case.session, row.list_id, here[row.list_id].language)
            case.record(
                case.event(
                    EventType.CONSENT_GIVEN,
                    act=Act.PLATFORM_PREFERENCE,
                    list_id=row.list_id,
                    notice=notice,
                )
            )


def _reassigned(case: Case, event: PlatformEvent) -> None:
    """Row 35: the number has a new owner, who never agreed."""
    case.record(case.event(EventType.CONSENT_INVALIDATED, act=Act.PROVIDER_SIGNAL, scope=Scope.ALL))
    case.suppress("reassigned number")


def _number_changed(case: Case, event: PlatformEvent) -> Answer | None:
    """Row 36: the same account, so consent moves along; unless somebody at the new address once said no.

    A controller that wants to be surer asks: each list waits for its word, three days like any question.
    """
    old = find_or_create_subscriber(
        case.session, event.address, language=case.person.language, controller=case.controller, now=case.now
    )
    if old is case.person:
        return None
    before = Case(
        case.session,
        case.message,
        case.sender,
        old,
        case.row,
        case.decision,
        case.offers,
        case.controller,
        case.now,
    )
    moving = sorted(before.lists_in(*_LIVE))
    before.record(
        before.event(EventType.ENDPOINT_CHANGED, act=Act.PROVIDER_SIGNAL, scope=Scope.ALL),
        before.event(EventType.CONSENT_REVOKED, act=Act.PROVIDER_SIGNAL, scope=Scope.ALL),
    )
    case.record(case.event(EventType.ENDPOINT_CHANGED, act=Act.PROVIDER_SIGNAL, scope=Scope.ALL))
    aliases.move(case.session, old, case.person)
    if not moving or case.person.suppressed_at is not None or case.person.last_stop_at is not None:
        return None
    if case.controller.new_number is NewNumber.PENDING:
        case.record(*(_asked(case, list_id) for list_id in moving))
        return case.answer(ReplyKind.CHOOSE_LIST)
    case.record(
        *(case.event(EventType.CONSENT_GIVEN, act=Act.PROVIDER_SIGNAL, list_id=list_id) for list_id in moving)
    )
    return case.answer(ReplyKind.WELCOME_BACK)


def _asked(case: Case, list_id: int) -> NewEvent:
    return case.event(
        EventType.CONSENT_REQUESTED,
        act=Act.PROVIDER_SIGNAL,
        list_id=list_id,
        notice=present_notice(case.session, list_id, case.person.language),
        reply_template=ReplyKind.CHOOSE_LIST.value,
        until=case.now + QUESTION_OPEN_FOR,
    )


_ACTIONS: Final[dict[PlatformSignal, Callable[[Case, PlatformEvent], Answer | None]]] = {
    PlatformSignal.LEFT: _left,
    PlatformSignal.CAME_BACK: _came_back,
    PlatformSignal.FOLLOWED: _came_back,
    PlatformSignal.PREFERENCE_STOP: _preference_stop,
    PlatformSignal.PREFERENCE_RESUME: _preference_resume,
    PlatformSignal.REASSIGNED: _reassigned,
    PlatformSignal.NUMBER_CHANGED: _number_changed,
}
