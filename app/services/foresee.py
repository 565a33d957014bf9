"""What a broadcast will meet: who must wait or is left out for the moment's sake, broken promises, words to change."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.policy.content import STOP_WORD, Finding, SinceStop, lint
from app.domain.policy.decisions import (
    LONGEST_DAY,
    Decision,
    Defer,
    Skip,
    breaks_promise,
    on_the_clock,
    went_at,
)
from app.domain.policy.own_clock import OwnClock
from app.domain.policy.places import Whereabouts
from app.domain.statuses import BroadcastState, SkipReason
from app.domain.styles import without_marks
from app.services import hold_back
from app.services.own_clocks import closed_in_turn, people_by_group
from app.services.quotas import Used
from app.storage import audience, holding, quiet, segments
from app.storage.audience import Answers
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget
from app.storage.variants import variants_of
from app.storage.ways import templates_of, ways_to

_PLANNED = (BroadcastState.SCHEDULED.value, BroadcastState.SENDING.value, BroadcastState.PAUSED.value)
_SENT = (*_PLANNED[1:], BroadcastState.FINISHED.value)
# How far back we look for the word STOP: long enough to find the fifth message, or the thirtieth day.
_LAST_TEXTS = 10


@dataclass(frozen=True)
class Waiting:
    """People who get it later: why, how many, and when the first and the last of them may be written to (UTC)."""

    reason: SkipReason
    people: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Foresight:
    """`reachable` people get it, those in `waiting` later; `skipped` counts the others by the gate's reason.

    `elsewhere` of those skipped, whom the platform lets nobody write to, get it on another channel that they agreed to.
    """

    reachable: int
    skipped: dict[str, int]
    waiting: tuple[Waiting, ...]
    elsewhere: int = 0


def foresee(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    at: datetime,
    answers: Answers,
    used: Sequence[Used] = (),
    own: OwnClock | None = None,
) -> Foresight:
    """Tell of everybody as if the broadcast started at `at`, when the gate gives these `answers`.

    `used` is what platforms' quotas leave.

    With `own` it goes on each person's own clock; `waiting` then tells of those who wait longer than for their hour.
    """
    list_ids = [one.id for one in lists]
    corrects = broadcast.corrects_id
    ways = ways_to(session, list_ids, corrects, templates_of(session, broadcast.id))
    chosen = segments.chosen_of(session, broadcast, at)
    skipped = Counter({str(k): n for k, n in answers.by_reason().items() if k is not None})
    if not lists:
        return Foresight(0, dict(skipped), ())
    groups, back = people_by_group(session, broadcast, list_ids, at, answers)
    for group, people in back.items():
        groups[group] -= people
        skipped[SkipReason.OTHER_CHANNEL] += people
    if own is None:
        expires_at = at + timedelta(minutes=broadcast.fresh_minutes)
        closed = hold_back.closed(session, lists, expires_at, at)
    else:
        closed = closed_in_turn(session, own)
    waiting = [*_by_places(closed, groups, skipped), *_by_cap(session, broadcast, lists, closed, at, skipped)]
    left_out = skipped[SkipReason.QUIET_HOURS] + skipped[SkipReason.FREQUENCY_CAP]
    # Whoever must wait for the moment's sake as well is counted once.
    skipped[SkipReason.QUOTA] = min(sum(one.full for one in used), sum(groups.values()) - left_out)
    reachable = sum(groups.values()) - left_out - skipped[SkipReason.QUOTA]
    elsewhere = (
        audience.reached_elsewhere(session, list_ids, at, ways, chosen) if ways and not corrects else 0
    )
    return Foresight(reachable, dict(+skipped), tuple(waiting), elsewhere)


def broken_promise(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], at: datetime
) -> str:
    """Say which list promised that nothing more comes in 24 hours around `at`; "" when none did.

    Nobody was promised that what is wrong stays so: a correction breaks none. A live event counts its own messages.
    """
    if broadcast.corrects_id is not None or broadcast.urgent:
        return ""
    for one in lists:
        moments = [on_the_clock(moment, one.zone) for moment in _moments(session, broadcast, one, at)]
        if breaks_promise(moments, on_the_clock(at, one.zone), one.max_per_day):
            return (
                f"{one.name} promised at most {one.max_per_day} messages a day, and this would be one more. "
                "Choose another time, or give a reason for going over the promise."
            )
    return ""


def read_text(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    brand: str,
    now: datetime,
    answers: Answers,
) -> list[Finding]:
    """Return what the lint says of every text, knowing where the people are and when they last read STOP.

    What it says of other words, for channels and languages, comes after what it says of the main text, and only what
    it does not say there.
    """
    keys = quiet.groups(session)
    countries = {Whereabouts.parse(keys[group]).country for group in answers.by_group() if group is not None}
    since_stop = _since_stop(session, broadcast, lists, now)
    found = []
    for key, text in {"": broadcast.text, **variants_of(session, broadcast.id)}.items():
        if text.strip():
            read = without_marks(text) if broadcast.styled else text
            more = lint(read, brand=brand, countries=countries, since_stop=since_stop)
            found += [replace(one, about=key) for one in more if one not in found]
    return found


def _by_places(
    closed: Sequence[tuple[Decision, tuple[int, ...] | None]],
    people: dict[int | None, int],
    skipped: Counter[str],
) -> list[Waiting]:
    late: dict[datetime, int] = {}
    for decision, groups in closed:
        count = sum(n for group, n in people.items() if groups is None or group in groups)
        if isinstance(decision, Skip):
            skipped[decision.reason] += count
        elif isinstance(decision, Defer) and count:
            late[decision.until] = late.get(decision.until, 0) + count
    if not late:
        return []
    return [Waiting(SkipReason.QUIET_HOURS, sum(late.values()), min(late), max(late))]


def _by_cap(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    closed: Sequence[tuple[Decision, tuple[int, ...] | None]],
    at: datetime,
    skipped: Counter[str],
) -> list[Waiting]:
    """Those who have had enough, among people whose hours are open: the others are counted already."""
    recent, cap = hold_back.recent_and_cap(session, broadcast, lists, at)
    shut = {group for _, groups in closed for group in groups or ()}
    if not recent or any(groups is None for _, groups in closed):
        return []
    list_ids = [one.id for one in lists]
    ways = ways_to(session, list_ids, templates=templates_of(session, broadcast.id))
    chosen = segments.chosen_of(session, broadcast, at)
    people = audience.reachable(list_ids, at, ways, chosen=chosen)
    expires_at = at + timedelta(minutes=broadcast.fresh_minutes)
    found = holding.over_cap_by_group(session, people, recent, cap, at, expires_at)
    full = [one for one in found if one.group_id not in shut]
    skipped[SkipReason.FREQUENCY_CAP] += sum(one.too_late for one in full)
    later = [one for one in full if one.people > one.too_late]
    count = sum(one.people - one.too_late for one in later)
    if not later:
        return []
    first, last = min(one.first for one in later), min(max(one.last for one in later), expires_at)
    return [Waiting(SkipReason.FREQUENCY_CAP, count, first, last)]


def _moments(session: Session, broadcast: Broadcast, one: BroadcastList, at: datetime) -> list[datetime]:
    """When other broadcasts to a list went or will go, within a day of `at`."""
    moment = func.coalesce(Broadcast.started_at, Broadcast.next_at)
    query = (
        select(Broadcast.next_at, Broadcast.started_at)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .where(
            BroadcastTarget.list_id == one.id,
            Broadcast.id != broadcast.id,
            Broadcast.state.in_((*_PLANNED, BroadcastState.FINISHED.value)),
            moment > at - LONGEST_DAY,
            moment < at + LONGEST_DAY,
        )
    )
    found = [went_at(planned, started) for planned, started in session.execute(query)]
    return [one for one in found if one is not None]


def _since_stop(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], now: datetime
) -> SinceStop:
    """How long nobody on these lists read STOP; the welcome text says it, so a list begins with zero."""
    rows = session.execute(
        select(Broadcast.text, Broadcast.started_at)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .where(
            BroadcastTarget.list_id.in_([one.id for one in lists]),
            Broadcast.id != broadcast.id,
            Broadcast.state.in_(_SENT),
            Broadcast.started_at.is_not(None),
        )
        .distinct()
        .order_by(Broadcast.started_at.desc())
        .limit(_LAST_TEXTS)
    ).all()
    messages = days = 0
    for text, started_at in rows:
        days = (now - (started_at or now)).days
        if STOP_WORD.search(text):
            break
        messages += 1
    return SinceStop(messages, days)
