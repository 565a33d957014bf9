"""People who left a sender without our hearing of it: whoever is not among its followers any more has blocked us.

Webhooks say so (consent.md 3.2, row 30), but one may be lost, and some platforms take what we send to people who are
gone, and count it. So a list of all followers is read now and then. Only a list that was read to its end says who is
not on it; nobody is ever added by one. How far it is believed says
`app.domain.followers`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.followers import Outcome, is_plausible
from app.domain.messages import PlatformEvent, PlatformSignal
from app.gateways.base import Transport
from app.gateways.followers import CannotList, ListsFollowers, NotOffered, pages_of
from app.services.apply_signal import take_signal
from app.services.audit import note
from app.services.controller import Controller, Refused
from app.storage import followers as stored
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import Sender, Subscriber

_T = TypeVar("_T")
BATCH: Final = 100
LOOKED_UP_AT_ONCE: Final = 1000
IN_TOUCH: Final = timedelta(hours=1)
"""Whoever wrote or signed up so shortly before a reading began, or since, may have come after the list was made."""
TRY_AGAIN: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Reading:
    """What a list came to: its followers, our people who should be among them, those who are not, those taken out."""

    followers: int
    ours: int
    missing: int
    left: int
    outcome: Outcome


@dataclass(frozen=True)
class _Round:
    sender_id: int
    controller: Controller
    now: datetime

    @property
    def since(self) -> datetime:
        return self.now - IN_TOUCH


def reconcile(
    sender_id: int,
    gateway: object,
    transport: Transport,
    *,
    dry_run: bool = False,
    anyway: bool = False,
    by: str,
    controller: Controller,
    now: datetime,
) -> Reading:
    """Read the whole list, and take out who is not on it; `now` is when the reading begins.

    A dry run only counts. `anyway`: even where it is not plausible; else nothing is changed then. Raises `Refused` for
    a gateway whose platform has no such list, and `CannotList`, after which nothing is changed.
    """
    if not isinstance(gateway, ListsFollowers):
        raise Refused(
            "The platform of this sender lists no followers, as far as we know; LINE and WeChat do."
        )
    reading = _Round(sender_id, controller, now)
    ours = _expected(reading)
    missing, count = set(ours), 0
    for page in pages_of(gateway, transport):
        count += len(page)
        missing -= _at(reading, page)
    missing = _expected(reading, missing)
    plausible = is_plausible(count, len(ours), len(missing))
    believed = plausible or anyway
    left = _take_out(reading, sorted(missing)) if believed and not dry_run else 0
    done = Reading(count, len(ours), len(missing), left, Outcome.READ if believed else Outcome.HELD)
    if not dry_run:
        _write_down(reading, done, by, plausible=plausible)
    return done


def claim(gateways: Collection[str], now: datetime) -> Sequence[int]:
    """Return the senders whose followers are to be read now: each once a day, an hour after what did not work."""
    found = stored.due(db.session(), gateways, now)
    if not found:
        return []  # no writing transaction each minute for a matter of a day
    with transaction() as session:
        return [one for one in found if stored.claim(session, one, now, TRY_AGAIN)]


def not_read(sender_id: int, why: CannotList, now: datetime) -> None:
    """Write down that there was no list; a platform that shows this account none is asked tomorrow, not in an hour."""
    with transaction() as session:
        row = stored.keep(session, sender_id, now)
        refused = isinstance(why, NotOffered)
        row.outcome = (Outcome.REFUSED if refused else Outcome.FAILED).value
        row.problem, row.due_at = str(why)[:300], _tomorrow(now) if refused else now + TRY_AGAIN


def _expected(reading: _Round, only: Collection[int] | None = None) -> set[int]:
    """Return who should be on the list; the reading session is given back, for a stranger answers next."""
    session = db.session()
    if only is None:
        found = stored.expected(session, session.get_one(Sender, reading.sender_id), reading.since)
    else:
        found = {
            one for part in _parts(sorted(only), LOOKED_UP_AT_ONCE) for one in _still(session, reading, part)
        }
    session.rollback()
    return found


def _still(session: Session, reading: _Round, ids: Collection[int]) -> set[int]:
    return stored.expected(session, session.get_one(Sender, reading.sender_id), reading.since, ids)


def _at(reading: _Round, page: Sequence[str]) -> set[int]:
    session, found = db.session(), set[int]()
    channel = session.get_one(Sender, reading.sender_id).channel
    for part in _parts(page, LOOKED_UP_AT_ONCE):
        found |= stored.ids_at(session, channel, part)
    session.rollback()
    return found


def _take_out(reading: _Round, ids: Sequence[int]) -> int:
    """End what was agreed to, a batch in a transaction; whoever came back meanwhile is not expected any more."""
    left = 0
    for part in _parts(ids, BATCH):
        with transaction() as session:
            lock_head(session, reading.controller.ledger)
            still = _still(session, reading, part)
            people = select(Subscriber).where(Subscriber.id.in_(still)).order_by(Subscriber.id)
            for person in session.scalars(people).all():
                _leave(session, reading, person)
            left += len(still)
    return left


def _leave(session: Session, reading: _Round, person: Subscriber) -> None:
    """Do what the platform's own word would have done, with proof that says where we have it from."""
    on = f"{reading.now:%Y-%m-%d}"
    event = PlatformEvent(
        f"{stored.MARK}{reading.now:%Y%m%dT%H%M%S}:{person.id}",
        Address(person.channel, person.address),
        PlatformSignal.LEFT,
        evidence={"event": f"not among the followers on {on}", "read_at": reading.now.isoformat()},
    )
    take_signal(session, event, sender_id=reading.sender_id, controller=reading.controller, now=reading.now)


def _write_down(reading: _Round, done: Reading, by: str, *, plausible: bool) -> None:
    with transaction() as session:
        row = stored.keep(session, reading.sender_id, reading.now)
        row.outcome, row.problem, row.read_at = done.outcome.value, None, reading.now
        row.followers, row.ours, row.missing = done.followers, done.ours, done.missing
        row.due_at = _tomorrow(reading.now)
        if done.left:
            name = session.get_one(Sender, reading.sender_id).name
            facts: dict[str, object] = {"followers": done.followers, "ours": done.ours, "people": done.left}
            facts |= {} if plausible else {"anyway": True}
            note(session, by, "sender.followers", f"sender {name}", reading.now, **facts)


def _parts(all_: Sequence[_T], most: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(all_), most):
        yield all_[start : start + most]


def _tomorrow(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC)
