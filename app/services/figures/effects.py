"""What people did after one broadcast, hour by hour: opened its links, answered, left."""

from collections import Counter
from datetime import datetime

from sqlalchemy import func, select

from app.services.figures.roll_up import ANSWERED, LEFT
from app.services.figures.sheets import Sheet
from app.storage.database import db
from app.storage.models import BroadcastHour, ClickHour, ShortLink

_CLICKS = "clicks"
NAMES = (_CLICKS, ANSWERED, LEFT)


def effects_of(broadcast_id: int) -> Sheet:
    """Return the hours (UTC) in which something happened, in their order."""
    clicks = (
        select(ClickHour.hour, func.sum(ClickHour.people))
        .join(ShortLink, ShortLink.code == ClickHour.code)
        .where(ShortLink.broadcast_id == broadcast_id)
        .group_by(ClickHour.hour)
    )
    others = select(BroadcastHour.hour, BroadcastHour.kind, BroadcastHour.people).where(
        BroadcastHour.broadcast_id == broadcast_id
    )
    counts: Counter[tuple[datetime, str]] = Counter()
    for hour, people in db.session.execute(clicks):
        counts[hour, _CLICKS] = int(people)
    for hour, kind, people in db.session.execute(others):
        counts[hour, kind] = people
    hours = sorted({hour for (hour, _), people in counts.items() if people})
    rows = [(hour, *(counts[hour, name] for name in NAMES)) for hour in hours]
    return Sheet("effects", ("hour_at", *NAMES), rows)
