"""Change a list: its name, a stricter promise, its language, how long its news is fresh, and whether START joins it.

Whoever agreed was promised so many messages a day between such hours. Less is kept with that; more would be another
promise than the one that they agreed to, so it waits until nobody is on the list (product page, point 4). The word
hangs on posters and stands in links, and what the list is for is changed with its notice, which asks people again.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.consent import SubscriptionState
from app.services.audit import note
from app.services.broadcast_times import checked_freshness
from app.services.controller import Controller, NotFound, Refused
from app.services.list_checks import check_free, check_promise, check_texts
from app.services.list_notices import notice_facts, write_notices
from app.services.manage_lists import stand_alone_as_default
from app.storage.database import transaction
from app.storage.models import BroadcastList, Subscription

_OFF = (SubscriptionState.UNKNOWN.value, SubscriptionState.STOPPED.value)


@dataclass(frozen=True)
class Changes:
    """What a list shall be. Hours are of the day in `zone`; with `is_default` a bare START joins it.

    `fresh_minutes`: for how long a new broadcast is worth sending, unless its author says otherwise.
    With `sends_missed` whoever writes gets the newest broadcast that their channel was closed to.
    """

    name: str
    language: str
    max_per_day: int
    from_hour: int
    until_hour: int
    zone: str
    is_default: bool = False
    fresh_minutes: int = 120
    sends_missed: bool = False

    @classmethod
    def none_of(cls, row: BroadcastList) -> "Changes":
        """Return a list as it is."""
        hours = row.from_hour, row.until_hour
        promise = row.name, row.language, row.max_per_day, *hours, row.zone
        return cls(*promise, row.is_default, row.fresh_minutes, row.sends_missed)


def change_list(list_id: int, wanted: Changes, *, by: str, controller: Controller, now: datetime) -> int:
    """Change a list; new people are shown a new notice, old consents keep theirs.

    Returns how many notices were written; 0 when neither name nor promise changed. Raises `NotFound`, `Conflict` for a
    name in use, `Refused` for what cannot be, for a wider promise while people are on the list, for a live event and
    for a closed list.
    """
    with transaction() as session:
        row = session.get(BroadcastList, list_id, with_for_update=True)
        if row is None:
            raise NotFound(f"There is no list number {list_id}.")
        old, new = Changes.none_of(row), wanted
        _check(session, row, new)
        before = notice_facts(session, row, controller)
        row.name, row.language, row.zone = new.name.strip(), new.language, new.zone
        row.max_per_day, row.from_hour, row.until_hour = new.max_per_day, new.from_hour, new.until_hour
        row.is_default, row.fresh_minutes = new.is_default, checked_freshness(new.fresh_minutes)
        row.sends_missed = new.sends_missed
        stand_alone_as_default(session, row)
        written = write_notices(session, row, controller, now, before, by)
        details = _different(old, Changes.none_of(row))
        if details:
            note(session, by, "list.change", f"list {row.id}", now, **details)
        return written


def people_promised(session: Session, list_id: int) -> int:
    """Count who is on a list, or may come back to it, with the promise of today."""
    there = (Subscription.list_id == list_id, Subscription.state.not_in(_OFF))
    return session.scalar(select(func.count()).where(*there)) or 0


def _check(session: Session, row: BroadcastList, new: Changes) -> None:
    if row.archived_at is not None:
        raise Refused(f"“{row.name}” is closed; nothing of it changes any more.")
    if row.ends_at is not None:
        raise Refused("What a live event promised stays as people were told.")
    check_texts(new.name.strip(), row.purpose, new.language)
    check_promise(new.max_per_day, new.from_hour, new.until_hour, new.zone)
    check_free(session, new.name.strip(), row.keyword, but=row.id)
    if row.is_default and not new.is_default:
        raise Refused("START must join a list of this sender: make another one the default instead.")
    if _is_wider(row, new) and (people := people_promised(session, row.id)):
        raise Refused(
            f"{people} people agreed to at most {row.max_per_day} a day between {row.from_hour} and {row.until_hour} h "
            f"({row.zone}). You may promise less, not more; for more, open a new list."
        )


def _is_wider(row: BroadcastList, new: Changes) -> bool:
    hours = new.from_hour < row.from_hour or new.until_hour > row.until_hour
    return new.max_per_day > row.max_per_day or hours or new.zone != row.zone


def _different(old: Changes, new: Changes) -> dict[str, list[object]]:
    before, after = vars(old), vars(new)
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}
