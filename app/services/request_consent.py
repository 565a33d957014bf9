"""Ask people to confirm a sign-up that was recorded: one question each, on the very address (consent.md 2.7)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.domain.addresses import Address, mask
from app.domain.asking import MOST_QUESTIONS, QUESTIONS_PERIOD, Who, WhyNot, why_not
from app.domain.consent import EventType
from app.services.controller import Controller, Refused
from app.services.known_people import known
from app.services.manage_lists import find_list
from app.services.manage_subscribers import Way, read_address
from app.services.questions import CHANNEL, SignUp, check_list, draft_of, events_of
from app.services.record_consent import find_or_create_subscribers, record
from app.services.replies_broadcast import replies_broadcast
from app.storage import own_messages
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.models import BroadcastList, Sender

MAX_EVIDENCE: Final = 300


@dataclass(frozen=True)
class Asked:
    """A question that was put to one address: when it goes out, until when it is open, and who sends it."""

    address: str
    list_name: str
    goes_at: datetime
    open_until: datetime
    sender_id: int


@dataclass(frozen=True)
class Answers:
    """What became of a request for several addresses: who is asked, and why the others are not."""

    asked: Mapping[Address, Asked]
    refused: Mapping[Address, WhyNot]


def request_consent(
    raw: str,
    *,
    list_name: str,
    evidence: str,
    received_by: Way = Way.OTHER,
    document_sha256: str = "",
    language: str | None = None,
    link: str,
    by: str,
    controller: Controller,
    now: datetime,
) -> Asked:
    """Ask somebody who told an operator, on paper or on the telephone, that they want to be on a list.

    `evidence` says who said so, how and when. Raises `Refused` with the reason when the person may not be asked,
    `NotFound` for an unknown list.
    """
    words = evidence.strip()
    if not words:
        raise Refused("Say who asked for it and how: card of 3 March, signed at the open day.")
    if len(words) > MAX_EVIDENCE:
        raise Refused(f"The evidence has {len(words)} characters; it may have {MAX_EVIDENCE}.")
    address = read_address(raw, channel=CHANNEL, controller=controller)
    shown = {"reason": words, "received_by": received_by.value, "document_sha256": document_sha256}
    sign_up = SignUp(
        Who.OPERATOR,
        link,
        by=by,
        language=language,
        cta_ref=f"operator:{received_by.value}",
        evidence={name: value for name, value in shown.items() if value},
    )
    with transaction() as session:
        list_id = find_list(session, list_name).id
        answers = request_consents(session, [address], list_id, sign_up, controller=controller, now=now)
    if address in answers.refused:
        raise refusal(answers.refused[address], address)
    return answers.asked[address]


def request_consents(
    session: Session,
    addresses: Collection[Address],
    list_id: int,
    sign_up: SignUp,
    *,
    controller: Controller,
    now: datetime,
) -> Answers:
    """Record a sign-up for each address of one channel and ask it, within the caller's transaction.

    Whoever may not be asked is left as they are, with the reason; nothing is written about them. Whose question
    may not go out now is asked when the hours of their place and of the list open. Raises `Refused` when nobody
    may be asked for this list at all.
    """
    lock_head(session, controller.ledger)  # no STOP may slip in between looking and asking
    list_ = session.get_one(BroadcastList, list_id)
    sender = session.get_one(Sender, list_.sender_id)
    check_list(list_, sender)
    found = known(session, list(addresses), list_id, controller=controller, now=now)
    reasons = {address: why_not(one, sign_up.who, now) for address, one in found.items()}
    askable = [address for address, reason in reasons.items() if reason is None]
    language = sign_up.language or list_.language
    people = find_or_create_subscribers(session, askable, language=language, controller=controller, now=now)
    drafts = [draft_of(people[address], list_, sender, sign_up, controller, now) for address in askable]
    events = [event for draft in drafts for event in events_of(session, draft, list_, sender, sign_up, now)]
    entries = record(session, events, controller=controller, now=now)
    questions = [entry for entry in entries if entry["event_type"] == EventType.CONSENT_REQUESTED]
    for draft, entry in zip(drafts, questions, strict=True):
        draft.message.requested_seq = entry["seq"]
    if drafts:
        replies_id = replies_broadcast(session, sender, now)
        own_messages.add(session, [(draft.message, draft.due_at) for draft in drafts], replies_id)
    return Answers(
        {
            address: Asked(address.value, list_.name, draft.goes_at, draft.open_until, sender.id)
            for address, draft in zip(askable, drafts, strict=True)
        },
        {address: reason for address, reason in reasons.items() if reason is not None},
    )


def refusal(reason: WhyNot, address: Address) -> Refused:
    """Say to an operator why an address is not asked."""
    who = mask(address.value)
    match reason:
        case WhyNot.SUPPRESSED:
            return Refused(f"{who} is suppressed: nothing may be sent to it.")
        case WhyNot.UNREACHABLE:
            return Refused(f"{who} cannot be reached or blocked us; the person must write to us first.")
        case WhyNot.HELD:
            return Refused(f"{who} wrote something that may have meant STOP; decide on that first.")
        case WhyNot.SUBSCRIBED:
            return Refused(f"{who} is on this list already.")
        case WhyNot.NOT_ON_IT:
            return Refused(f"{who} is not on this list.")
        case WhyNot.ASKED:
            return Refused(f"{who} was asked already, and the question is still open.")
        case WhyNot.STOPPED:
            return Refused(f"{who} said STOP; only the person can come back, by texting START.")
        case WhyNot.STALE:
            return Refused(f"The consent of {who} ran out unused; the person must text START.")
        case WhyNot.TOO_OFTEN:
            return Refused(
                f"{who} was asked {MOST_QUESTIONS} times in {QUESTIONS_PERIOD.days} days; more would be a nuisance."
            )
