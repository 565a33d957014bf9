"""Put a draft on the schedule, and take it off again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Required, TypedDict, Unpack

from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState
from app.services import own_clocks, quotas
from app.services.ask_gate import ask_gate
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, move, targets_of
from app.services.broadcast_times import checked_freshness, nearest_allowed, within_promise, zone_named
from app.services.controller import Refused
from app.services.foresee import broken_promise, read_text
from app.services.obstacles import obstacles
from app.services.shares import EXAMPLE_URL, Share, shares_of
from app.services.short_links import make_links
from app.storage.database import transaction
from app.storage.models import Broadcast, BroadcastList

# Why a correction may go over the promise and the limit of a day.
CORRECTION = "correction"
# A first wave, in per cent: more than half would be no trial.
MOST_FIRST = 50


class Wish(TypedDict, total=False):
    """What whoever schedules chooses, as `schedule` explains; who they are, and when it is."""

    at: Required[datetime | None]
    zone: Required[str]
    by: Required[str]
    now: Required[datetime]
    over_cap_reason: str
    first_percent: int | None
    local_at: datetime | None
    public_url: str
    fresh_minutes: int | None


def schedule(broadcast_id: int, **wish: Unpack[Wish]) -> datetime:
    """Put a draft on the schedule for the UTC instant `at`, or for now; returns that instant.

    Raises `Refused` when something stands against it: the past, hours or a number of messages that the lists did
    not promise, no text, a text that carriers refuse. With `over_cap_reason` it may be one more than promised, and
    goes to people who have had their messages of the day; the reason is kept and stands in the audit log. With
    `first_percent` so many per cent of the people go first, and the rest when these told nothing bad. With the naive
    `local_at` (and no `at`) it goes at that time on each person's own clock, by that of `zone` where nobody knows
    theirs; with `fresh_minutes` it is worth sending for so long after its time, or else as long as the draft says. What
    is returned on people's own clocks is the first instant at which somebody may get it. Links to files
    are counted as below `public_url`.
    """
    with transaction() as session:
        return schedule_in(session, broadcast_id, **wish)


def schedule_in(
    session: Session,
    broadcast_id: int,
    *,
    at: datetime | None,
    zone: str,
    by: str,
    now: datetime,
    over_cap_reason: str = "",
    first_percent: int | None = None,
    local_at: datetime | None = None,
    public_url: str = EXAMPLE_URL,
    fresh_minutes: int | None = None,
) -> datetime:
    """Do what `schedule` does within the caller's transaction."""
    zone_named(zone)
    broadcast = broadcast_for_change(session, broadcast_id)
    move(broadcast, BroadcastState.SCHEDULED, by, now)
    lists = targets_of(session, broadcast_id)
    list_ids = [one.id for one in lists]
    answers = ask_gate(session, broadcast, list_ids, now)
    shares = shares_of(session, broadcast, lists, now, public_url, answers)
    used = quotas.used_of(session, broadcast, lists, shares, max(at or now, now))
    findings = read_text(session, broadcast, lists, "", now, answers)
    if problems := obstacles(session, broadcast, lists, shares, answers.reachable, used, findings):
        raise Refused(" ".join(problems))
    if fresh_minutes is not None:
        broadcast.fresh_minutes = checked_freshness(fresh_minutes)
    if first_percent is not None:
        _check_first_wave(session, shares, first_percent, local_at)
    instant, last = _moments(session, broadcast, lists, at, local_at, zone, now)
    broadcast.over_cap_reason = over_cap_reason.strip()[:300] or (
        CORRECTION if broadcast.corrects_id else None
    )
    if broadcast.over_cap_reason is None and (broken := broken_promise(session, broadcast, lists, instant)):
        raise Refused(broken)
    broadcast.next_at, broadcast.zone, broadcast.sender_id = instant, zone, shares[0].sender_id
    broadcast.first_percent, broadcast.local_at = first_percent, local_at
    broadcast.sms_parts, broadcast.sms_parts_elsewhere = _measured(shares)
    make_links(session, broadcast, list_ids)
    ends = [one.ends_at for one in lists if one.ends_at is not None]
    broadcast.expires_at = min([last + timedelta(minutes=broadcast.fresh_minutes), *ends])
    details = {"at": instant.isoformat(), "zone": zone}
    if local_at is not None:
        details["local_at"] = local_at.isoformat()
    if broadcast.over_cap_reason:
        details["over_cap"] = broadcast.over_cap_reason
    note(session, by, "broadcast.schedule", f"broadcast {broadcast_id}", now, **details)
    return instant


def back_to_draft(broadcast_id: int, *, by: str, now: datetime) -> None:
    """Take a scheduled broadcast off the schedule."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        move(broadcast, BroadcastState.DRAFT, by, now)
        broadcast.next_at = broadcast.expires_at = broadcast.local_at = None
        broadcast.styled = True  # as its preview shows it from now on
        note(session, by, "broadcast.unschedule", f"broadcast {broadcast_id}", now)


def _check_first_wave(
    session: Session, shares: Sequence[Share], first_percent: int, local_at: datetime | None
) -> None:
    if not 1 <= first_percent <= MOST_FIRST:
        raise Refused(f"The first wave is 1 to {MOST_FIRST} per cent of the people, not {first_percent}.")
    if quotas.slice_sizes(session, [one.sender_id for one in shares]):
        raise Refused(
            "A first wave would use up the quota of a platform that counts each sending; send to all at once."
        )
    if local_at is not None:
        raise Refused("A first wave has no hour of its own: send to all on their own clocks, or at one time.")


def _measured(shares: Sequence[Share]) -> tuple[int | None, int | None]:
    """Return the parts of an SMS, and those of people to whom a file does not get; None where there are none.

    Where languages have words of their own it is the average of those who are reachable now.
    """
    by_sms = next((one for one in shares if one.channel == "sms"), None)
    return (by_sms.mean_parts, by_sms.mean_parts_elsewhere or None) if by_sms else (None, None)


def _moments(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    at: datetime | None,
    local_at: datetime | None,
    zone: str,
    now: datetime,
) -> tuple[datetime, datetime]:
    """Return when it goes to the first and when to the last; raises `Refused`."""
    if local_at is None:
        instant = _checked_instant(lists, at, zone, now)
        return instant, instant
    plan = own_clocks.plan(session, broadcast, lists, local_at, zone, now)
    own_clocks.refuse(plan, lists, now)
    return plan.first, plan.last


def _checked_instant(
    lists: Sequence[BroadcastList], at: datetime | None, zone: str, now: datetime
) -> datetime:
    instant = now if at is None else at
    if instant < now - timedelta(minutes=1):
        raise Refused("This time is in the past. Choose a later one, or send now.")
    if within_promise(lists, instant):
        return max(instant, now)
    names = ", ".join(f"{one.name}: {one.from_hour} to {one.until_hour} h ({one.zone})" for one in lists)
    nearest = nearest_allowed(lists, instant)
    advice = (
        f"The next allowed time is {nearest.astimezone(zone_named(zone)):%a %d %b %H:%M} ({zone})."
        if nearest
        else "The hours of these lists never overlap: write one broadcast for each."
    )
    raise Refused(f"That is outside the hours promised to subscribers ({names}). {advice}")
