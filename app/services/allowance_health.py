"""The doctor's check of what senders may still send: whose is nearly used up, not known, or about to shrink."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.domain.allowances import Standing
from app.services.allowances import OLD_AFTER, allowance_in
from app.services.checks import Check, Health
from app.storage.database import db
from app.storage.models import Sender, SenderAllowance

_LITTLE_LEFT: Final = 10
"""Per cent of a month's messages."""

_Rows = Sequence[tuple[str, SenderAllowance]]


def check_allowances(now: datetime) -> Check:
    """Name the sender that wants attention most; where none does, say what the one with the least may send."""
    query = select(Sender.name, SenderAllowance).join(Sender, Sender.id == SenderAllowance.sender_id)
    rows = [(name, row) for name, row in db.session.execute(query.order_by(Sender.name))]
    return _unknown(rows, now) or _used_up(rows, now) or _disliked(rows) or _well(rows, now)


def _unknown(rows: _Rows, now: datetime) -> Check | None:
    for name, row in rows:
        if row.problem and (row.told_at is None or row.told_at < now - OLD_AFTER):
            found = f"what “{name}” may still send is not known: {row.problem}"
            return Check(
                "allowances", Health.WARN, found, f"See what the platform says: tidings senders quota {name}"
            )
    return None


def _used_up(rows: _Rows, now: datetime) -> Check | None:
    for name, row in rows:
        left = _left(row, now)
        if left is not None and row.most is not None and left * 100 <= row.most * _LITTLE_LEFT:
            advice = "Send less until the month ends, or choose a larger plan at the platform."
            return Check("allowances", Health.WARN, _of_month(name, left, row.most), advice)
    return None


def _disliked(rows: _Rows) -> Check | None:
    for name, row in rows:
        if row.standing == Standing.LOW.value:
            return Check(
                "allowances",
                Health.WARN,
                f"people block or report “{name}”; its platform may let it send less",
                "Send less often, and only what people asked for, until the platform thinks better of it.",
            )
    return None


def _well(rows: _Rows, now: datetime) -> Check:
    limited = [
        (name, row.most, _left(row, now)) for name, row in rows if row.told_at and row.most is not None
    ]
    if not limited:
        return Check("allowances", Health.OK, "no sender is short of what its platform lets it send")
    name, most, left = min(limited, key=lambda one: one[1] if one[2] is None else one[2])
    if left is None:
        return Check("allowances", Health.OK, f"“{name}” may begin to talk with {most:,} people in 24 hours")
    return Check("allowances", Health.OK, _of_month(name, left, most))


def _left(row: SenderAllowance, now: datetime) -> int | None:
    """Return what is left of a month that goes on still; None where there is no such thing."""
    if row.told_at is None or row.most is None:
        return None
    renews = allowance_in(row).resets_at(row.told_at)
    return None if renews is None or now >= renews else max(row.most - (row.used or 0), 0)


def _of_month(name: str, left: int, most: int) -> str:
    return f"“{name}” has {left:,} of {most:,} messages left this month"
