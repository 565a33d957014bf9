"""Which days' lists of numbers that were given back are still to be read: each day once for each sender that wants it.

The mark of a sender is a `FigureMark`: `upto` is the last day that was read to its end (as `date.toordinal`), `at`
when we asked last. A reading that broke off is begun again, which is harmless.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from app.gateways.given_back import SETTING
from app.services.controller import Controller
from app.services.gateways_of_senders import senders_wanting
from app.storage.counters import insert_into
from app.storage.database import db, transaction
from app.storage.models import FigureMark

TRY_AGAIN: Final = timedelta(hours=1)
BACK_TO: Final = timedelta(days=30)
"""A clock that did not run for longer asks for no older days by itself."""
LATE_AFTER: Final = timedelta(days=3)
"""Yesterday's list may come a day late; after that somebody has to know."""
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Due(NamedTuple):
    """A list to read now."""

    sender_id: int
    day: date


class Late(NamedTuple):
    """A sender whose lists could not be read lately; `last` is the last day that was, None for none ever."""

    name: str
    last: date | None


def claim(controller: Controller, now: datetime) -> Sequence[Due]:
    """Return the next day of each sender that wants its lists read; nobody else gets them for an hour."""
    wanted = [sender.id for sender in senders_wanting(db.session(), SETTING, controller)]
    if not wanted:
        return []  # no writing transaction each minute for a matter that concerns few
    with transaction() as session:
        days = [(one, _claim_one(session, one, now)) for one in wanted]
    return [Due(sender_id, day) for sender_id, day in days if day is not None]


def done(due: Due) -> None:
    """Remember that a day was read to its end; the next one is due at once."""
    with transaction() as session:
        mark = session.get_one(FigureMark, _source(due.sender_id), with_for_update=True)
        mark.upto, mark.at = max(mark.upto, due.day.toordinal()), _NEVER


def late(controller: Controller, now: datetime) -> Sequence[Late]:
    """Return the senders whose lists are not read, although we asked."""
    found = []
    for sender in senders_wanting(db.session(), SETTING, controller):
        mark = db.session.get(FigureMark, _source(sender.id))
        if mark is not None and mark.upto < (now - LATE_AFTER).toordinal():
            found.append(Late(sender.name, date.fromordinal(mark.upto) if mark.upto else None))
    return found


def _claim_one(session: Session, sender_id: int, now: datetime) -> date | None:
    yesterday = now.date() - timedelta(days=1)
    fresh = insert_into(session, FigureMark).values(source=_source(sender_id), upto=0, at=_NEVER)
    session.execute(fresh.on_conflict_do_nothing())
    mark = session.get_one(FigureMark, _source(sender_id), with_for_update=True)
    if mark.upto >= yesterday.toordinal() or mark.at > now - TRY_AGAIN:
        return None
    mark.at = now
    oldest = yesterday if mark.upto == 0 else now.date() - BACK_TO
    return max(oldest, date.fromordinal(mark.upto + 1))


def _source(sender_id: int) -> str:
    return f"{SETTING}:{sender_id}"
