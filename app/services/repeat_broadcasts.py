"""Let a broadcast repeat by a rule; pause, resume and end the rule; leave out one occurrence of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.policy.own_clock import LONGEST_LEAD
from app.domain.recurrence import Occurrence, Rule, RuleState, RunState, occurrences, read_rule
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, move, targets_of
from app.services.broadcast_times import promised_there, within_promise, zone_named
from app.services.controller import NotFound, Refused
from app.storage.database import transaction
from app.storage.models import Broadcast, BroadcastList, RepeatRule, RepeatRun

SHOWN: Final = 5
_MOMENT: Final = timedelta(seconds=1)


def repeat(broadcast_id: int, rule: Rule, *, by: str, now: datetime) -> int:
    """Let the broadcast go out by `rule`, with the words it has at each time; returns the id of the rule.

    The same rule for the same broadcast a second time (a button pressed twice) is the first one. Raises `Refused`
    for a rule that begins in the past, without text or lists, or always outside of the promised hours.
    """
    zone_named(rule.zone)
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if (twin := _twin(session, broadcast_id, rule)) is not None:
            return twin
        first = _checked(session, broadcast, rule, now)
        row = RepeatRule(
            template_id=broadcast_id,
            dtstart=rule.dtstart,
            rrule=rule.rrule,
            zone=rule.zone,
            own_clocks=rule.own_clocks,
            state=RuleState.ACTIVE.value,
            next_at=first,
            created_by=by,
            created_at=now,
        )
        session.add(row)
        session.flush()
        note(session, by, "rule.create", _name(row.id), now, broadcast=broadcast_id, rrule=rule.rrule)
        return row.id


def pause(rule_id: int, *, by: str, now: datetime) -> int:
    """Make nothing more of a rule until it is resumed; returns how many broadcasts were taken off the schedule."""
    with transaction() as session:
        row = rule_for_change(session, rule_id)
        if row.state != RuleState.ACTIVE.value:
            raise Refused(f"This rule is {row.state}; it cannot be paused.")
        return _stop(session, row, RuleState.PAUSED, by, now)


def end(rule_id: int, *, by: str, now: datetime) -> int:
    """End a rule for good; returns how many broadcasts were taken off the schedule."""
    with transaction() as session:
        row = rule_for_change(session, rule_id)
        if row.state == RuleState.ENDED.value:
            raise Refused("This rule is ended already.")
        return _stop(session, row, RuleState.ENDED, by, now)


def resume(rule_id: int, *, by: str, now: datetime) -> None:
    """Go on with a paused rule, from its next moment on: what lay in the pause is not made up for."""
    with transaction() as session:
        row = rule_for_change(session, rule_id)
        if row.state != RuleState.PAUSED.value:
            raise Refused(f"This rule is {row.state}, not paused.")
        row.state, row.state_by, row.state_at = RuleState.ACTIVE.value, by, now
        row.next_at = next((one.at for one in occurrences(rule_of(row), now)), None)
        note(session, by, "rule.resume", _name(rule_id), now)


def skip(rule_id: int, at: datetime, *, by: str, now: datetime) -> None:
    """Leave out the occurrence at the UTC instant `at`; a broadcast that waits for it is stopped."""
    with transaction() as session:
        row = rule_for_change(session, rule_id)
        due = next(occurrences(rule_of(row), at - _MOMENT), None)
        if at <= now or due is None or due.at != at:
            raise Refused("This rule has nothing to come at that time.")
        run = session.get(RepeatRun, (rule_id, at))
        if run is None:
            run = RepeatRun(rule_id=rule_id, occurs_at=at, state=RunState.SKIPPED.value, by=by, at=now)
            session.add(run)
        elif not _take_off(session, run, by, now):
            raise Refused("That one can no longer be left out.")
        note(session, by, "rule.skip", _name(rule_id), now, at=at.isoformat())


def reopen(rule_id: int, at: datetime, *, by: str, now: datetime) -> None:
    """Let the clock look again at an occurrence to come that was left out or refused."""
    with transaction() as session:
        row = rule_for_change(session, rule_id)
        run = session.get(RepeatRun, (rule_id, at))
        if run is None or run.state not in (RunState.SKIPPED.value, RunState.REFUSED.value) or at <= now:
            raise Refused("There is nothing to take back at that time.")
        session.delete(run)
        if row.state == RuleState.ACTIVE.value:
            row.next_at = min(row.next_at or at, at)
        note(session, by, "rule.reopen", _name(rule_id), now, at=at.isoformat())


def rule_for_change(session: Session, rule_id: int) -> RepeatRule:
    """Return a rule, locked until the transaction ends; raises `NotFound`."""
    row = session.get(RepeatRule, rule_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no rule {rule_id}.")
    return row


def rule_of(row: RepeatRule) -> Rule:
    """Read the rule of a row."""
    return read_rule(row.dtstart, row.rrule, row.zone, own_clocks=row.own_clocks)


def is_promised(lists: Sequence[BroadcastList], rule: Rule, one: Occurrence) -> bool:
    """Tell whether an occurrence lies within the hours that these lists promised."""
    return promised_there(lists, one.wall) if rule.own_clocks else within_promise(lists, one.at)


def _twin(session: Session, broadcast_id: int, rule: Rule) -> int | None:
    return session.scalar(
        select(RepeatRule.id).where(
            RepeatRule.template_id == broadcast_id,
            RepeatRule.dtstart == rule.dtstart,
            RepeatRule.rrule == rule.rrule,
            RepeatRule.zone == rule.zone,
            RepeatRule.own_clocks == rule.own_clocks,
            RepeatRule.state != RuleState.ENDED.value,
        )
    )


def _checked(session: Session, broadcast: Broadcast, rule: Rule, now: datetime) -> datetime:
    """Return the first moment, or say why there can be none."""
    lists = targets_of(session, broadcast.id)
    if not broadcast.text.strip():
        raise Refused("The text is empty.")
    if not lists:
        raise Refused("Choose at least one list.")
    nexts = list(islice(occurrences(rule, now), SHOWN))
    if not nexts or nexts[0].wall != rule.begins:
        raise Refused("The first time of this rule is in the past. Choose a later one.")
    if not any(is_promised(lists, rule, one) for one in nexts):
        names = ", ".join(f"{one.name}: {one.from_hour} to {one.until_hour} h ({one.zone})" for one in lists)
        raise Refused(f"This rule never goes out within the hours promised to subscribers ({names}).")
    return nexts[0].at


def _stop(session: Session, row: RepeatRule, state: RuleState, by: str, now: datetime) -> int:
    row.state, row.state_by, row.state_at, row.next_at = state.value, by, now, None
    note(session, by, f"rule.{'pause' if state is RuleState.PAUSED else 'end'}", _name(row.id), now)
    return sum(_take_off(session, run, by, now) for run in _made_ahead(session, row, now))


def _made_ahead(session: Session, row: RepeatRule, now: datetime) -> Iterator[RepeatRun]:
    # On people's own clocks the first of them may live behind the zone of the rule.
    since = now - LONGEST_LEAD if row.own_clocks else now
    yield from session.scalars(
        select(RepeatRun).where(
            RepeatRun.rule_id == row.id, RepeatRun.occurs_at > since, RepeatRun.state == RunState.MADE.value
        )
    ).all()


def _take_off(session: Session, run: RepeatRun, by: str, now: datetime) -> bool:
    """Stop the broadcast of an occurrence that still waits for its time; tell whether it was there to stop."""
    if run.state != RunState.MADE.value or run.broadcast_id is None:
        return False
    broadcast = broadcast_for_change(session, run.broadcast_id)
    if broadcast.state != BroadcastState.SCHEDULED.value:
        return False
    move(broadcast, BroadcastState.CANCELED, by, now)
    note(session, by, "broadcast.cancel", f"broadcast {broadcast.id}", now)
    run.state, run.by, run.at = RunState.SKIPPED.value, by, now
    return True


def _name(rule_id: int) -> str:
    return f"rule {rule_id}"
