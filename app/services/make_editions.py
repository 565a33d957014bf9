"""When an occurrence of a rule comes near, it becomes a broadcast of its own, once, with the words of that moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.recurrence import Occurrence, RuleState, RunState, occurrences
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import targets_of
from app.services.controller import Refused
from app.services.media.attach import copy_media
from app.services.plan_broadcasts import FRESH_MINUTES, choose_as, draft_in, schedule_in
from app.services.repeat_broadcasts import rule_for_change, rule_of
from app.services.rich_messages import copy_rich
from app.services.shares import variants_of
from app.storage.database import db, transaction
from app.storage.models import Broadcast, RepeatRule, RepeatRun

SYSTEM: Final = "system:rule"
# So long before its time it stands among what waits: editors see the frozen words, and a refusal can still be mended.
AHEAD: Final = timedelta(hours=1)
FRESH: Final = timedelta(minutes=FRESH_MINUTES)
# After a long time without a clock so many that were missed are noted; the older ones would tell nothing more.
MOST_NOTED: Final = 31
_MOMENT: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Edition:
    """An occurrence that was looked at: the broadcast that it became, or why there is none."""

    rule_id: int
    at: datetime
    state: RunState
    broadcast_id: int | None
    problem: str | None


def make_editions(now: datetime) -> list[Edition]:
    """Look at every occurrence that comes within the hour; returns those of which something became.

    Of two clocks one makes it. What came due while none ran goes out late as long as it is fresh; the rest is noted
    as missed and never made up for.
    """
    session = db.session()
    due = session.scalars(
        select(RepeatRule.id).where(RepeatRule.next_at <= now + AHEAD).order_by(RepeatRule.next_at)
    ).all()
    session.rollback()
    return [edition for rule_id in due for edition in _look_at(rule_id, now)]


def _look_at(rule_id: int, now: datetime) -> Sequence[Edition]:
    try:
        with transaction() as session:
            row = rule_for_change(session, rule_id)
            if row.state != RuleState.ACTIVE.value or row.next_at is None:
                return ()
            near = list(
                takewhile(lambda one: one.at <= now + AHEAD, occurrences(rule_of(row), row.next_at - _MOMENT))
            )
            made = list(_run(session, row, near[-MOST_NOTED:], now))
            if near:
                row.next_at = next((one.at for one in occurrences(rule_of(row), near[-1].at)), None)
            return made
    except IntegrityError:  # another clock was faster, on a database that does not lock rows
        return ()


def _run(session: Session, row: RepeatRule, near: Sequence[Occurrence], now: datetime) -> Iterator[Edition]:
    for one in near:
        if session.get(RepeatRun, (row.id, one.at)) is not None:
            continue  # left out by an editor, or looked at before
        run = RepeatRun(rule_id=row.id, occurs_at=one.at, state=RunState.MISSED.value, by=SYSTEM, at=now)
        session.add(run)
        session.flush()
        if now < one.at + FRESH:
            _make(session, row, run, now)
        yield Edition(row.id, one.at, RunState(run.state), run.broadcast_id, run.problem)


def _make(session: Session, row: RepeatRule, run: RepeatRun, now: datetime) -> None:
    """Copy the words of now into a broadcast and schedule it; all that scheduling checks may refuse it."""
    try:
        with session.begin_nested():
            run.broadcast_id, run.state = _scheduled(session, row, run.occurs_at, now), RunState.MADE.value
            note(session, SYSTEM, "rule.made", f"rule {row.id}", now, broadcast=run.broadcast_id)
    except Refused as error:
        run.broadcast_id, run.state, run.problem = None, RunState.REFUSED.value, str(error)
        note(session, SYSTEM, "rule.refused", f"rule {row.id}", now, at=run.occurs_at.isoformat())


def _scheduled(session: Session, row: RepeatRule, at: datetime, now: datetime) -> int:
    words = session.get_one(Broadcast, row.template_id)
    if words.state == BroadcastState.CANCELED.value:
        raise Refused("The draft of this rule was discarded. End the rule, or let another draft repeat.")
    broadcast_id = draft_in(
        session,
        title=words.title,
        text=words.text,
        list_ids=[one.id for one in targets_of(session, words.id)],
        variants=variants_of(session, words.id),
        by=row.created_by,
        now=now,
    )
    choose_as(session, words, broadcast_id)
    copy_media(session, words.id, broadcast_id)
    copy_rich(session, words.id, broadcast_id)
    schedule_in(session, broadcast_id, at=at if at > now else None, zone=row.zone, by=SYSTEM, now=now)
    # One that goes late has no longer than it would have had in time.
    session.get_one(Broadcast, broadcast_id).expires_at = at + FRESH
    return broadcast_id
