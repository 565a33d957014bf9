"""When an occurrence of a rule comes near, it becomes a broadcast of its own, once, with the words of that moment.

On each person's own clock it comes near when the first clocks on earth come near it, and is over with the last ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.policy.own_clock import LONGEST_LEAD, first_hour, last_hour
from app.domain.recurrence import Occurrence, Rule, RuleState, RunState, occurrences
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import targets_of
from app.services.controller import Refused
from app.services.media.attach import copy_media
from app.services.repeat_broadcasts import rule_for_change, rule_of
from app.services.rich_messages import copy_rich
from app.services.schedule_broadcasts import schedule_in
from app.services.write_drafts import choose_as, draft_in
from app.storage.database import db, transaction
from app.storage.models import Broadcast, RepeatRule, RepeatRun
from app.storage.variants import variants_of

SYSTEM: Final = "system:rule"
# So long before its time it stands among what waits: editors see the frozen words, and a refusal can still be mended.
AHEAD: Final = timedelta(hours=1)
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
    soon = RepeatRule.next_at <= now + AHEAD
    on_own_clocks = RepeatRule.own_clocks & (RepeatRule.next_at <= now + AHEAD + LONGEST_LEAD)
    rows = session.scalars(select(RepeatRule).where(or_(soon, on_own_clocks)).order_by(RepeatRule.next_at))
    due = [row.id for row in rows if _near(row, now)]
    session.rollback()
    return [edition for rule_id in due for edition in _look_at(rule_id, now)]


def _near(row: RepeatRule, now: datetime) -> list[Occurrence]:
    """Return the occurrences that nobody has looked at and that begin within the hour, or began."""
    if row.next_at is None:
        return []
    rule = rule_of(row)
    coming = occurrences(rule, row.next_at - _MOMENT)
    return list(takewhile(lambda one: _begins(rule, one) <= now + AHEAD, coming))


def _begins(rule: Rule, one: Occurrence) -> datetime:
    return first_hour(one.wall) if rule.own_clocks else one.at


def _ends(rule: Rule, one: Occurrence) -> datetime:
    return last_hour(one.wall) if rule.own_clocks else one.at


def _look_at(rule_id: int, now: datetime) -> Sequence[Edition]:
    try:
        with transaction() as session:
            row = rule_for_change(session, rule_id)
            if row.state != RuleState.ACTIVE.value or row.next_at is None:
                return ()
            near = _near(row, now)
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
        if now < _ends(rule_of(row), one) + _fresh(session.get_one(Broadcast, row.template_id)):
            _make(session, row, run, one, now)
        yield Edition(row.id, one.at, RunState(run.state), run.broadcast_id, run.problem)


def _fresh(words: Broadcast) -> timedelta:
    """For how long an edition is worth sending, as the draft that repeats says."""
    return timedelta(minutes=words.fresh_minutes)


def _make(session: Session, row: RepeatRule, run: RepeatRun, one: Occurrence, now: datetime) -> None:
    """Copy the words of now into a broadcast and schedule it; all that scheduling checks may refuse it."""
    try:
        with session.begin_nested():
            run.broadcast_id, run.state = _scheduled(session, row, one, now), RunState.MADE.value
            note(session, SYSTEM, "rule.made", f"rule {row.id}", now, broadcast=run.broadcast_id)
    except Refused as error:
        run.broadcast_id, run.state, run.problem = None, RunState.REFUSED.value, str(error)
        note(session, SYSTEM, "rule.refused", f"rule {row.id}", now, at=run.occurs_at.isoformat())


def _scheduled(session: Session, row: RepeatRule, one: Occurrence, now: datetime) -> int:
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
    made = session.get_one(Broadcast, broadcast_id)
    made.approved_by, made.styled = words.approved_by, words.styled
    made.fresh_minutes = words.fresh_minutes
    copy_media(session, words.id, broadcast_id)
    copy_rich(session, words.id, broadcast_id)
    if row.own_clocks:
        _on_own_clocks(session, row, broadcast_id, one, now)
        return broadcast_id
    at = one.at if one.at > now else None
    schedule_in(session, broadcast_id, at=at, zone=row.zone, by=SYSTEM, now=now)
    # One that goes late has no longer than it would have had in time.
    made.expires_at = one.at + _fresh(words)
    return broadcast_id


def _on_own_clocks(
    session: Session, row: RepeatRule, broadcast_id: int, one: Occurrence, now: datetime
) -> None:
    schedule_in(session, broadcast_id, at=None, local_at=one.wall, zone=row.zone, by=SYSTEM, now=now)
    broadcast = session.get_one(Broadcast, broadcast_id)
    if broadcast.next_at is not None and broadcast.next_at <= now:
        # It goes late: for whom the hour is long over, it is as stale as it would be had it gone in time.
        broadcast.next_at = first_hour(one.wall)
