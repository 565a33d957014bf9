"""Try a draft out on testers: through the lane, the gate and the gateway of a broadcast, and counted nowhere.

A test is a broadcast of its own without lists, which `tests_id` hides from everything that editors see. So nothing
about it changes the draft, and the workers know no other way for it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState, DeliveryStatus
from app.services import quotas, testers
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, targets_of
from app.services.controller import Controller, NotFound, Refused
from app.services.figures.taken import SENDER_OF_SLICE, SLICE_OF_DELIVERY, nothing_more
from app.services.media.attach import copy_media
from app.services.rich_messages import copy_rich
from app.services.testers import AddressOfTester
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.gate import closed_now, consent_seq, refusal
from app.storage.models import (
    Broadcast,
    Delivery,
    Sender,
    Slice,
    Subscriber,
    Tester,
    User,
)
from app.storage.variants import put_variant, variants_of
from app.storage.ways import templates_of, way_of, ways

MARK: Final = "[Test]"
FRESH: Final = timedelta(hours=1)
"""What did not leave in this time is of no use any more."""
SHOWN: Final = 20
_UNTOLD: Final = "a test"
_TRIED: Final = (BroadcastState.DRAFT.value, BroadcastState.SCHEDULED.value)


@dataclass(frozen=True)
class Choice:
    """An address that a draft can be tried out on; `problem` says why this one cannot, if so."""

    tester: AddressOfTester
    problem: str


@dataclass(frozen=True)
class Result:
    """What became of a test at one address; `reason` and `error_code` as of every delivery.

    `nothing_more`: the platform took it and tells of no delivery.
    """

    test_id: int
    name: str
    channel: str
    address: str
    status: int
    reason: str | None
    error_code: str | None
    sent_at: datetime
    is_open: bool
    nothing_more: bool = False


def choices(broadcast_id: int) -> list[Choice]:
    """Return the testers whose address is proved, each with what keeps this draft from it."""
    session = db.session()
    there = _senders(session, session.get_one(Broadcast, broadcast_id))
    return [Choice(one, _problem(one, there)) for one in testers.addresses() if one.verified_at]


def send(
    broadcast_id: int,
    tester_ids: Collection[int],
    *,
    mark: str = MARK,
    by: str,
    controller: Controller,
    now: datetime,
) -> int:
    """Send what a draft says now to these testers; returns the id of the test, whose senders are to be woken.

    `mark` stands before the words; empty: they go as they are. Neither approval nor the hours of the lists hold, the
    gate does: who said STOP is skipped. Raises `NotFound`, `Refused` with the reason.
    """
    with transaction() as session:
        head = lock_head(session, controller.ledger)  # no STOP may slip in between the gate and the plan
        draft = broadcast_for_change(session, broadcast_id)
        if draft.state not in _TRIED:
            raise Refused(f"This broadcast is {draft.state}; only one that has not begun can be tried out.")
        if not draft.text.strip():
            raise Refused("There are no words to try out. Write the text and save it first.")
        people, senders = _chosen(session, draft, tester_ids)
        test = _copy(session, draft, mark, by, now)
        test.as_of_seq, test.audience = head.seq, len(people)
        _plan(session, test, people, senders, now)
        note(session, by, "broadcast.test", f"broadcast {broadcast_id}", now, people=len(people))
        return test.id


def named(names: Collection[str]) -> list[int]:
    """Return the proved addresses of these people, by name or e-mail address. Raises `NotFound` for a stranger."""
    rows = db.session.execute(
        select(User.name, User.email, Tester.id)
        .join(Tester, Tester.user_id == User.id)
        .where(Tester.verified_at.is_not(None), User.disabled_at.is_(None))
    ).all()
    found: list[int] = []
    for name in names:
        theirs = [row.id for row in rows if name.casefold() in (row.name.casefold(), row.email.casefold())]
        if not theirs:
            there = ", ".join(sorted({row.name for row in rows})) or "nobody yet"
            raise NotFound(f"“{name}” has no proved address for tests. Testers: {there}.")
        found += theirs
    return list(dict.fromkeys(found))


def results(broadcast_id: int) -> list[Result]:
    """Return what became of the last tests of a draft, the newest first."""
    rows = db.session.execute(
        select(Broadcast.id, Broadcast.started_at, Sender.gateway, Delivery, Subscriber, User.name)
        .join(Delivery, Delivery.broadcast_id == Broadcast.id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .outerjoin(Slice, SLICE_OF_DELIVERY)
        .outerjoin(Sender, SENDER_OF_SLICE)
        .outerjoin(Tester, Tester.subscriber_id == Subscriber.id)
        .outerjoin(User, User.id == Tester.user_id)
        .where(Broadcast.tests_id == broadcast_id, Delivery.inbound_id == 0)
        .order_by(Broadcast.id.desc(), User.name, Subscriber.id)
        .limit(SHOWN)
    ).all()
    return [
        Result(
            test_id,
            name or "",
            person.channel,
            person.address,
            row.status,
            row.reason,
            row.error_code,
            started_at or row.updated_at,
            row.status == DeliveryStatus.PENDING.value,
            nothing_more(row.status, gateway),
        )
        for test_id, started_at, gateway, row, person, name in rows
    ]


def _senders(session: Session, draft: Broadcast) -> dict[str, Sender]:
    """Return channel -> the sender that carries the draft there."""
    list_ids = [one.id for one in targets_of(session, draft.id)]
    found = ways(session, list_ids, draft.corrects_id)
    return {channel: session.get_one(Sender, min(ids)) for channel, ids in found.items()}


def _problem(one: AddressOfTester, there: Mapping[str, Sender]) -> str:
    sender = there.get(one.channel)
    if sender is None:
        return "The lists of this draft do not go out there."
    if sender.paused_at is not None:
        return "The sender is paused."
    if quotas.slice_sizes(db.session(), [sender.id]):
        return "The platform counts each test as one of the few broadcasts of a month."
    return ""


def _chosen(
    session: Session, draft: Broadcast, tester_ids: Collection[int]
) -> tuple[dict[int, str], Mapping[str, Sender]]:
    """Return subscriber -> channel of those chosen, and the senders by channel. Raises `Refused`."""
    if not targets_of(session, draft.id):
        raise Refused("Choose a list and save the draft first: a test goes out of the sender of its lists.")
    there = _senders(session, draft)
    known = {one.id: one for one in testers.in_session(session) if one.verified_at}
    chosen = [known[one] for one in tester_ids if one in known]
    if not chosen:
        raise Refused("Choose at least one tester.")
    for one in chosen:
        if problem := _problem(one, there):
            raise Refused(problem)
    rows = select(Tester.subscriber_id, Subscriber.channel).join(
        Subscriber, Subscriber.id == Tester.subscriber_id
    )
    found = session.execute(rows.where(Tester.id.in_([one.id for one in chosen])))
    return {subscriber_id: channel for subscriber_id, channel in found if subscriber_id is not None}, there


def _copy(session: Session, draft: Broadcast, mark: str, by: str, now: datetime) -> Broadcast:
    """Make the broadcast that carries the words, files and buttons as they are now."""
    begin = f"{mark} " if mark else ""
    test = Broadcast(
        title=draft.title,
        text=begin + draft.text,
        state=BroadcastState.SENDING.value,
        zone=draft.zone,
        fresh_minutes=int(FRESH.total_seconds()) // 60,
        over_cap_reason=_UNTOLD,
        tests_id=draft.id,
        styled=draft.styled,
        urgent=True,  # somebody waits for it, and a broadcast to a million may be on its way
        created_by=by,
        created_at=now,
        updated_at=now,
        started_at=now,
        state_at=now,
        expires_at=now + FRESH,
    )
    session.add(test)
    session.flush()
    for key, words in variants_of(session, draft.id).items():
        put_variant(session, test.id, key, begin + words)
    copy_media(session, draft.id, test.id)
    copy_rich(session, draft.id, test.id)
    session.flush()
    return test


def _plan(
    session: Session,
    test: Broadcast,
    people: Mapping[int, str],
    senders: Mapping[str, Sender],
    now: datetime,
) -> None:
    """Write a slice for each sender and a delivery for each tester, past the gate; the door asks it again."""
    templates = templates_of(session, test.id)
    for seq, channel in enumerate(sorted(set(people.values()))):
        sender = senders[channel]
        way = way_of(session, sender.id, templates)
        consent = consent_seq(test.id, Subscriber.id)
        expires = literal(test.expires_at, Broadcast.expires_at.type)
        query = select(Subscriber.id, consent, refusal(consent, expires, now, closed_now([way], now)))
        here = [one for one, its in people.items() if its == channel]
        answers = session.execute(query.where(Subscriber.id.in_(here)).order_by(Subscriber.id)).all()
        waiting = sum(reason is None for _, _, reason in answers)
        session.add_all(
            _delivery(test.id, seq, subscriber_id, given, reason, now)
            for subscriber_id, given, reason in answers
        )
        state = "open" if waiting else "done"
        session.add(
            Slice(broadcast_id=test.id, seq=seq, sender_id=sender.id, state=state, epoch=0, people=waiting)
        )
    session.flush()


def _delivery(
    test_id: int, seq: int, subscriber_id: int, given: int | None, reason: str | None, now: datetime
) -> Delivery:
    status = DeliveryStatus.PENDING if reason is None else DeliveryStatus.SKIPPED
    return Delivery(
        broadcast_id=test_id,
        subscriber_id=subscriber_id,
        inbound_id=0,
        slice=seq,
        status=status.value,
        reason=reason,
        consent_seq=given,
        attempts=0,
        updated_at=now,
    )


def unsettled(found: Sequence[Result], now: datetime) -> bool:
    """Tell whether a look a moment later may show something else: nothing left yet, or its receipt is on its way."""
    waits = (DeliveryStatus.PENDING.value, DeliveryStatus.SENT.value)
    waiting = (one for one in found if one.status in waits and not one.nothing_more)
    return any(now - one.sent_at < timedelta(minutes=5) for one in waiting)
