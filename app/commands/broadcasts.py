"""`tidings broadcasts`: write, schedule, stop and report broadcasts, as editors do at the desk."""

from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.clock import utcnow
from app.commands.big_sends import confirm_number, number_options
from app.commands.broadcast_drafts import correct, create, show
from app.commands.broadcast_words import (
    broadcast_of,
    check,
    head_of,
    review_in_words,
    say_status,
    status_in_words,
    status_of,
)
from app.commands.output import json_option, operator, say, table
from app.commands.prove_broadcast import prove
from app.commands.rehearse import rehearse
from app.commands.rules import repeat
from app.commands.send_tests import send_test
from app.commands.templates import list_templates
from app.domain.statuses import NOT_EDITORS, BroadcastState
from app.queue import begin, wake_broadcast
from app.runtime import runtime
from app.services import (
    approval,
    fan_out,
    hold_back,
    move_broadcasts,
    reports,
    schedule_broadcasts,
    stop_broadcasts,
    try_again,
    watch_broadcasts,
)
from app.services.broadcast_rows import targets_of
from app.services.broadcast_times import MOST_FRESH_MINUTES, local_instant, zone_named
from app.services.controller import Refused
from app.services.figures.roll_up import counted_until
from app.storage.database import db
from app.storage.models import Broadcast

STATES = [state.value for state in BroadcastState if state not in NOT_EDITORS]

broadcasts = AppGroup("broadcasts", help="Write, schedule, stop and report broadcasts.")
broadcasts.add_command(create)
broadcasts.add_command(correct)
broadcasts.add_command(show)
broadcasts.add_command(repeat)
broadcasts.add_command(rehearse)
broadcasts.add_command(prove)
broadcasts.add_command(send_test)
broadcasts.add_command(list_templates)

_broadcast = click.argument("broadcast_id", metavar="ID", type=int)


@broadcasts.command("schedule")
@_broadcast
@click.option("--at", "wall", help='Local time in --zone, such as "2026-12-01 07:30"; now without it.')
@click.option(
    "--zone",
    help="Time zone of --at, such as Europe/Berlin; UTC without it, with --local-time that of the first list.",
)
@click.option(
    "--local-time",
    is_flag=True,
    help="Send at --at on each person's own clock; --zone is for those whose zone nobody knows.",
)
@click.option(
    "--over-cap",
    default="",
    metavar="REASON",
    help="Go over the promise and the limit of a day; the reason is kept.",
)
@click.option(
    "--first",
    "first_percent",
    type=click.IntRange(1, 50),
    metavar="PERCENT",
    help="Send to so many per cent first; the rest follows ten minutes later, if nothing bad came of them.",
)
@click.option(
    "--fresh-for",
    "fresh_minutes",
    type=click.IntRange(1, MOST_FRESH_MINUTES),
    metavar="MINUTES",
    help="Do not send it later than so many minutes after its time; 120 without it.",
)
@click.option("--dry-run", is_flag=True, help="Only say whom it would reach then, who would wait, and why.")
@number_options
@json_option
def schedule(
    broadcast_id: int,
    wall: str | None,
    zone: str | None,
    local_time: bool,
    over_cap: str,
    first_percent: int | None,
    fresh_minutes: int | None,
    dry_run: bool,
    people: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Send the draft ID now, or at a time.

    \b
    Example:
      tidings broadcasts schedule 7 --at "2026-12-01 07:30" --zone Europe/Berlin
      tidings broadcasts schedule 7 --at "2026-12-01 07:30" --local-time
      tidings broadcasts schedule 7 --people 25000
    """
    zone = zone or (_zone_of(broadcast_id) if local_time else "UTC")
    local_at = _local_at(wall) if local_time else None
    if local_time:
        hold_back.group_some(
            runtime().controller.region
        )  # people just imported, before the clock comes to it
    at = local_instant(_wall(wall), zone) if wall and not local_time else None
    if dry_run:
        review = check(broadcast_id, at, local_at, zone, fresh_minutes)
        say({"id": broadcast_id, "review": review}, as_json, lambda: "\n".join(review_in_words(review, zone)))
        return
    confirm_number(broadcast_id, people=people, yes=yes, at=at, local_at=local_at, zone=zone)
    instant = schedule_broadcasts.schedule(
        broadcast_id,
        at=at,
        local_at=local_at,
        zone=zone,
        by=operator(),
        now=utcnow(),
        over_cap_reason=over_cap,
        first_percent=first_percent,
        fresh_minutes=fresh_minutes,
        public_url=runtime().settings.public_url,
    )
    if wall is None:
        begin(broadcast_id, utcnow())
    shown = _shown(instant, zone, local_at)
    data = {"id": broadcast_id, "at": instant, **({"local_at": local_at} if local_at else {})}
    say(data, as_json, lambda: f"Broadcast {broadcast_id} goes out: {shown}")


@broadcasts.command("move")
@_broadcast
@click.option(
    "--at", "wall", required=True, help='The new time on the clock that it has: "2026-12-01 07:30".'
)
@click.option(
    "--over-cap", default="", metavar="REASON", help="Go over the promise of a day; the reason is kept."
)
@number_options
@json_option
def move(broadcast_id: int, wall: str, over_cap: str, people: int | None, yes: bool, as_json: bool) -> None:
    """Move the broadcast ID, which waits, to another time; moving it back undoes it.

    The time is on the clock of its zone, or on each person's own where it was scheduled so.

    \b
    Example:
      tidings broadcasts move 7 --at "2026-12-02 07:30"
    """
    row, when = broadcast_of(broadcast_id), _wall(wall)
    local_at, zone = (when if row.local_at else None), row.zone
    db.session.rollback()
    at = None if local_at else local_instant(when, zone)
    confirm_number(broadcast_id, people=people, yes=yes, at=at, local_at=local_at, zone=zone)
    instant = move_broadcasts.move_to(
        broadcast_id,
        at=at,
        local_at=local_at,
        by=operator(),
        now=utcnow(),
        over_cap_reason=over_cap,
    )
    shown = _shown(instant, zone, local_at)
    say({"id": broadcast_id, "at": instant}, as_json, lambda: f"Broadcast {broadcast_id} goes out: {shown}")


@broadcasts.command("pause")
@_broadcast
@click.option("--reason", default="", help="Why; shown to everybody who wonders.")
@json_option
def pause(broadcast_id: int, reason: str, as_json: bool) -> None:
    """Hold the broadcast ID while it is being sent.

    \b
    Example:
      tidings broadcasts pause 7 --reason "wrong link"
    """
    stop_broadcasts.pause(broadcast_id, by=operator(), reason=reason, now=utcnow())
    say_status(broadcast_id, as_json)


@broadcasts.command("resume")
@_broadcast
@json_option
def resume(broadcast_id: int, as_json: bool) -> None:
    """Go on with the paused broadcast ID.

    \b
    Example:
      tidings broadcasts resume 7
    """
    stop_broadcasts.resume(broadcast_id, by=operator(), now=utcnow())
    wake_broadcast(broadcast_id)
    say_status(broadcast_id, as_json)


@broadcasts.command("approve")
@_broadcast
@json_option
def approve(broadcast_id: int, as_json: bool) -> None:
    """Say yes, as a second person, to the draft ID as it is now; whoever wrote it cannot.

    \b
    Example:
      tidings broadcasts approve 7
    """
    draft = broadcast_of(broadcast_id)
    revision, mark = draft.revision, approval.mark_of(db.session(), draft)
    db.session.rollback()
    approval.approve(broadcast_id, mark=mark, by=operator(), now=utcnow())
    say({"id": broadcast_id, "revision": revision}, as_json, lambda: f"Broadcast {broadcast_id} is approved.")


@broadcasts.command("release")
@_broadcast
@json_option
def release(broadcast_id: int, as_json: bool) -> None:
    """Let the rest of the broadcast ID follow its first wave at once.

    \b
    Example:
      tidings broadcasts release 7
    """
    watch_broadcasts.release(broadcast_id, by=operator(), now=utcnow())
    wake_broadcast(broadcast_id)
    say_status(broadcast_id, as_json)


@broadcasts.command("retry")
@_broadcast
@json_option
def retry(broadcast_id: int, as_json: bool) -> None:
    """Send the broadcast ID again to those alone with whom it failed and who may have it another time.

    Dead numbers, refused texts and people who opted out stay as they are; whoever said STOP since is skipped.

    \b
    Example:
      tidings broadcasts retry 7
    """
    try_again.try_again(broadcast_id, by=operator(), controller=runtime().controller, now=utcnow())
    fan_out.bring_back(utcnow())
    wake_broadcast(broadcast_id)
    say_status(broadcast_id, as_json)


@broadcasts.command("cancel")
@_broadcast
@json_option
def cancel(broadcast_id: int, as_json: bool) -> None:
    """End the broadcast ID for good; whoever has not had it will not get it.

    \b
    Example:
      tidings broadcasts cancel 7
    """
    stop_broadcasts.cancel(broadcast_id, by=operator(), now=utcnow())
    say_status(broadcast_id, as_json)


@broadcasts.command("status")
@_broadcast
@json_option
def status(broadcast_id: int, as_json: bool) -> None:
    """Show how far the broadcast ID is.

    \b
    Example:
      tidings broadcasts status 7
    """
    say_status(broadcast_id, as_json)


@broadcasts.command("report")
@_broadcast
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path), help="Write a row for each delivery to this file."
)
@json_option
def report(broadcast_id: int, csv_file: Path | None, as_json: bool) -> None:
    """Show what became of the broadcast ID, with reasons, and how many left afterwards.

    These left within three days, this being the last broadcast that they had, as on the report at the desk.

    \b
    Example:
      tidings broadcasts report 7 --csv deliveries.csv
    """
    until = counted_until(runtime().controller)
    data = status_of(broadcast_id) | {
        "optouts": reports.optouts_caused(broadcast_id),
        "optouts_until": until.isoformat() if until else None,
    }
    if csv_file is not None:
        _write_csv(csv_file, broadcast_id)
    counted = f" (counted until {until:%Y-%m-%d %H:%M} UTC)" if until else ""
    say(data, as_json, lambda: f"{status_in_words(data)}\nLeft afterwards: {data['optouts']}{counted}")


@broadcasts.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The newest so many."
)
@json_option
def list_broadcasts(state: str | None, limit: int, as_json: bool) -> None:
    """List broadcasts, the newest first.

    \b
    Example:
      tidings broadcasts list --state sending
    """
    states = [state] if state else STATES
    rows = db.session.scalars(
        select(Broadcast)
        .where(Broadcast.state.in_(states), Broadcast.tests_id.is_(None))
        .order_by(Broadcast.id.desc())
        .limit(limit)
    ).all()
    data = [head_of(row) for row in rows]
    cells = [(one["id"], one["state"], one["title"], one["due"], one["audience"]) for one in data]
    headings = ("id", "state", "title", "due", "audience")
    say(data, as_json, lambda: table(headings, cells, empty="There is no broadcast here."))


def _shown(instant: datetime, zone: str, local_at: datetime | None) -> str:
    shown = f"{instant.astimezone(zone_named(zone)):%a %d %b %Y %H:%M %Z}"
    if local_at is None:
        return shown
    return f"{local_at:%a %d %b %Y %H:%M} on each person's own clock, to the first {shown}"


def _local_at(wall: str | None) -> datetime:
    if wall is None:
        raise click.UsageError('--local-time needs the time on the clock: --at "2026-12-01 07:30"')
    return _wall(wall)


def _zone_of(broadcast_id: int) -> str:
    """The clock of a broadcast's first list."""
    lists = targets_of(db.session(), broadcast_id)
    db.session.rollback()
    return lists[0].zone if lists else "UTC"


def _wall(written: str) -> datetime:
    try:
        wall = datetime.fromisoformat(written)
    except ValueError as error:
        raise click.UsageError(f'--at {written} is no time; write "2026-12-01 07:30"') from error
    if wall.tzinfo is not None:
        raise click.UsageError("--at is a time on the clock in --zone; leave the offset away.")
    return wall


def _write_csv(path: Path, broadcast_id: int) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(reports.deliveries_csv(broadcast_id))
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
