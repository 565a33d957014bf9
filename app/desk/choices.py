"""The moment that an editor chose in the form of When, and what stands against it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.desk.forms import Errors, load
from app.desk.languages import gettext as _
from app.desk.languages import moment, zones
from app.desk.own_clocks import TurnLine, own_hour, turn_lines
from app.desk.reading import targets
from app.desk.refusals import translated
from app.schemas import WhenSchema, wall_time
from app.services import broadcast_times, own_clocks
from app.services.controller import Refused
from app.services.own_clocks import Plan
from app.storage.models import Broadcast

_OF_A_MOMENT: Final = ("choice", "day", "hour", "zone", "fresh")
_OF_A_RULE: Final = ("every", "interval", "weekdays", "until", "times", "own_clocks")


@dataclass(frozen=True)
class Choice:
    """The moment that an editor chose: `at` is None for now; `note` tells of a change of the clocks.

    `problem` says why it cannot be then, and `nearest` is the first moment after it that can. With `plan` it goes at
    an hour on each person's own clock, and `at` is when the first of them get it.
    """

    at: datetime | None
    zone: str
    note: str | None = None
    problem: str | None = None
    nearest: datetime | None = None
    plan: Plan | None = None

    @property
    def words(self) -> str:
        """The moment on the clocks of its zone, or the hour on everybody's own."""
        return _("now") if self.at is None else self._said(self.at, "long")

    @property
    def short(self) -> str:
        """`words`, short enough for a button."""
        return "" if self.at is None else self._said(self.at, "short")

    @property
    def local_at(self) -> datetime | None:
        """The hour on each person's own clock."""
        return self.plan.own.wall if self.plan else None

    @property
    def turns(self) -> list[TurnLine]:
        """Who gets it when, in words."""
        return turn_lines(self.plan.turns, self.plan.own.wall, self.zone) if self.plan else []

    def _said(self, at: datetime, style: str) -> str:
        return own_hour(self.plan.own.wall, style) if self.plan else moment(at, self.zone, style)

    @property
    def nearest_wall(self) -> datetime | None:
        """`nearest` as a clock of the zone shows it, for the fields of the form."""
        return self.nearest.astimezone(ZoneInfo(self.zone)) if self.nearest else None

    def day(self, now: datetime) -> date:
        """The day in the calendar of its zone, or in everybody's own."""
        return (
            self.plan.own.wall.date()
            if self.plan
            else (self.at or now).astimezone(ZoneInfo(self.zone)).date()
        )


def moment_fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says of the moment or the rule, without what it left empty: enough to ask for the page again."""
    return {name: raw[name] for name in (*_OF_A_MOMENT, *_OF_A_RULE) if raw.get(name)}


def chosen(broadcast: Broadcast, raw: dict[str, Any], now: datetime) -> tuple[Choice | None, Errors]:
    """Read the form: the moment, or a sentence for each field that is wrong."""
    values, errors = load(WhenSchema(), raw)
    if not errors and values["zone"] not in zones():
        errors = {"zone": _("Choose a time zone.")}
    if errors:
        return None, errors
    zone = values["zone"]
    if values["choice"] == "now":
        return right_now(broadcast, zone, now), {}
    wall = wall_time(values["day"], values["hour"])
    if values["choice"] == "local":
        return _on_own_clocks(broadcast, wall, zone, now), {}
    try:
        at = broadcast_times.local_instant(wall, zone)
    except Refused as error:
        return None, {"hour": translated(error)}
    twice = _("The clocks go back that night and show this time twice. It goes at the first.")
    note = twice if broadcast_times.is_twice(wall, zone) else None
    return _weighed(broadcast, Choice(at, zone, note), now), {}


def right_now(broadcast: Broadcast, zone: str, now: datetime) -> Choice:
    """This moment, and what stands against it."""
    return _weighed(broadcast, Choice(None, zone), now)


def _on_own_clocks(broadcast: Broadcast, wall: datetime, zone: str, now: datetime) -> Choice:
    plan = own_clocks.preview(broadcast.id, wall, zone, now)
    choice = Choice(plan.first, zone, plan=plan)
    try:
        own_clocks.refuse(plan, targets(broadcast.id), now)
    except Refused as error:
        return replace(choice, problem=translated(error))
    return choice


def _weighed(broadcast: Broadcast, choice: Choice, now: datetime) -> Choice:
    """Say what stands against the moment: that it is over, or the hours that people were promised."""
    if choice.at is not None and choice.at < now:
        return replace(choice, problem=_("This moment is over. Choose a later one."))
    lists = targets(broadcast.id)
    at = choice.at or now
    if not lists or broadcast_times.within_promise(lists, at):
        return choice
    promises = ", ".join(f"{one.name} {one.from_hour}–{one.until_hour} h ({one.zone})" for one in lists)
    problem = _("This is outside the hours that people were promised: %(promises)s.", promises=promises)
    return replace(choice, problem=problem, nearest=broadcast_times.nearest_allowed(lists, at))
