"""START, a list's word, YES and NO: matched exactly, and the only ways in."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from app.domain.consent import Act, EventType, Scope, SubscriptionState
from app.domain.links import MAX_PAYLOAD
from app.domain.replies import ReplyKind
from app.services import suppressions
from app.services.lists_of_sender import Offer, present_notice
from app.services.words.case import Answer, Case
from app.storage import linked
from app.storage.aliases import addresses_of
from app.storage.models import ConsentEvent, InboundRow, Notice, Subscription

KEEP_WITHIN: Final = timedelta(hours=24)


def start(case: Case) -> Answer | None:
    """Subscribe, or go on after a pause (rows 1, 11, 13 and 16)."""
    named = case.decision.list_key is not None
    offer = case.offer() if named else case.default()
    resumed = _resume(case, offer if named else None)
    if offer is None:
        if resumed:
            return case.answer(ReplyKind.WELCOME_BACK)
        return case.answer(ReplyKind.CHOOSE_LIST) if case.offers else None
    _lift_suppression(case)
    linked.chosen(case.session, case.person.id, case.now)
    notice = present_notice(case.session, offer.list.id, _language_shown(case, offer))
    if _agreed(case, offer):
        # The welcome is the notice, to the letter: what the ledger hashes is what the person reads.
        return case.answer(ReplyKind.WELCOME_BACK) if resumed else Answer(ReplyKind.WELCOME, notice.text)
    kept = _keeps(case, offer) if named else None
    answer = case.answer(ReplyKind.KEPT_LIST, offer) if kept else Answer(ReplyKind.WELCOME, notice.text)
    _grant(case, offer, notice, answer.kind, related=kept)
    return answer


def confirm(case: Case) -> Answer | None:
    """YES: consent to what the open question asked, in its words (row 5); without a question it is talk."""
    question = _open_questions(case)[:1]
    if not question or case.person.suppressed_at is not None:
        return None
    offer, row = question[0]
    asked = _entry(case, row.requested_seq)
    notice = case.session.get(Notice, asked.notice_id) if asked.notice_id else None
    notice = notice or present_notice(case.session, offer.list.id, offer.list.language)
    case.record(
        case.event(
            EventType.CONSENT_GIVEN,
            act=Act.DOI_REPLY,
            list_id=offer.list.id,
            notice=notice,
            question_event_id=asked.event_id,
            reply_template=ReplyKind.WELCOME.value,
            reply_skipped_reason=case.silence,
        )
    )
    return Answer(ReplyKind.WELCOME, notice.text)


def decline(case: Case) -> bool:
    """NO to the open question (row 6), which needs no answer; False when there is no question."""
    question = _open_questions(case)[:1]
    for offer, row in question:
        asked = _entry(case, row.requested_seq)
        case.record(
            case.event(
                EventType.CONSENT_REFUSED,
                act=Act.DOI_REPLY,
                list_id=offer.list.id,
                question_event_id=asked.event_id,
            )
        )
    return bool(question)


def has_open_question(case: Case) -> bool:
    """Tell whether a YES would answer something."""
    return bool(_open_questions(case))


def _open_questions(case: Case) -> Sequence[tuple[Offer, Subscription]]:
    """Return this sender's questions that wait for an answer, the one asked last first."""
    offers = {offer.list.id: offer for offer in case.offers.values()}
    rows = [
        row
        for row in case.subscriptions()
        if row.list_id in offers and row.expires_at is not None and row.expires_at >= case.now
    ]
    rows.sort(key=lambda row: row.requested_seq or 0, reverse=True)
    return [(offers[row.list_id], row) for row in rows]


def _entry(case: Case, seq: int | None) -> ConsentEvent:
    found = select(ConsentEvent).where(ConsentEvent.ledger == case.controller.ledger, ConsentEvent.seq == seq)
    return case.session.scalars(found).one()


def _resume(case: Case, offer: Offer | None) -> bool:
    """End the pause of the named list, or of all; tells whether there was one."""
    paused = case.lists_in(SubscriptionState.PAUSED)
    wanted = paused & {offer.list.id} if offer else paused
    case.record(
        *(
            case.event(EventType.RESUMED, act=case.act(Act.KEYWORD_EXACT), list_id=list_id)
            for list_id in sorted(wanted)
        )
    )
    return bool(wanted)


def _agreed(case: Case, offer: Offer) -> bool:
    """Whether the person is on the list, and for what it is for today."""
    return any(
        row.list_id == offer.list.id
        and row.state == SubscriptionState.ACTIVE
        and (row.granted_seq or 0) > offer.list.purpose_since_seq
        for row in case.subscriptions()
    )


def _grant(case: Case, offer: Offer, notice: Notice, kind: ReplyKind, related: str | None) -> None:
    _learn_language(case, offer)
    more = {"list_id": offer.list.id, "notice": notice, "cta_ref": _call_to_action(case)}
    given = case.event(
        EventType.CONSENT_GIVEN,
        act=case.act(Act.KEYWORD_EXACT),
        reply_template=kind.value,
        reply_skipped_reason=case.silence,
        related_event_id=related,
        **more,
    )
    case.record(case.event(EventType.NOTICE_SHOWN, **more), given)


def _call_to_action(case: Case) -> str:
    """Say what the person answered: a page of ours, our sender's address somewhere, or a link and where it hung."""
    if case.message.page:
        return case.message.page.cta_ref
    here = f"{case.sender.channel}:{case.sender.name}"
    return f"{here}:{case.message.payload[:MAX_PAYLOAD]}" if case.message.payload else here


def _keeps(case: Case, offer: Offer) -> str | None:
    """Return the withdrawal whose confirmation asked which list to keep, when this is the answer to it (row 11)."""
    asked = select(InboundRow.id).where(
        InboundRow.subscriber_id == case.person.id,
        InboundRow.reply_kind == ReplyKind.STOPPED_KEEP.value,
        InboundRow.received_at > case.now - KEEP_WITHIN,
    )
    row = next((one for one in case.subscriptions() if one.list_id == offer.list.id), None)
    if row is None or row.stopped_seq is None or case.session.scalar(asked.limit(1)) is None:
        return None
    lately = row.stopped_at is not None and row.stopped_at > case.now - KEEP_WITHIN
    return _entry(case, row.stopped_seq).event_id if lately else None


def _learn_language(case: Case, offer: Offer) -> None:
    """The first list that a person joins tells in which language to answer; nothing else has told it before."""
    if not case.subscriptions():
        case.person.language = _language_shown(case, offer)


def _language_shown(case: Case, offer: Offer) -> str:
    """The language of the page that was agreed to, else the list's."""
    return case.message.page.language if case.message.page else offer.list.language


def _lift_suppression(case: Case) -> None:
    """Only a fresh act of the person lifts it (row 16); the row stays, closed."""
    if case.person.suppressed_at is None:
        return
    for address in addresses_of(case.session, case.person):
        suppressions.lift(case.session, case.controller.keys, address, now=case.now)
    case.record(case.event(EventType.SUPPRESSION_LIFTED, act=case.act(Act.KEYWORD_EXACT), scope=Scope.ALL))
