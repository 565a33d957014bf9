"""Take in what a person texted: read the word, record consent, choose the answer, all in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.consent import SubscriptionState
from app.domain.keywords import Decision, Outcome, classify
from app.domain.keywords.own_words import words_with
from app.domain.keywords.regions import languages_of_number
from app.domain.links import read_payload, read_written
from app.domain.messages import InboundMessage, ProviderSignal
from app.domain.statuses import DeliveryStatus
from app.services import testers
from app.services.controller import Controller
from app.services.link_people import link_by_code, read_code
from app.services.lists_of_sender import Offer, offers_of
from app.services.manage_words import own_words
from app.services.presses import Press, keep_answer, meaning, read_number, read_press
from app.services.project_consent import subscriptions_of
from app.services.replies_broadcast import replies_broadcast
from app.services.same_account import Sighting, find_person
from app.services.words import IN_FORCE, STARTS, Answer, Case, act_on, silence_for
from app.storage.database import is_sqlite, transaction
from app.storage.models import Delivery, InboundRow, Sender, Subscriber
from app.storage.shared import shared_by

# No word of ours; or a bare NO, which a human would have to read if no broadcast had asked.
_MAY_ANSWER: Final = frozenset({"none", "doubt"})


@dataclass(frozen=True)
class Received:
    """What came of an inbound message; `reply_waits` asks the doorway to wake the sender's lane."""

    inbound_id: int | None
    outcome: str
    reply_waits: bool
    duplicate: bool = False
    subscriber_id: int | None = None


def receive_message(
    message: InboundMessage,
    *,
    sender_id: int,
    controller: Controller,
    now: datetime,
    decision: Decision | None = None,
    came_at: datetime | None = None,
) -> Received:
    """Store one inbound message and do what it asks. The same message again changes nothing.

    A `decision` that was made elsewhere is taken as it is, else the payload of a link or a button, else the words.

    `came_at`, if it was before now, is when the message reached us: a START is not stronger than a later STOP, and an
    answer that is too late for that moment is not sent.

    When this returns, a STOP is in force: it is committed, whatever becomes of workers and queues.
    """
    if came_at is not None:
        message = replace(message, sent_at=message.sent_at or came_at)
    with transaction() as session:
        sender = session.get_one(Sender, sender_id)
        if _stored(session, sender_id, message.external_id):
            return Received(None, Outcome.NONE.value, reply_waits=False, duplicate=True)
        seen = Sighting(session, sender, message.external_id, controller, now)
        language = language_at(session, sender)
        person = find_person(seen, message.address, message.also_at, language=language)
        return take_in(seen, message, person, decision, came_at)


def language_at(session: Session, sender: Sender) -> str:
    """Return the language of whoever writes to a sender first: that of its first list."""
    return next((offer.list.language for offer in offers_of(session, sender).values()), "en")


def take_in(
    seen: Sighting,
    message: InboundMessage,
    person: Subscriber,
    decision: Decision | None = None,
    came_at: datetime | None = None,
) -> Received:
    """Store a message whose author is known and do what it asks, within the caller's transaction."""
    session, sender, controller, now = seen.session, seen.sender, seen.controller, seen.now
    offers = offers_of(session, sender)
    message = _as_carried(message, offers)
    listed = {str(offer.list.id): offer for offer in offers.values()}
    tester = None if decision else testers.read_code(session, message.text, message.payload, now)
    decision = testers.DECISION if tester else decision
    coded = None if decision else read_code(message.text, message.payload, listed, controller)
    if coded is not None:
        # Where the link hung stays with the consent; the code itself says nothing to anybody later.
        decision, message = coded.decision, replace(message, payload=coded.tag)
    decision, press = _understand(seen, message, person, offers, decision)
    if press is not None:
        message = replace(message, text=press.button.label, payload=press.source)
    if decision.outcome in STARTS and _older_than_stop(session, message, person):
        decision = Decision(Outcome.NONE, "late", decision.rule, matcher_version=decision.matcher_version)
    silence = silence_for(session, message, person, now)
    row = store(session, message, sender, person, decision, came_at or now)
    if row is None:
        return Received(None, decision.outcome.value, reply_waits=False, duplicate=True)
    person.reached_by(message.route, sender.id)
    case = Case(session, message, sender, person, row, decision, offers, controller, now, silence, press)
    if press is not None and press.had_it:
        keep_answer(session, press, person, row, now)
    answer = act_on(case)
    if coded is not None and decision.outcome in STARTS:
        link_by_code(case, coded.code)
    if tester is not None:
        testers.confirm(case, tester)
    waits = answer_with(case, answer)
    return Received(row.id, decision.outcome.value, reply_waits=waits, subscriber_id=person.id)


def _as_carried(message: InboundMessage, offers: Mapping[str, Offer]) -> InboundMessage:
    """Give a message its payload where a link could only write it, so that the tag stays with the consent."""
    words = {word: str(offer.list.id) for word, offer in offers.items()}
    if message.payload or read_written(message.text, words) is None:
        return message
    return replace(message, payload=message.text.strip())


def _stored(session: Session, sender_id: int, external_id: str) -> bool:
    """Tell before anything is made: a message that comes again may be of somebody who was erased since."""
    known = select(InboundRow.id).where(
        InboundRow.sender_id == sender_id, InboundRow.external_id == external_id
    )
    return session.scalar(known) is not None


def _understand(
    seen: Sighting,
    message: InboundMessage,
    person: Subscriber,
    offers: Mapping[str, Offer],
    decision: Decision | None,
) -> tuple[Decision, Press | None]:
    """Read a button of a broadcast, else the words, else the number of an answer: a word of ours is never one."""
    if decision is not None:
        return decision, None
    read_word = partial(_read_words, seen.session, person, offers, seen.now)
    press = read_press(seen.session, message, person, seen.controller)
    if press is not None:
        return meaning(press, read_word), press
    decision = _decide(seen.session, message, person, offers, seen.now)
    if decision.tier in _MAY_ANSWER:
        press = read_number(seen.session, message, person, seen.now)
    return (decision, None) if press is None else (meaning(press, read_word), press)


def _decide(
    session: Session,
    message: InboundMessage,
    person: Subscriber,
    offers: Mapping[str, Offer],
    now: datetime,
) -> Decision:
    """The provider's own reading of the word beats ours; START there only lifts its block, so ours decides too."""
    words = {word: str(offer.list.id) for word, offer in offers.items()}
    carried = read_payload(message.payload, words) if message.payload else None
    if carried is not None:
        return carried.decision
    read = _read_words(session, person, offers, now, message.text)
    if message.signal is ProviderSignal.STOP and read.outcome is not Outcome.STOP_LIST:
        return Decision(Outcome.STOP, "provider", message.signal_from, None, read.matcher_version)
    if message.signal is ProviderSignal.HELP:
        return Decision(Outcome.HELP, "provider", message.signal_from, None, read.matcher_version)
    return read


def _read_words(
    session: Session, person: Subscriber, offers: Mapping[str, Offer], now: datetime, text: str
) -> Decision:
    """Read what was typed, or the word that a button stands for."""
    languages, own = _languages(person, offers), own_words(session)
    return classify(
        text,
        languages=languages,
        state=_state(session, person, now),
        lists={word: str(offer.list.id) for word, offer in offers.items()},
        words=words_with(languages, own) if own else None,
    )


def _older_than_stop(session: Session, message: InboundMessage, person: Subscriber) -> bool:
    """Tell whether a START was sent before a STOP that came first: the later wish stands, not the later webhook."""
    if message.sent_at is None:
        return False
    stopped = (row.stopped_at for row in subscriptions_of(session, person.id))
    moments = [at for at in (person.last_stop_at, *stopped) if at is not None]
    # Platforms tell whole seconds; a START in the second of the STOP counts as later.
    return any(message.sent_at < at.replace(microsecond=0) for at in moments)


def _languages(person: Subscriber, offers: Mapping[str, Offer]) -> set[str]:
    """English always; the person's own, those of the sender's lists, and those of the number's country."""
    lists = (offer.list.language for offer in offers.values())
    return {"en", person.language, *lists, *languages_of_number(person.address)}


def _state(session: Session, person: Subscriber, now: datetime) -> str:
    """How the person stands, over all lists: an open question first, then whether anything can be sent at all."""
    rows = subscriptions_of(session, person.id)
    if any(row.expires_at is not None and row.expires_at >= now for row in rows):
        return SubscriptionState.PENDING.value
    states = {row.state for row in rows}
    if not states.isdisjoint(IN_FORCE):
        return SubscriptionState.ACTIVE.value
    return (SubscriptionState.STOPPED if states else SubscriptionState.UNKNOWN).value


def store(
    session: Session,
    message: InboundMessage,
    sender: Sender,
    person: Subscriber,
    decision: Decision,
    now: datetime,
) -> InboundRow | None:
    """Insert the message; None when the provider had delivered it before."""
    values = {
        "sender_id": sender.id,
        "external_id": message.external_id,
        "subscriber_id": person.id,
        "text": message.text,
        "media_count": message.media_count,
        "received_at": now,
        "outcome": decision.outcome.value,
        "tier": decision.tier,
        "rule": decision.rule,
        "matcher_version": decision.matcher_version,
    }
    if (shared := shared_by(session)) is not None:
        # Who takes in several has looked which are new, and writes them all once their answers are known.
        row = InboundRow(id=next(shared.inbound_ids), **values)
        session.add(row)
        return row
    dialect = sqlite if is_sqlite(session) else postgresql
    insert = dialect.insert(InboundRow).values(values).on_conflict_do_nothing()
    inserted = session.scalar(insert.returning(InboundRow.id))
    return session.get(InboundRow, inserted) if inserted is not None else None


def answer_with(case: Case, answer: Answer | None) -> bool:
    """Insert the reply as a delivery, unless there is none or the provider has answered; tells whether one waits."""
    case.row.reply_skipped = case.silence
    if answer is None or case.silence is not None:
        return False
    case.row.reply_kind, case.row.reply_text = answer.kind.value, answer.text
    case.row.reply_token = case.message.reply_token or None
    case.session.add(
        Delivery(
            broadcast_id=replies_broadcast(case.session, case.sender, case.now),
            subscriber_id=case.person.id,
            inbound_id=case.row.id,
            status=DeliveryStatus.PENDING.value,
            attempts=0,
            updated_at=case.now,
        )
    )
    return True
