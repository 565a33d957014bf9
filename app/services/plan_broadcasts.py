"""Write, check and schedule broadcasts: what an editor does before one is on its way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.buttons import Rich
from app.domain.in_place import InPlace
from app.domain.parts import measure
from app.domain.placeholders import KNOWN, PlaceholderError, parse
from app.domain.policy.content import Finding, Severity
from app.domain.statuses import BroadcastState
from app.services import approval, own_clocks, quotas
from app.services.ask_gate import ask_gate
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, draft_for_change, move, targets_of
from app.services.broadcast_times import nearest_allowed, within_promise, zone_named
from app.services.controller import NotFound, Refused
from app.services.foresee import Waiting, broken_promise, foresee, read_text
from app.services.in_place_fit import too_long_for_captions
from app.services.media.attach import Given, attached_to, copy_media, set_files
from app.services.own_clocks import Turn
from app.services.rich_messages import check_rich_of, copy_rich, save_rich
from app.services.sent_before import SentBefore, sent_before
from app.services.shares import (
    EXAMPLE_URL,
    Share,
    longest,
    problems_of,
    save_variants,
    shares_of,
    variants_of,
)
from app.services.short_links import make_links
from app.services.template_gaps import Gap, gaps_of
from app.storage.audience import Answers
from app.storage.database import transaction
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget, SavedSegment
from app.storage.segments import rule_data
from app.storage.versions import keep, new_version

MAX_TEXT = 1600
FRESH_MINUTES = 120
# Why a correction may go over the promise and the limit of a day.
CORRECTION = "correction"
# A first wave, in per cent: more than half would be no trial.
MOST_FIRST = 50


@dataclass(frozen=True)
class Review:
    """A dry run: whom the broadcast would reach if it started then, what it costs, and what stands against it.

    `skipped` counts people by the gate's reason; `waiting` tells of those among the reachable who get it later.
    `elsewhere` of those skipped get it on another channel that they agreed to.
    `findings` are what the lint says of the text, `promise` (or "") is the promise to a list that one message more
    would break, `quota_notes` (among the warnings) say whom a platform's quota leaves out. `parts`, `encoding`, `rate`
    and `sender_name` are those of the first share, `most_parts` those of its longest text; `total_parts` is for all
    reachable, `seconds` until the last sender is done. `sent_before` are broadcasts of late with the same words.
    `turns` say who gets it when on their own clocks. `gaps` (among the warnings) are people whom a template would
    reach. `problems` forbid scheduling, `warnings` do not.
    """

    audience: int
    reachable: int
    skipped: dict[str, int]
    parts: int
    encoding: str
    most_parts: int
    total_parts: int
    rate: float
    seconds: float
    sender_name: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    promise: str = ""
    waiting: tuple[Waiting, ...] = ()
    elsewhere: int = 0
    findings: tuple[Finding, ...] = ()
    shares: tuple[Share, ...] = ()
    quota_notes: tuple[str, ...] = ()
    sent_before: tuple[SentBefore, ...] = ()
    turns: tuple[Turn, ...] = ()
    gaps: tuple[Gap, ...] = ()


def create_draft(
    *,
    title: str,
    text: str,
    list_ids: Sequence[int],
    by: str,
    now: datetime,
    variants: Mapping[str, str] = MappingProxyType({}),
    rich: Mapping[str, Rich] = MappingProxyType({}),
    files: Mapping[str, Given | None] = MappingProxyType({}),
) -> int:
    """Store a new draft and return its id. `variants` has other words for some channels, `rich` and `files` what goes
    with them, by channel.
    """
    with transaction() as session:
        broadcast_id = draft_in(
            session, title=title, text=text, list_ids=list_ids, by=by, now=now, variants=variants
        )
        _add_extras(session, broadcast_id, rich, files, by, now)
        keep(session, session.get_one(Broadcast, broadcast_id), by, now)
        return broadcast_id


def draft_in(
    session: Session,
    *,
    title: str,
    text: str,
    list_ids: Sequence[int],
    by: str,
    now: datetime,
    variants: Mapping[str, str] = MappingProxyType({}),
    known: Collection[str] = KNOWN,
) -> int:
    """Do what `create_draft` does within the caller's transaction; `known` are the placeholders that it may hold."""
    check_words(title, text, variants, known)
    broadcast = Broadcast(
        title=title.strip(),
        text=text,
        state=BroadcastState.DRAFT.value,
        zone="UTC",
        fresh_minutes=FRESH_MINUTES,
        created_by=by,
        created_at=now,
        updated_at=now,
    )
    session.add(broadcast)
    session.flush()
    _set_targets(session, broadcast, list_ids)
    save_variants(session, broadcast.id, variants)
    keep(session, broadcast, by, now)
    note(session, by, "broadcast.create", f"broadcast {broadcast.id}", now)
    return broadcast.id


def save_draft(
    broadcast_id: int,
    *,
    title: str,
    text: str,
    list_ids: Sequence[int],
    revision: int,
    by: str,
    now: datetime,
    variants: Mapping[str, str] = MappingProxyType({}),
    rich: Mapping[str, Rich] = MappingProxyType({}),
    files: Mapping[str, Given | None] = MappingProxyType({}),
) -> int:
    """Change a draft; `revision` is the one that was shown. Returns the new revision.

    `variants` has other words for some channels; an empty text takes them away. `rich` has buttons and templates by
    channel, "" for all, `files` what is carried there or None; channels that are not named stay.

    Raises `Conflict` when somebody else saved in between, `Refused` when it is no draft any more.
    """
    check_words(title, text, variants)
    with transaction() as session:
        broadcast = draft_for_change(session, broadcast_id, revision)
        if broadcast.corrects_id is None:  # a correction goes to whoever got the wrong one, on whatever list
            _set_targets(session, broadcast, list_ids)
        with new_version(session, broadcast, by, now):
            broadcast.title, broadcast.text = title.strip(), text
            save_variants(session, broadcast_id, variants)
            _add_extras(session, broadcast_id, rich, files, by, now)
        note(session, by, "broadcast.save", f"broadcast {broadcast_id}", now, revision=broadcast.revision)
        return broadcast.revision


def _add_extras(
    session: Session,
    broadcast_id: int,
    rich: Mapping[str, Rich],
    files: Mapping[str, Given | None],
    by: str,
    now: datetime,
) -> None:
    """Check buttons against the lists that the draft goes to, and keep them and the files."""
    check_rich_of(session, broadcast_id, rich)
    save_rich(session, broadcast_id, rich)
    set_files(session, broadcast_id, files, by, now)


def copy_broadcast(broadcast_id: int, *, by: str, now: datetime) -> int:
    """Make a new draft with the same words, lists, files and buttons."""
    with transaction() as session:
        original = broadcast_for_change(session, broadcast_id)
        title, text = original.title, original.text
        list_ids, variants = _target_ids(session, broadcast_id), variants_of(session, broadcast_id)
        copy_id = draft_in(
            session, title=title, text=text, list_ids=list_ids, variants=variants, by=by, now=now
        )
        choose_as(session, original, copy_id)
        copy_media(session, broadcast_id, copy_id)
        copy_rich(session, broadcast_id, copy_id)
        keep(session, session.get_one(Broadcast, copy_id), by, now)
        return copy_id


def choose_as(session: Session, original: Broadcast, broadcast_id: int) -> None:
    """Let a draft go to the same part of its lists as another broadcast."""
    draft = session.get_one(Broadcast, broadcast_id)
    draft.segment_id, draft.segment_rule = original.segment_id, original.segment_rule
    if draft.segment_id is not None:
        draft.segment_rule = None  # as the saved one is now


def check(
    broadcast_id: int,
    *,
    now: datetime,
    at: datetime | None = None,
    local_at: datetime | None = None,
    zone: str = "UTC",
    brand: str = "",
    public_url: str = EXAMPLE_URL,
) -> Review:
    """Ask the gate about everybody, as if the broadcast started at `at` (or now), without sending anything.

    With the naive `local_at` it goes at that time on each person's own clock, by the clock of `zone` where nobody knows
    theirs. With `brand` the lint looks for it in the text; links to files are counted as below `public_url`.
    """
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        lists = targets_of(session, broadcast_id)
        plan = own_clocks.plan(session, broadcast, lists, local_at, zone, now) if local_at else None
        start = plan.first if plan else max(at or now, now)
        answers = ask_gate(session, broadcast, [one.id for one in lists], start)
        shares = shares_of(session, broadcast, lists, start, public_url, answers)
        used = quotas.used_of(session, broadcast, lists, shares, start)
        quota_notes = tuple(quotas.warnings_of(used, shares))
        seen = foresee(session, broadcast, lists, start, answers, used, plan.own if plan else None)
        size = measure(longest(shares[0].sent) + shares[0].tail if shares else longest(broadcast.text))
        gaps = tuple(gaps_of(session, broadcast, lists, shares, start))
        reachable = seen.reachable
        findings = read_text(session, broadcast, lists, brand, now, answers)
        return Review(
            audience=reachable + sum(seen.skipped.values()),
            reachable=reachable,
            skipped=seen.skipped,
            parts=size.count,
            most_parts=shares[0].most_parts if shares else size.count,
            encoding=size.encoding,
            total_parts=sum(one.total_parts for one in shares),
            rate=shares[0].rate if shares else 1.0,
            seconds=max((one.seconds for one in shares), default=0.0),
            sender_name=shares[0].sender if shares else "",
            problems=(
                *filter(None, [approval.missing(broadcast, lists)]),
                *_problems(session, broadcast, lists, shares, reachable),
                *quotas.problems_of(used, shares),
                *_advice(findings, Severity.ERROR),
            ),
            warnings=(*quota_notes, *map(str, gaps), *_advice(findings, Severity.WARNING)),
            gaps=gaps,
            quota_notes=quota_notes,
            sent_before=sent_before(session, broadcast, lists, start),
            promise=broken_promise(session, broadcast, lists, start),
            waiting=seen.waiting,
            elsewhere=seen.elsewhere,
            findings=tuple(findings),
            shares=tuple(shares),
            turns=plan.turns if plan else (),
        )


def schedule(
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
) -> datetime:
    """Put a draft on the schedule for the UTC instant `at`, or for now; returns that instant.

    Raises `Refused` when something stands against it: the past, hours or a number of messages that the lists did
    not promise, no text, a text that carriers refuse. With `over_cap_reason` it may be one more than promised, and
    goes to people who have had their messages of the day; the reason is kept and stands in the audit log. With
    `first_percent` so many per cent of the people go first, and the rest when these told nothing bad. With the naive
    `local_at` (and no `at`) it goes at that time on each person's own clock, by that of `zone` where nobody knows
    theirs; what is returned is then the first instant at which somebody may get it. Links to files are counted as below
    `public_url`.
    """
    with transaction() as session:
        return schedule_in(
            session,
            broadcast_id,
            at=at,
            zone=zone,
            by=by,
            now=now,
            over_cap_reason=over_cap_reason,
            first_percent=first_percent,
            local_at=local_at,
            public_url=public_url,
        )


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
) -> datetime:
    """Do what `schedule` does within the caller's transaction."""
    zone_named(zone)
    if first_percent is not None and not 1 <= first_percent <= MOST_FIRST:
        raise Refused(f"The first wave is 1 to {MOST_FIRST} per cent of the people, not {first_percent}.")
    broadcast = broadcast_for_change(session, broadcast_id)
    move(broadcast, BroadcastState.SCHEDULED, by, now)
    lists = targets_of(session, broadcast_id)
    list_ids = [one.id for one in lists]
    answers = ask_gate(session, broadcast, list_ids, now)
    shares = shares_of(session, broadcast, lists, now, public_url, answers)
    if problems := _against(session, broadcast, lists, shares, answers, max(at or now, now), now):
        raise Refused(" ".join(problems))
    instant, last = _moments(session, broadcast, lists, at, local_at, zone, now)
    broadcast.over_cap_reason = over_cap_reason.strip()[:300] or (
        CORRECTION if broadcast.corrects_id else None
    )
    if broadcast.over_cap_reason is None and (broken := broken_promise(session, broadcast, lists, instant)):
        raise Refused(broken)
    broadcast.next_at, broadcast.zone, broadcast.sender_id = instant, zone, shares[0].sender_id
    if first_percent is not None and quotas.slice_sizes(session, [one.sender_id for one in shares]):
        raise Refused(
            "A first wave would use up the quota of a platform that counts each sending; send to all at once."
        )
    if first_percent is not None and local_at is not None:
        raise Refused("A first wave has no hour of its own: send to all on their own clocks, or at one time.")
    broadcast.first_percent, broadcast.local_at = first_percent, local_at
    broadcast.sms_parts, broadcast.sms_parts_elsewhere = _measured(shares)
    make_links(session, broadcast, list_ids)
    ends = [one.ends_at for one in lists if one.ends_at is not None]
    broadcast.expires_at = min([last + timedelta(minutes=broadcast.fresh_minutes), *ends])
    note(
        session,
        by,
        "broadcast.schedule",
        f"broadcast {broadcast_id}",
        now,
        at=instant.isoformat(),
        zone=zone,
        **({"local_at": local_at.isoformat()} if local_at else {}),
        **({"over_cap": broadcast.over_cap_reason} if broadcast.over_cap_reason else {}),
    )
    return instant


def _against(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    shares: Sequence[Share],
    answers: Answers,
    at: datetime,
    now: datetime,
) -> tuple[str, ...]:
    """Return what stands against scheduling, but for the time."""
    used = quotas.used_of(session, broadcast, lists, shares, at)
    return (
        *filter(None, [approval.missing(broadcast, lists)]),
        *_problems(session, broadcast, lists, shares, answers.reachable),
        *quotas.problems_of(used, shares),
        *_advice(read_text(session, broadcast, lists, "", now, answers), Severity.ERROR),
    )


def _measured(shares: Sequence[Share]) -> tuple[int | None, int | None]:
    """Return the parts of an SMS, and those of people to whom a file does not get; None where there are none."""
    by_sms = next((one for one in shares if one.channel == "sms"), None)
    return (by_sms.parts, by_sms.elsewhere_parts or None) if by_sms else (None, None)


def back_to_draft(broadcast_id: int, *, by: str, now: datetime) -> None:
    """Take a scheduled broadcast off the schedule."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        move(broadcast, BroadcastState.DRAFT, by, now)
        broadcast.next_at = broadcast.expires_at = broadcast.local_at = None
        note(session, by, "broadcast.unschedule", f"broadcast {broadcast_id}", now)


def check_words(
    title: str,
    text: str,
    variants: Mapping[str, str] = MappingProxyType({}),
    known: Collection[str] = KNOWN,
) -> None:
    if not title.strip():
        raise Refused("Give the broadcast a title; it is for your team and is not sent.")
    if len(title.strip()) > 120:
        raise Refused(f"The title has {len(title.strip())} characters; it may have 120.")
    if len(text) > MAX_TEXT:
        raise Refused(f"The text has {len(text)} characters; an SMS carries {MAX_TEXT} at most.")
    try:
        for words in (text, *variants.values()):
            parse(words, known)
    except PlaceholderError as error:
        raise Refused(str(error)) from error


def _problems(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    shares: Sequence[Share],
    reachable: int,
) -> tuple[str, ...]:
    found = []
    if not broadcast.text.strip() and broadcast.in_place != InPlace.DELETE:
        found.append("The text is empty.")
    if not lists:
        found.append("Choose at least one list.")
    found += problems_of(session, broadcast, lists, shares)
    found += _problems_of_segment(session, broadcast, lists)
    if broadcast.corrects_id is not None:
        found += _problems_of_correction(session, broadcast, broadcast.corrects_id, reachable)
        found += too_long_for_captions(session, broadcast, shares)
    elif lists and reachable == 0:
        found.append(
            "Nobody on these lists can be reached now."
            if rule_data(session, broadcast) is None
            else "Nobody in this part of the lists can be reached now."
        )
    return tuple(found)


def _problems_of_segment(session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList]) -> list[str]:
    row = session.get(SavedSegment, broadcast.segment_id) if broadcast.segment_id is not None else None
    if row is None or row.list_id in {one.id for one in lists}:
        return []
    return [f"“{row.name}” is part of a list that this broadcast does not go to."]


def _problems_of_correction(
    session: Session, broadcast: Broadcast, corrects: int, reachable: int
) -> list[str]:
    found = []
    if broadcast.in_place is not None and attached_to(session, broadcast.id):
        found.append(
            "A correction that changes messages where they stand carries no file. Take the file out."
        )
    if session.get_one(Broadcast, corrects).state == BroadcastState.SENDING.value:
        found.append("The message that this corrects is still being sent. Pause it or stop it first.")
    if reachable == 0:
        found.append("Nobody who got the message that this corrects can be reached now.")
    return found


def _advice(findings: Sequence[Finding], severity: Severity) -> tuple[str, ...]:
    return tuple(one.advice for one in findings if one.severity is severity)


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


def _target_ids(session: Session, broadcast_id: int) -> list[int]:
    return [one.id for one in targets_of(session, broadcast_id)]


def _set_targets(session: Session, broadcast: Broadcast, list_ids: Sequence[int]) -> None:
    open_ = BroadcastList.id.in_(list_ids), BroadcastList.archived_at.is_(None)
    known = {one.id: one for one in session.scalars(select(BroadcastList).where(*open_))}
    for list_id in list_ids:
        if list_id not in known:
            raise NotFound(f"There is no open list {list_id}.")
        if known[list_id].ends_at is not None:
            raise Refused(
                f"“{known[list_id].name}” is a live event; its messages are written on its own page."
            )
    if set(known) != set(_target_ids(session, broadcast.id)):
        broadcast.void_approval()
    session.execute(delete(BroadcastTarget).where(BroadcastTarget.broadcast_id == broadcast.id))
    session.add_all(BroadcastTarget(broadcast_id=broadcast.id, list_id=list_id) for list_id in sorted(known))
