"""What senders may still send by their platforms' word: asked beside the clock, said before somebody schedules."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.domain.allowances import DAY, Allowance, Span, Standing
from app.domain.channels import channel_named
from app.gateways.allowances import CannotSay
from app.services.shares import Share
from app.storage import allowances, segments
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, SenderAllowance
from app.storage.ways import templates_of

ASK_EVERY: Final = timedelta(hours=1)
# What could not be told is asked again sooner: the platform may have been away, or not known us yet.
ASK_AGAIN: Final = timedelta(minutes=2)
OLD_AFTER: Final = timedelta(hours=3)
_LEFT: Final = (
    "{channel}: {left} messages are left this month for {sender}, and this broadcast needs {needs}. "
)
_FROM_NEW: Final = "{channel}: {sender} has {left} messages a month, and this broadcast needs {needs}. "
_WAIT: Final = (
    "Then it pauses on all its channels, and at least {wait} people wait until somebody lets it go on, which works "
    "from {day} ({zone})."
)
_LOST: Final = (
    "Then it pauses on all its channels, and at least {wait} people do not get it: the next month begins on {day} "
    "({zone}), when it is not fresh any more."
)
_PEOPLE: Final = (
    "{channel}: {sender} may begin to talk with {most} people in 24 hours, {used} are used up, and this broadcast "
    "needs {needs}. Then it pauses on all its channels, and at least {wait} people wait until somebody lets it go on."
)


@dataclass(frozen=True)
class _Ask:
    """What the notes of one share are about."""

    session: Session
    broadcast: Broadcast
    list_ids: list[int]
    share: Share
    at: datetime


def claim(gateways: Collection[str], now: datetime) -> list[int]:
    """Return the senders on `gateways` to ask about now: each once an hour, and soon after a platform took no more."""
    before = now - ASK_EVERY
    found = allowances.due(db.session(), gateways, before)
    if not found:
        return []  # no writing transaction each minute for a matter of an hour
    with transaction() as session:
        return [one for one in found if allowances.claim(session, one, before, now)]


def keep(sender_id: int, told: Allowance | CannotSay, now: datetime) -> None:
    """Write down what the platform said; where it did not, what it said before stays."""
    with transaction() as session:
        row = session.get(SenderAllowance, sender_id, with_for_update=True)
        if row is None:
            return  # the sender was removed meanwhile
        if isinstance(told, CannotSay):
            row.problem, row.asked_at = str(told)[:300], now - ASK_EVERY + ASK_AGAIN
            return
        row.span, row.most, row.used, row.zone = told.span.value, told.most, told.used, told.zone
        row.standing, row.told_at, row.problem = told.standing.value, now, None


def notes_of(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    shares: Sequence[Share],
    at: datetime,
    now: datetime,
) -> list[str]:
    """Say of each share that a platform will not take all of it, as far as it told; softly where it told nothing."""
    rows = allowances.known(session, [share.sender_id for share in shares])
    found: list[str] = []
    for share in shares:
        row = rows.get(share.sender_id)
        if row is None or not share.reachable:
            continue
        found += _unsure(share, row, now)
        if row.told_at is not None and row.most is not None:
            asked = _Ask(session, broadcast, [one.id for one in lists], share, at)
            found += _short(asked, row.most, allowance_in(row), row.told_at)
    return found


def some_limited(session: Session, sender_ids: Collection[int]) -> bool:
    """Tell whether there can be a note on one of these senders; cheap."""
    rows = allowances.known(session, sender_ids).values()
    return any(row.told_at is None or row.most is not None for row in rows)


def allowance_in(row: SenderAllowance) -> Allowance:
    """Return what was told last."""
    return Allowance(Span(row.span), row.most, row.used, row.zone, Standing(row.standing))


def _unsure(share: Share, row: SenderAllowance, now: datetime) -> list[str]:
    channel = channel_named(share.channel).name
    if row.told_at is None:
        return [f"{channel}: nobody knows how much {share.sender} may still send: its platform has not told."]
    if row.most is not None and row.told_at < now - OLD_AFTER:
        at = f"{row.told_at:%Y-%m-%d %H:%M} UTC"
        return [
            f"{channel}: its platform told last at {at} how much {share.sender} may still send; it may be less by now."
        ]
    return []


def _short(asked: _Ask, most: int, told: Allowance, told_at: datetime) -> list[str]:
    if (renews := told.resets_at(told_at)) is not None:
        return _of_month(asked, most, told, renews)
    return _of_day(asked, most)


def _of_month(asked: _Ask, most: int, told: Allowance, renews: datetime) -> list[str]:
    """One message for one person. A broadcast after the end of the month has a whole new one."""
    is_new = asked.at >= renews
    left = most if is_new else max(most - (told.used or 0), 0)
    if is_new:
        renews = told.resets_at(asked.at) or renews
    if asked.share.reachable <= left:
        return []
    ends = asked.at + timedelta(minutes=asked.broadcast.fresh_minutes)
    pattern = (_FROM_NEW if is_new else _LEFT) + (_LOST if ends <= renews else _WAIT)
    day = f"{renews.astimezone(ZoneInfo(told.zone)):%Y-%m-%d}"
    return [_said(pattern, asked.share, left, asked.share.reachable, day=day, zone=told.zone)]


def _of_day(asked: _Ask, most: int) -> list[str]:
    """Only people outside of a window of theirs count, and whoever had something in the last 24 hours counts once."""
    session, share, since = asked.session, asked.share, asked.at - DAY
    used = allowances.begun_with(session, share.sender_id, since)
    left = max(most - used, 0)
    if share.reachable <= left:
        return []
    needs = allowances.to_begin_with(
        session,
        share.sender_id,
        asked.list_ids,
        share.channel,
        since,
        asked.at,
        corrects=asked.broadcast.corrects_id,
        templates=templates_of(session, asked.broadcast.id),
        chosen=segments.chosen_of(session, asked.broadcast, asked.at),
    )
    if needs <= left:
        return []
    return [_said(_PEOPLE, share, left, needs, most=f"{most:,}", used=f"{used:,}")]


def _said(pattern: str, share: Share, left: int, needs: int, **more: str) -> str:
    return pattern.format(
        channel=channel_named(share.channel).name,
        sender=share.sender,
        left=f"{left:,}",
        needs=f"{needs:,}",
        wait=f"{needs - left:,}",
        **more,
    )
