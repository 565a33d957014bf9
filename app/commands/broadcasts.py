"""`tidings broadcasts`: write, schedule, stop and report broadcasts, as editors do at the desk."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.clock import utcnow
from app.commands.output import cell, json_option, operator, say, table
from app.commands.rehearse import rehearse
from app.commands.rules import repeat
from app.domain.channels import CHANNELS, channel_named
from app.domain.statuses import BroadcastState
from app.queue import begin, wake_broadcast
from app.runtime import runtime
from app.services import (
    correct_broadcasts,
    fan_out,
    hold_back,
    manage_segments,
    move_broadcasts,
    plan_broadcasts,
    read_segments,
    reports,
    stop_broadcasts,
    try_again,
    watch_broadcasts,
)
from app.services.broadcast_rows import targets_of
from app.services.broadcast_times import local_instant, zone_named
from app.services.controller import NotFound, Refused
from app.services.manage_lists import find_list
from app.services.plan_broadcasts import Review
from app.services.reports import Tally
from app.storage.database import db
from app.storage.models import Broadcast

STATES = [state.value for state in BroadcastState if state is not BroadcastState.REPLIES]

broadcasts = AppGroup("broadcasts", help="Write, schedule, stop and report broadcasts.")
broadcasts.add_command(repeat)
broadcasts.add_command(rehearse)

_broadcast = click.argument("broadcast_id", metavar="ID", type=int)


@broadcasts.command("create")
@click.option("--title", required=True, help="For your team; it is not sent.")
@click.option("--text", help="What people get; {{first_name|friend}} is filled in for each.")
@click.option("--text-file", type=click.Path(path_type=Path), help="Read the text from a file in UTF-8.")
@click.option(
    "--list", "list_names", multiple=True, required=True, help="Name or keyword; once for each list."
)
@click.option(
    "--text-for",
    "others",
    multiple=True,
    metavar="CHANNEL=TEXT",
    help="Other words for a channel, such as telegram=...; CHANNEL=@FILE reads them from a file.",
)
@click.option(
    "--segment", type=int, metavar="ID", help="Only those whom a saved segment of the list chooses."
)
@json_option
def create(
    title: str,
    text: str | None,
    text_file: Path | None,
    list_names: tuple[str, ...],
    others: tuple[str, ...],
    segment: int | None,
    as_json: bool,
) -> None:
    """Write a draft, and say whom it would reach.

    \b
    Example:
      tidings broadcasts create --title "Flood" --text "Riverside: the bridge is closed." --list NEWS
    """
    words = _text(text, text_file)
    list_ids = [find_list(db.session(), name).id for name in list_names]
    if segment is not None:
        manage_segments.segment(segment)
    db.session.rollback()
    broadcast_id = plan_broadcasts.create_draft(
        title=title, text=words, list_ids=list_ids, variants=_variants(others), by=operator(), now=utcnow()
    )
    if segment is not None:
        manage_segments.choose_saved(broadcast_id, segment, by=operator(), now=utcnow())
    review = _check(broadcast_id, None)
    lines = [
        f"Broadcast {broadcast_id} is a draft.",
        *_review_in_words(review),
        f"Next: tidings broadcasts schedule {broadcast_id}",
    ]
    say({"id": broadcast_id, "review": review}, as_json, lambda: "\n".join(lines))


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
@click.option("--dry-run", is_flag=True, help="Only say whom it would reach then, who would wait, and why.")
@json_option
def schedule(
    broadcast_id: int,
    wall: str | None,
    zone: str | None,
    local_time: bool,
    over_cap: str,
    first_percent: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send the draft ID now, or at a time.

    \b
    Example:
      tidings broadcasts schedule 7 --at "2026-12-01 07:30" --zone Europe/Berlin
      tidings broadcasts schedule 7 --at "2026-12-01 07:30" --local-time
    """
    zone = zone or (_zone_of(broadcast_id) if local_time else "UTC")
    local_at = _local_at(wall) if local_time else None
    if local_time:
        hold_back.group_some(
            runtime().controller.region
        )  # people just imported, before the clock comes to it
    at = local_instant(_wall(wall), zone) if wall and not local_time else None
    if dry_run:
        review = _check(broadcast_id, at, local_at, zone)
        say(
            {"id": broadcast_id, "review": review}, as_json, lambda: "\n".join(_review_in_words(review, zone))
        )
        return
    instant = plan_broadcasts.schedule(
        broadcast_id,
        at=at,
        local_at=local_at,
        zone=zone,
        by=operator(),
        now=utcnow(),
        over_cap_reason=over_cap,
        first_percent=first_percent,
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
@json_option
def move(broadcast_id: int, wall: str, over_cap: str, as_json: bool) -> None:
    """Move the broadcast ID, which waits, to another time; moving it back undoes it.

    The time is on the clock of its zone, or on each person's own where it was scheduled so.

    \b
    Example:
      tidings broadcasts move 7 --at "2026-12-02 07:30"
    """
    row, when = _get(broadcast_id), _wall(wall)
    local_at, zone = (when if row.local_at else None), row.zone
    db.session.rollback()
    instant = move_broadcasts.move_to(
        broadcast_id,
        at=None if local_at else local_instant(when, zone),
        local_at=local_at,
        by=operator(),
        now=utcnow(),
        over_cap_reason=over_cap,
    )
    shown = _shown(instant, zone, local_at)
    say({"id": broadcast_id, "at": instant}, as_json, lambda: f"Broadcast {broadcast_id} goes out: {shown}")


@broadcasts.command("correct")
@_broadcast
@click.option("--title", help='For your team; "Correction" and the title of the wrong one without it.')
@click.option("--text", help="What people get who got the wrong one.")
@click.option("--text-file", type=click.Path(path_type=Path), help="Read the text from a file in UTF-8.")
@json_option
def correct(
    broadcast_id: int, title: str | None, text: str | None, text_file: Path | None, as_json: bool
) -> None:
    """Write a draft that corrects the broadcast ID, for exactly those who got it or may have got it.

    Whoever has said STOP since gets nothing. The limit of a day does not hold it back, quiet hours do.

    \b
    Example:
      tidings broadcasts correct 7 --text "Correction: the bridge is closed until Monday."
    """
    words, head = _text(text, text_file), title or f"Correction: {_get(broadcast_id).title}"[:120]
    db.session.rollback()
    draft_id = correct_broadcasts.draft_correction(
        broadcast_id, title=head, text=words, by=operator(), now=utcnow()
    )
    review = _check(draft_id, None)
    lines = [
        f"Broadcast {draft_id} is a draft that corrects broadcast {broadcast_id}.",
        *_review_in_words(review),
        f"Next: tidings broadcasts schedule {draft_id}",
    ]
    say({"id": draft_id, "review": review}, as_json, lambda: "\n".join(lines))


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
    _say_status(broadcast_id, as_json)


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
    _say_status(broadcast_id, as_json)


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
    _say_status(broadcast_id, as_json)


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
    _say_status(broadcast_id, as_json)


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
    _say_status(broadcast_id, as_json)


@broadcasts.command("status")
@_broadcast
@json_option
def status(broadcast_id: int, as_json: bool) -> None:
    """Show how far the broadcast ID is.

    \b
    Example:
      tidings broadcasts status 7
    """
    _say_status(broadcast_id, as_json)


@broadcasts.command("report")
@_broadcast
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path), help="Write a row for each delivery to this file."
)
@json_option
def report(broadcast_id: int, csv_file: Path | None, as_json: bool) -> None:
    """Show what became of the broadcast ID, with reasons, and who left because of it.

    \b
    Example:
      tidings broadcasts report 7 --csv deliveries.csv
    """
    data = _status(broadcast_id) | {"optouts": reports.optouts_caused(broadcast_id)}
    if csv_file is not None:
        _write_csv(csv_file, broadcast_id)
    say(data, as_json, lambda: f"{_status_in_words(data)}\nLeft after it began: {data['optouts']}")


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
        select(Broadcast).where(Broadcast.state.in_(states)).order_by(Broadcast.id.desc()).limit(limit)
    ).all()
    data = [_head(row) for row in rows]
    cells = [(one["id"], one["state"], one["title"], one["due"], one["audience"]) for one in data]
    headings = ("id", "state", "title", "due", "audience")
    say(data, as_json, lambda: table(headings, cells, empty="There is no broadcast here."))


def _check(
    broadcast_id: int, at: datetime | None, local_at: datetime | None = None, zone: str = "UTC"
) -> Review:
    return plan_broadcasts.check(
        broadcast_id, now=utcnow(), at=at, local_at=local_at, zone=zone, brand=runtime().controller.brand
    )


def _review_in_words(review: Review, zone: str = "UTC") -> list[str]:
    clock = zone_named(zone)
    waits = [
        f"  of these later, {one.reason}: {one.people}, "
        f"from {one.first.astimezone(clock):%a %d %b %H:%M} to {one.last.astimezone(clock):%a %d %b %H:%M} ({zone})"
        for one in review.waiting
    ]
    shares = [
        f"  on {channel_named(one.channel).name}, from {one.sender}: {one.reachable}"
        f"{', in words of its own' if one.own_words else ''}"
        for one in review.shares
    ]
    turns = [
        f"  {one.people} at {one.at.astimezone(clock):%a %d %b %H:%M} ({zone}), "
        f"by the clock of {', '.join(one.zones[:3])}"
        f"{'' if one.known else ', for nobody knows theirs'}{'; past there, so at once' if one.past else ''}"
        for one in review.turns
    ]
    return [
        f"{review.reachable} of {review.audience} people can be reached.",
        *(f"  left out, {reason}: {count}" for reason, count in sorted(review.skipped.items())),
        *(
            [f"  of these on another channel that they agreed to: {review.elsewhere}"]
            if review.elsewhere
            else []
        ),
        *turns,
        *waits,
        *(shares if len(shares) > 1 else []),
        f"Each gets {_parts(review)} part(s) ({review.encoding}); it takes about {review.seconds:.0f} s.",
        *(f"Before it can go: {problem}" for problem in review.problems),
        *([f"Before it can go: {review.promise} See --over-cap."] if review.promise else []),
        *(f"Note: {warning}" for warning in review.warnings),
        *(
            f"Note: the same text went to {', '.join(one.lists)} at "
            f"{one.started_at.astimezone(clock):%a %d %b %H:%M} ({zone}): broadcast {one.broadcast_id}."
            for one in review.sent_before
        ),
    ]


def _parts(review: plan_broadcasts.Review) -> str:
    return f"{review.parts}{f' to {review.most_parts}' if review.most_parts > review.parts else ''}"


def _head(row: Broadcast) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "state": row.state,
        "reason": row.state_reason,
        "due": row.next_at,
        "started": row.started_at,
        "finished": row.finished_at,
        "audience": row.audience,
        "corrects": row.corrects_id,
    }


def _status(broadcast_id: int) -> dict[str, Any]:
    row = _get(broadcast_id)
    segment = read_segments.said_of(row, "en") or None
    return _head(row) | {"segment": segment, "tally": reports.tally(broadcast_id)}


def _get(broadcast_id: int) -> Broadcast:
    row = db.session.get(Broadcast, broadcast_id, populate_existing=True)
    if row is None or row.state == BroadcastState.REPLIES.value:
        raise NotFound(f"There is no broadcast {broadcast_id}. See: tidings broadcasts list")
    return row


def _say_status(broadcast_id: int, as_json: bool) -> None:
    data = _status(broadcast_id)
    say(data, as_json, lambda: _status_in_words(data))


def _status_in_words(data: dict[str, Any]) -> str:
    tally: Tally = data["tally"]
    why = f" ({data['reason']})" if data["reason"] else ""
    lines = [f"Broadcast {data['id']} “{data['title']}” is {data['state']}{why}, due {cell(data['due'])}."]
    lines += [f"  {data['segment']}"] if data["segment"] else []
    names = ("pending", "handing_over", "sent", "delivered", "failed", "unknown", "skipped")
    lines += [f"  {getattr(tally, name):>9}  {name.replace('_', ' ')}" for name in names]
    lines.append(f"  {tally.audience:>9}  audience, {tally.percent} % settled")
    lines += [f"    reason {reason}: {count}" for reason, count in sorted(tally.reasons.items())]
    lines += [f"    provider's code {code}: {count}" for code, count in sorted(tally.errors.items())]
    return "\n".join(lines)


def _text(text: str | None, path: Path | None) -> str:
    if (text is None) == (path is None):
        raise click.UsageError("Give either --text or --text-file.")
    if path is None:
        return text or ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read as UTF-8: {error}.") from error


def _variants(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        channel, equals, words = pair.partition("=")
        if not equals or channel not in CHANNELS:
            raise click.UsageError(f"--text-for {pair} is not CHANNEL=TEXT; channels: {', '.join(CHANNELS)}")
        found[channel] = _text(None, Path(words[1:])) if words.startswith("@") else words
    return found


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
