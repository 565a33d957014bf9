"""What is shown of rules: the next dates with what stands against them, and what became of the last ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.policy.holiday_places import countries_on_holiday
from app.domain.recurrence import Occurrence, Rule, RuleState, RunState, Shift, occurrences
from app.services.broadcast_rows import targets_of
from app.services.controller import NotFound
from app.services.repeat_broadcasts import SHOWN, is_promised, rule_of
from app.storage.database import db
from app.storage.models import Broadcast, BroadcastList, RepeatRule, RepeatRun

LOOKED_BACK: Final = 10


@dataclass(frozen=True)
class Coming:
    """A date to come. `run`: it was made ahead, left out or refused. `outside`: lists that did not promise it.

    `holiday` are the countries in which it is a public holiday: ours, and those of the lists' clocks.
    """

    wall: datetime
    at: datetime
    shift: Shift | None
    holiday: tuple[str, ...]
    outside: tuple[str, ...]
    run: RepeatRun | None = None


@dataclass(frozen=True)
class RuleView:
    """A rule with its template, its lists, the next dates, and what became of the last ones, newest first."""

    row: RepeatRule
    rule: Rule
    template: Broadcast
    lists: Sequence[BroadcastList]
    coming: Sequence[Coming]
    past: Sequence[RepeatRun]

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        ended = self.row.state == RuleState.ENDED.value
        return ended or (
            self.row.state == RuleState.ACTIVE.value and self.row.next_at is None and not self.coming
        )

    @property
    def problem(self) -> str | None:
        """Why the newest one, or one that is to come, was refused."""
        runs = [*self.past[:1], *(one.run for one in self.coming if one.run is not None)]
        return next((run.problem for run in runs if run.state == RunState.REFUSED.value), None)


def coming(
    rule: Rule,
    lists: Sequence[BroadcastList],
    *,
    now: datetime,
    country: str,
    runs: Mapping[datetime, RepeatRun] | None = None,
) -> list[Coming]:
    """Return the next five dates of a rule; `country` (two capital letters) is ours, whose holidays are named."""
    return [
        _coming(rule, one, lists, country, (runs or {}).get(one.at))
        for one in islice(occurrences(rule, now), SHOWN)
    ]


def preview(broadcast_id: int, rule: Rule, *, now: datetime, country: str) -> list[Coming]:
    """Return the next five dates of a rule that is not saved; raises `NotFound`."""
    session = db.session()
    if session.get(Broadcast, broadcast_id) is None:
        raise NotFound(f"There is no broadcast {broadcast_id}.")
    return coming(rule, targets_of(session, broadcast_id), now=now, country=country)


def rule_view(rule_id: int, *, now: datetime, country: str) -> RuleView:
    """Return one rule; raises `NotFound`."""
    session = db.session()
    row = session.get(RepeatRule, rule_id, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no rule {rule_id}.")
    return _view(session, row, now, country)


def all_rules(*, now: datetime, country: str) -> list[RuleView]:
    """Return every rule, the newest first, those that ended last."""
    session = db.session()
    rows = session.scalars(
        select(RepeatRule).order_by(RepeatRule.id.desc()), execution_options={"populate_existing": True}
    ).all()
    return sorted((_view(session, row, now, country) for row in rows), key=lambda one: one.over)


def rules_among(broadcast_ids: Sequence[int]) -> dict[int, int]:
    """Return broadcast -> a rule by which it repeats, for those of these that do."""
    rows = select(RepeatRule.template_id, RepeatRule.id).where(
        RepeatRule.template_id.in_(broadcast_ids), RepeatRule.state != RuleState.ENDED.value
    )
    return {template_id: rule_id for template_id, rule_id in db.session.execute(rows.order_by(RepeatRule.id))}


def rule_behind(broadcast_id: int) -> int | None:
    """Return the rule of which a broadcast is an occurrence."""
    return db.session.scalar(select(RepeatRun.rule_id).where(RepeatRun.broadcast_id == broadcast_id))


def _view(session: Session, row: RepeatRule, now: datetime, country: str) -> RuleView:
    rule, lists = rule_of(row), targets_of(session, row.template_id)
    ahead = session.scalars(
        select(RepeatRun).where(RepeatRun.rule_id == row.id, RepeatRun.occurs_at > now)
    ).all()
    past = session.scalars(
        select(RepeatRun)
        .where(RepeatRun.rule_id == row.id, RepeatRun.occurs_at <= now)
        .order_by(RepeatRun.occurs_at.desc())
        .limit(LOOKED_BACK)
    ).all()
    runs = {run.occurs_at: run for run in ahead}
    ended = row.state == RuleState.ENDED.value
    dates = [] if ended else coming(rule, lists, now=now, country=country, runs=runs)
    return RuleView(row, rule, session.get_one(Broadcast, row.template_id), lists, dates, past)


def _coming(
    rule: Rule, one: Occurrence, lists: Sequence[BroadcastList], country: str, run: RepeatRun | None
) -> Coming:
    outside = tuple(row.name for row in lists if not is_promised([row], rule, one))
    # Where everybody's own clock counts, a change of ours is none of most people's.
    shift = None if rule.own_clocks else one.shift
    holiday = countries_on_holiday(one.wall.date(), country, [row.zone for row in lists])
    return Coming(one.wall, one.at, shift, holiday, outside, run)
