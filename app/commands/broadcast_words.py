"""What commands say of a broadcast: whom it would reach, how far it is, and what it reads."""

from datetime import datetime
from typing import Any

from app.clock import utcnow
from app.commands.output import cell, say
from app.domain.channels import channel_named
from app.domain.statuses import NOT_EDITORS
from app.gateways.registry import gateway_class
from app.runtime import runtime
from app.services import read_segments, reports, review_broadcasts
from app.services.broadcast_times import zone_named
from app.services.controller import NotFound
from app.services.reports import Tally
from app.services.review_broadcasts import Review
from app.services.shares import Share
from app.storage.database import db
from app.storage.models import Broadcast


def check(
    broadcast_id: int,
    at: datetime | None,
    local_at: datetime | None = None,
    zone: str = "UTC",
    fresh_minutes: int | None = None,
) -> Review:
    """Return whom a broadcast would reach at a time, without sending anything."""
    return review_broadcasts.check(
        broadcast_id,
        now=utcnow(),
        at=at,
        local_at=local_at,
        zone=zone,
        brand=runtime().controller.brand,
        fresh_minutes=fresh_minutes,
    )


def review_in_words(review: Review, zone: str = "UTC") -> list[str]:
    """Return the lines of a dry run, with moments on the clock of `zone`."""
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
    languages = [
        f"  of these in words of their own ({spoken.language}) on {channel_named(one.channel).name}: "
        f"{spoken.reachable}"
        f"{f', {max(spoken.parts, spoken.elsewhere_parts)} part(s) each' if _in_parts(one) else ''}"
        for one in review.shares
        for spoken in one.languages
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
        *languages,
        f"Each gets {_parts(review)}; it takes about {review.seconds:.0f} s.",
        *(f"Before it can go: {problem}" for problem in review.problems),
        *([f"Before it can go: {review.promise} See --over-cap."] if review.promise else []),
        *(f"Note: {warning}" for warning in review.warnings),
        *(
            f"Note: the same text {'will go' if one.planned else 'went'} to {', '.join(one.lists)} at "
            f"{one.at.astimezone(clock):%a %d %b %H:%M} ({zone}): broadcast {one.broadcast_id}."
            for one in review.sent_before
        ),
    ]


def _parts(review: Review) -> str:
    """How long a text is on the first channel: other channels than SMS bill no parts."""
    first = next(iter(review.shares), None)
    if first is not None and not _in_parts(first):
        return "one message"
    most = f" to {review.most_parts}" if review.most_parts > review.parts else ""
    return f"{review.parts}{most} part(s) ({review.encoding})"


def _in_parts(share: Share) -> bool:
    return gateway_class(share.gateway).capabilities().rate_unit == "part"


def head_of(row: Broadcast) -> dict[str, Any]:
    """Return what is said of a broadcast in one line."""
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
        "in_place": row.in_place,
    }


def status_of(broadcast_id: int) -> dict[str, Any]:
    """Return that, with whom it goes to and the counts of its deliveries."""
    row = broadcast_of(broadcast_id)
    segment = read_segments.said_of(row, "en") or None
    return head_of(row) | {"segment": segment, "tally": reports.tally(broadcast_id)}


def broadcast_of(broadcast_id: int) -> Broadcast:
    """Return a broadcast; raises `NotFound`, also for a sender's replies and for a test."""
    row = db.session.get(Broadcast, broadcast_id, populate_existing=True)
    if row is None or row.state in NOT_EDITORS or row.tests_id is not None:
        raise NotFound(f"There is no broadcast {broadcast_id}. See: tidings broadcasts list")
    return row


def say_status(broadcast_id: int, as_json: bool) -> None:
    data = status_of(broadcast_id)
    say(data, as_json, lambda: status_in_words(data))


def status_in_words(data: dict[str, Any]) -> str:
    """Return what `status_of` returned, for people."""
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
