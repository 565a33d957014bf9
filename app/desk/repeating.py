"""From the form of When to a rule that repeats, and a rule in words with its next dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from babel.dates import get_day_names
from babel.lists import format_list

from app.desk.forms import Errors, load
from app.desk.holidays import holiday_words
from app.desk.languages import day_words, language, moment, wall_words, zones
from app.desk.languages import gettext as _
from app.desk.languages import lazy_gettext as _l
from app.desk.languages import ngettext as n_
from app.desk.reading import targets
from app.desk.refusals import said
from app.domain.recurrence import (
    LAST_OF_MONTH,
    BadRule,
    Every,
    Rule,
    RuleState,
    RunState,
    Shift,
    make_rule,
)
from app.runtime import runtime
from app.schemas import RepeatSchema, wall_time
from app.services.read_rules import Coming, RuleView, coming
from app.storage.models import Broadcast

EVERY: Final = {
    "day": Every.DAY,
    "week": Every.WEEK,
    "month": Every.MONTH,
    "month_end": Every.MONTH,
}
EVERY_WORDS: Final = {
    "day": _l("Days"),
    "week": _l("Weeks"),
    "month": _l("Months, on the date of the first day"),
    "month_end": _l("Months, on the last day"),
}
RUN_WORDS: Final = {
    RunState.MADE: _l("became a broadcast"),
    RunState.REFUSED: _l("could not go out"),
    RunState.SKIPPED: _l("left out"),
    RunState.MISSED: _l("missed: the machine was off"),
}
_LAST_DAY_OF_EVERY_MONTH: Final = 28


@dataclass(frozen=True)
class Plan:
    """A rule that was asked for, and its next dates."""

    rule: Rule
    coming: Sequence[Coming]

    @property
    def problem(self) -> str | None:
        """Why there can be no such rule."""
        if not self.coming or self.coming[0].wall != self.rule.begins:
            return _("This moment is over. Choose a later one.")
        if all(one.outside for one in self.coming):
            return _("None of these dates lies within the hours that people were promised.")
        return None


def planned(broadcast: Broadcast, raw: dict[str, Any], now: datetime) -> tuple[Plan | None, Errors]:
    """Read the form: a plan, or a sentence for each field that is wrong."""
    values, errors = load(RepeatSchema(), raw)
    if not errors and values["zone"] not in zones():
        errors = {"zone": _("Choose a time zone.")}
    if errors:
        return None, errors
    every = EVERY[values["every"]]
    try:
        rule = make_rule(
            wall_time(values["day"], values["hour"]),
            values["zone"],
            every,
            interval=values["interval"],
            weekdays=tuple(values["weekdays"]) if every is Every.WEEK else (),
            last_of_month=values["every"] == "month_end",
            until=values["until"],
            times=values["times"],
            own_clocks=values["own_clocks"],
        )
    except BadRule as error:
        return None, {error.field: said(str(error))}
    country = runtime().controller.region
    return Plan(rule, coming(rule, targets(broadcast.id), now=now, country=country)), {}


def rule_words(rule: Rule) -> str:
    """A rule in a sentence: `Every 2 weeks on Monday and Thursday, 07:30 (Europe/Berlin), until 31 December 2026`."""
    hour = f"{rule.begins:%H:%M}"
    when = _("%(when)s on each person’s own clock", when=hour) if rule.own_clocks else f"{hour} ({rule.zone})"
    parts = [f"{_rhythm(rule)}, {when}"]
    if rule.until is not None:
        parts.append(_("until %(day)s", day=day_words(rule.until)))
    if rule.times is not None:
        parts.append(n_("%(n)s time", "%(n)s times", rule.times))
    return ", ".join(parts)


def date_words(one: Coming, rule: Rule, style: str = "long") -> str:
    """A date of a rule; on each person's own clock it has no zone."""
    return wall_words(one.wall, style) if rule.own_clocks else moment(one.at, rule.zone, style)


def weekday_names() -> list[str]:
    """Monday to Sunday in the reader's language."""
    names = get_day_names("wide", locale=language())
    return [names[day] for day in range(7)]


def notes_of(one: Coming, zone: str) -> list[str]:
    """What is worth knowing of a date: a change of the clocks, a holiday, hours that nobody promised."""
    found = []
    if one.shift is Shift.SKIPPED:
        found.append(
            _(
                "The clocks are put forward and skip %(hour)s. It goes at %(when)s.",
                hour=f"{one.wall:%H:%M}",
                when=moment(one.at, zone, "clock"),
            )
        )
    elif one.shift is Shift.TWICE:
        found.append(_("The clocks go back that night and show this time twice. It goes at the first."))
    if one.holiday:
        found.append(holiday_words(one.holiday))
    if one.outside:
        found.append(
            _("Outside the hours that %(lists)s promised: it will not go.", lists=", ".join(one.outside))
        )
    return found


def month_note(rule: Rule) -> str | None:
    """That months without the date are left out."""
    if rule.monthday is None or rule.monthday == LAST_OF_MONTH or rule.monthday <= _LAST_DAY_OF_EVERY_MONTH:
        return None
    return _("Months that have no day %(day)s are left out.", day=rule.monthday)


def standing(view: RuleView) -> tuple[str, str]:
    """The state of a rule as a name for the style sheet, and in words."""
    if view.over:
        return "stopped", _("ended") if view.row.state == RuleState.ENDED else _("over")
    if view.row.state == RuleState.PAUSED:
        return "paused", _("paused")
    return "on", _("repeats")


def _rhythm(rule: Rule) -> str:
    if rule.every is Every.DAY:
        return n_("Every day", "Every %(n)s days", rule.interval)
    if rule.every is Every.WEEK:
        if len(rule.weekdays) == len(weekday_names()) and rule.interval == 1:
            return n_("Every day", "Every %(n)s days", 1)
        days = format_list([weekday_names()[day] for day in rule.weekdays], locale=language())
        return n_("Every week on %(days)s", "Every %(n)s weeks on %(days)s", rule.interval, days=days)
    if rule.monthday == LAST_OF_MONTH:
        return n_("Every month on its last day", "Every %(n)s months on the last day", rule.interval)
    return n_(
        "Every month on day %(day)s", "Every %(n)s months on day %(day)s", rule.interval, day=rule.monthday
    )
