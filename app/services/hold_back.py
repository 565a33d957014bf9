"""What the moment forbids a broadcast: which people have quiet hours now, and who may have had enough for a day."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.policy.decisions import CAP_PERIOD, Decision, Send, cap_of, decide, spread_s
from app.domain.policy.places import Whereabouts, whereabouts
from app.domain.policy.quiet import next_open, next_quarter
from app.domain.quotas import Quota
from app.domain.statuses import BroadcastState
from app.services import own_clocks, quotas
from app.services.broadcast_rows import targets_of
from app.services.broadcast_times import nearest_allowed, within_promise
from app.storage import quiet
from app.storage.database import transaction
from app.storage.holding import Limits
from app.storage.models import Broadcast, BroadcastList, Subscriber

STATED_ZONE = "zone"  # the attribute in which a person's own time zone is kept
# A broadcast that began in the meantime counts for the cap after this at the latest.
_LOOK_AGAIN = timedelta(seconds=1)


def limits_of(
    session: Session,
    broadcast: Broadcast,
    rate: float,
    now: datetime,
    *,
    sender_id: int,
    quota: Quota | None,
    most_people: int | None = None,
) -> Limits:
    """Return what the moment forbids this broadcast over one sender.

    Its platform may have a quota, or be for `most_people` and no more.
    """
    lists = targets_of(session, broadcast.id)
    recent, cap = recent_and_cap(session, broadcast, lists, now)
    used_up = quotas.closed_by(session, broadcast, sender_id, quota, now)
    return Limits(
        valid_until=min(now + _LOOK_AGAIN, next_quarter(now)),
        expires_at=broadcast.expires_at,
        closed=((used_up, None),) if used_up else _closed(session, broadcast, lists, now),
        spread_s=spread_s(broadcast.audience or 0, rate),
        recent=recent,
        cap=cap,
        spent=quotas.spent_by(session, broadcast, sender_id, quota, now),
        most_people=most_people,
    )


def _closed(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], now: datetime
) -> tuple[tuple[Decision, tuple[int, ...] | None], ...]:
    own = own_clocks.own_clock_of(broadcast, lists)
    if own is not None:
        return own_clocks.closed(session, own, now)
    return closed(session, lists, broadcast.expires_at, now)


def closed(
    session: Session, lists: Sequence[BroadcastList], expires_at: datetime | None, now: datetime
) -> tuple[tuple[Decision, tuple[int, ...] | None], ...]:
    """Pair what is decided about those who may not be written to now with their groups, None meaning everybody."""
    if not within_promise(lists, now):
        # Lists whose hours never overlap are refused when scheduled; a promise may have changed since.
        opens_at = nearest_allowed(lists, now) or now + CAP_PERIOD
        return ((decide(now, expires_at, opens_at=opens_at), None),)
    if not obeys_places(lists):
        return ()
    found: dict[Decision, list[int]] = {}
    for group_id, key in quiet.groups(session).items():
        decision = decide(now, expires_at, opens_at=next_open(_parsed(key), now))
        if not isinstance(decision, Send):
            found.setdefault(decision, []).append(group_id)
    return tuple((decision, tuple(ids)) for decision, ids in found.items())


def recent_and_cap(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], at: datetime
) -> tuple[tuple[int, ...], int]:
    """Return the other broadcasts of the 24 hours before `at`, and how many of them a person may have had.

    None are returned where they are too few for that, for a correction, or where an editor gave a reason to go over it;
    nor for a live event, whose promise counts its own messages and is kept when one is written.
    """
    cap = cap_of(one.max_per_day for one in lists)
    if broadcast.over_cap_reason is not None or broadcast.corrects_id is not None or broadcast.urgent:
        return (), cap
    recent = _recent(session, broadcast, at)
    return (recent if len(recent) >= cap else ()), cap


def obeys_places(lists: Iterable[BroadcastList]) -> bool:
    """Tell whether the quiet hours of people's places hold for a broadcast to these lists."""
    return any(one.any_hour_reason is None for one in lists)


def group_new(session: Session, people: Sequence[Subscriber], home: str) -> None:
    """Put people who are just being made into their groups. `home` is our own country."""
    keys = {one: _key(one.channel, one.address, one.attributes.get(STATED_ZONE), home) for one in people}
    ids = quiet.group_ids(session, set(keys.values()))
    for one, key in keys.items():
        one.quiet_group_id = ids[key]


def group_slice(session: Session, broadcast_id: int, lo: int, hi: int, home: str) -> None:
    """Put people in a range of ids into their groups whom nobody has looked at yet: after an upgrade, or a change."""
    by_own_clock = session.get_one(Broadcast, broadcast_id).local_at is not None
    if by_own_clock or obeys_places(targets_of(session, broadcast_id)):
        _group(session, quiet.ungrouped(session, lo, hi), home)


def group_between(session: Session, lo: int, hi: int, home: str) -> None:
    """The same, for who is chosen by where they are."""
    _group(session, quiet.ungrouped(session, lo, hi), home)


def group_some(home: str) -> int:
    """Put up to a thousand people into their groups whom nobody has looked at yet; returns how many."""
    with transaction() as session:
        rows = quiet.ungrouped(session)
        _group(session, rows, home)
        return len(rows)


def _group(session: Session, rows: Sequence[quiet.Ungrouped], home: str) -> None:
    if rows:
        keys = {
            one: _key(channel, address, more.get(STATED_ZONE), home) for one, channel, address, more in rows
        }
        ids = quiet.group_ids(session, set(keys.values()))
        quiet.put_into_groups(session, {one: ids[key] for one, key in keys.items()})


def _key(channel: str, address: str, stated_zone: str | None, home: str) -> str:
    return whereabouts(Address(channel, address), stated_zone=stated_zone, home=home).key


def _recent(session: Session, broadcast: Broadcast, now: datetime) -> tuple[int, ...]:
    """Other broadcasts of which somebody may have got a message in the last 24 hours."""
    still_sends = Broadcast.state.in_((BroadcastState.SENDING.value, BroadcastState.PAUSED.value))
    ended = Broadcast.finished_at > now - CAP_PERIOD
    others = (Broadcast.id != broadcast.id, Broadcast.tests_id.is_(None))
    query = select(Broadcast.id).where(*others, or_(still_sends, ended))
    return tuple(session.scalars(query.order_by(Broadcast.id)))


@lru_cache(maxsize=4096)
def _parsed(key: str) -> Whereabouts:
    return Whereabouts.parse(key)
