"""The doctor's check of lists of followers: not believed, not to be read, or not shown to us."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from app.domain.followers import Outcome
from app.services.checks import Check, Health
from app.storage.database import db
from app.storage.models import FollowerReading, Sender

LATE_AFTER: Final = timedelta(days=3)

_Rows = Sequence[tuple[str, FollowerReading]]


def check_followers(now: datetime) -> Check:
    """Name the sender that wants attention most; of one whose platform shows no such list it is only said."""
    query = select(Sender.name, FollowerReading).join(Sender, Sender.id == FollowerReading.sender_id)
    rows = [(name, row) for name, row in db.session.execute(query.order_by(Sender.name))]
    quiet = Check("followers", Health.OK, "no list of followers is waiting to be read")
    return _held(rows) or _late(rows, now) or _refused(rows) or quiet


def _held(rows: _Rows) -> Check | None:
    for name, row in rows:
        if row.outcome == Outcome.HELD:
            return Check(
                "followers",
                Health.WARN,
                f"{row.missing:,} of {row.ours:,} people are not among the {row.followers:,} followers of “{name}”, "
                "which is too many to be believed; nothing was changed",
                f"Look at the platform whether it is true. If so: tidings senders followers {name} --anyway",
            )
    return None


def _late(rows: _Rows, now: datetime) -> Check | None:
    for name, row in rows:
        if row.outcome == Outcome.FAILED and (row.read_at or row.first_asked_at) < now - LATE_AFTER:
            return Check(
                "followers",
                Health.WARN,
                f"the followers of “{name}” could not be read for days: {row.problem}",
                f"See why: tidings senders followers {name} --dry-run",
            )
    return None


def _refused(rows: _Rows) -> Check | None:
    for name, row in rows:
        if row.outcome == Outcome.REFUSED:
            found = f"who follows “{name}” is known from webhooks alone: {row.problem}"
            return Check("followers", Health.OK, found)
    return None
