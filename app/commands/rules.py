"""`tidings rules` and `tidings broadcasts repeat`: broadcasts that go out again and again, as at the desk."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext

from app.clock import utcnow
from app.commands.big_sends import confirm_number, number_options
from app.commands.output import json_option, operator, say, table
from app.domain.recurrence import BadRule, Every, make_rule, occurrence
from app.runtime import runtime
from app.services import read_rules, repeat_broadcasts
from app.services.broadcast_times import local_instant, zone_named
from app.services.controller import Refused
from app.services.read_rules import Coming, RuleView

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY = {"day": Every.DAY, "week": Every.WEEK, "month": Every.MONTH}

rules = AppGroup("rules", help="Broadcasts that repeat: show, pause, end, leave one out.")

_rule = click.argument("rule_id", metavar="RULE", type=int)
_at = click.option(
    "--at", "wall", required=True, help='Its time in the zone of the rule, such as "2026-12-24 07:30".'
)


@click.command("repeat")
@click.argument("broadcast_id", metavar="ID", type=int)
@click.option("--from", "wall", required=True, help='The first time, in --zone, such as "2026-12-01 07:30".')
@click.option(
    "--zone", default="UTC", show_default=True, help="Time zone of all its times, such as Europe/Berlin."
)
@click.option("--every", type=click.Choice(list(EVERY)), default="day", show_default=True)
@click.option("--interval", default=1, show_default=True, help="Every so many days, weeks or months.")
@click.option(
    "--on", "weekdays", multiple=True, type=click.Choice(WEEKDAYS), help="Weeks: once for each weekday."
)
@click.option("--last-of-month", is_flag=True, help="Months: on the last day instead of the date of --from.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day.")
@click.option("--times", type=int, help="End after so many times.")
@click.option(
    "--local-time",
    is_flag=True,
    help="Each time on each person's own clock; --zone is for those whose zone nobody knows.",
)
@click.option("--dry-run", is_flag=True, help="Only show the next dates, and what stands against them.")
@number_options
@json_option
@with_appcontext
def repeat(
    broadcast_id: int,
    wall: str,
    zone: str,
    every: str,
    interval: int,
    weekdays: tuple[str, ...],
    last_of_month: bool,
    until: datetime | None,
    times: int | None,
    local_time: bool,
    dry_run: bool,
    people: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Let the broadcast ID go out again and again, each time with the text that it has then.

    \b
    Example:
      tidings broadcasts repeat 7 --from "2026-12-01 07:30" --zone Europe/Berlin --every week --on mon --on thu
    """
    zone_named(zone)
    try:
        rule = make_rule(
            _wall(wall, "--from"),
            zone,
            EVERY[every],
            interval=interval,
            weekdays=tuple(WEEKDAYS.index(day) for day in weekdays),
            last_of_month=last_of_month,
            until=until.date() if until else None,
            times=times,
            own_clocks=local_time,
        )
    except BadRule as error:
        raise Refused(str(error)) from error
    if dry_run:
        dates = read_rules.preview(broadcast_id, rule, now=utcnow(), country=_country())
        data = {
            "rrule": rule.rrule,
            "zone": zone,
            "own_clocks": local_time,
            "next": [_date(one) for one in dates],
        }
        say(data, as_json, lambda: "\n".join(_dates_in_words(dates, zone)))
        return
    local_at = rule.begins if local_time else None
    at = None if local_time else occurrence(rule.begins, zone).at
    confirm_number(broadcast_id, people=people, yes=yes, at=at, local_at=local_at, zone=zone)
    _show(repeat_broadcasts.repeat(broadcast_id, rule, by=operator(), now=utcnow()), as_json)


@rules.command("list")
@json_option
def list_rules(as_json: bool) -> None:
    """List the rules, the newest first, those that are over last.

    \b
    Example:
      tidings rules list
    """
    data = [_head(view) for view in read_rules.all_rules(now=utcnow(), country=_country())]
    cells = [
        (one["id"], one["state"], one["title"], one["rrule"], one["next_at"], one["problem"]) for one in data
    ]
    headings = ("id", "state", "title", "rule", "next", "problem")
    say(data, as_json, lambda: table(headings, cells, empty="Nothing repeats."))


@rules.command("show")
@_rule
@json_option
def show(rule_id: int, as_json: bool) -> None:
    """Show the next dates of a rule, and what became of the last ones.

    \b
    Example:
      tidings rules show 3
    """
    _show(rule_id, as_json)


@rules.command("pause")
@_rule
@json_option
def pause(rule_id: int, as_json: bool) -> None:
    """Make nothing more of a rule until it is resumed; what waits for its time is stopped.

    \b
    Example:
      tidings rules pause 3
    """
    repeat_broadcasts.pause(rule_id, by=operator(), now=utcnow())
    _show(rule_id, as_json)


@rules.command("resume")
@_rule
@json_option
def resume(rule_id: int, as_json: bool) -> None:
    """Go on with a paused rule; what lay in the pause is not made up for.

    \b
    Example:
      tidings rules resume 3
    """
    repeat_broadcasts.resume(rule_id, by=operator(), now=utcnow())
    _show(rule_id, as_json)


@rules.command("end")
@_rule
@json_option
def end(rule_id: int, as_json: bool) -> None:
    """End a rule for good; what waits for its time is stopped.

    \b
    Example:
      tidings rules end 3
    """
    repeat_broadcasts.end(rule_id, by=operator(), now=utcnow())
    _show(rule_id, as_json)


@rules.command("skip")
@_rule
@_at
@json_option
def skip(rule_id: int, wall: str, as_json: bool) -> None:
    """Leave out one occurrence of a rule.

    \b
    Example:
      tidings rules skip 3 --at "2026-12-24 07:30"
    """
    repeat_broadcasts.skip(rule_id, _instant(rule_id, wall), by=operator(), now=utcnow())
    _show(rule_id, as_json)


@rules.command("reopen")
@_rule
@_at
@json_option
def reopen(rule_id: int, wall: str, as_json: bool) -> None:
    """Let an occurrence that was left out or refused go after all, if its time is still to come.

    \b
    Example:
      tidings rules reopen 3 --at "2026-12-24 07:30"
    """
    repeat_broadcasts.reopen(rule_id, _instant(rule_id, wall), by=operator(), now=utcnow())
    _show(rule_id, as_json)


def _view(rule_id: int) -> RuleView:
    return read_rules.rule_view(rule_id, now=utcnow(), country=_country())


def _show(rule_id: int, as_json: bool) -> None:
    view = _view(rule_id)
    data = _head(view) | {
        "next": [_date(one) for one in view.coming],
        "past": [
            {"at": run.occurs_at, "state": run.state, "broadcast": run.broadcast_id, "problem": run.problem}
            for run in view.past
        ],
    }
    own = ", on each person's own clock" if view.rule.own_clocks else ""
    lines = [
        f"Rule {rule_id} “{view.template.title}” is {data['state']}: {view.rule.rrule}{own}",
        *_dates_in_words(view.coming, view.rule.zone),
        *(
            f"  was {run.occurs_at:%Y-%m-%d %H:%M} UTC: {run.state} {run.problem or ''}".rstrip()
            for run in view.past
        ),
    ]
    say(data, as_json, lambda: "\n".join(lines))


def _head(view: RuleView) -> dict[str, Any]:
    over = view.over and view.row.state == "active"
    return {
        "id": view.row.id,
        "state": "over" if over else view.row.state,
        "title": view.template.title,
        "broadcast": view.template.id,
        "dtstart": view.rule.dtstart,
        "zone": view.rule.zone,
        "rrule": view.rule.rrule,
        "own_clocks": view.rule.own_clocks,
        "next_at": view.row.next_at,
        "problem": view.problem,
    }


def _date(one: Coming) -> dict[str, Any]:
    return {
        "at": one.at,
        "wall": one.wall.isoformat(),
        "clocks": one.shift,
        "holiday": bool(one.holiday),
        "outside": list(one.outside),
        "state": one.run.state if one.run else None,
    }


def _dates_in_words(dates: Sequence[Coming], zone: str) -> list[str]:
    clock = zone_named(zone)
    return [f"  next {one.at.astimezone(clock):%a %d %b %Y %H:%M %Z}{_notes(one)}" for one in dates]


def _notes(one: Coming) -> str:
    notes = [
        *([f"{one.run.state} {one.run.problem or ''}".rstrip()] if one.run else []),
        *(
            [f"the clock {'skips this time' if one.shift == 'skipped' else 'shows it twice'}"]
            if one.shift
            else []
        ),
        *(["public holiday"] if one.holiday else []),
        *(f"outside the hours of {name}" for name in one.outside),
    ]
    return f" ({'; '.join(notes)})" if notes else ""


def _instant(rule_id: int, written: str) -> datetime:
    """Find the occurrence whose clock shows this, also where the clock skips it."""
    view, wall = _view(rule_id), _wall(written, "--at")
    found = next((one.at for one in view.coming if one.wall == wall), None)
    return found or local_instant(wall, view.rule.zone)


def _wall(written: str, option: str) -> datetime:
    try:
        wall = datetime.fromisoformat(written)
    except ValueError as error:
        raise click.UsageError(f'{option} {written} is no time; write "2026-12-01 07:30"') from error
    if wall.tzinfo is not None:
        raise click.UsageError(f"{option} is a time on the clock in the zone; leave the offset away.")
    return wall.replace(second=0, microsecond=0)


def _country() -> str:
    return runtime().controller.region
