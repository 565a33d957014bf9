"""A year of a newsroom, written straight into the tables: its people, its broadcasts, and the figures of its reports.

What the product writes row by row would take hours for a thousand broadcasts to a million people. Deliveries are kept
of the last few broadcasts only, as retention would leave them; the sums of the others stand in their tallies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, String, case, cast, func, insert, literal, null, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import CTE

from app.clock import utcnow
from app.domain.ledger import iso_ms
from app.domain.statuses import DeliveryStatus
from app.runtime import runtime
from app.storage.consent import lock_head
from app.storage.database import learn_sizes, transaction
from app.storage.models import (
    Broadcast,
    BroadcastHour,
    BroadcastTarget,
    BroadcastTotal,
    ConsentEvent,
    Delivery,
    DeliveryTally,
    FigureMark,
    ListDay,
    Slice,
    Subject,
    Subscriber,
    Subscription,
    WordDay,
)
from bench.big_list import FIRST_CHAT

DAYS = 365
_SLICE = 1000
_TEXT = "The bridge over the river is open again; trams run from six o'clock. Reply STOP to leave."
_ACTS = ("keyword_exact", "web_form", "imported")
_RULES = tuple(f"rule-{number}" for number in range(12))
_HOURS_AFTER = 72
_KINDS = ("left", "answered")


@dataclass(frozen=True)
class Year:
    """Which list, and the newest of its broadcasts, whose deliveries are there."""

    list_id: int
    newest_id: int
    somebody_id: int


def fill(list_id: int, sender_id: int, *, people: int, broadcasts: int, with_rows: int = 2) -> Year:
    """Let `people` join a list over a year, and `broadcasts` go to them; the last `with_rows` have deliveries."""
    first = _people(list_id, people)
    newest = _broadcasts(list_id, sender_id, first, people, broadcasts, with_rows)
    _figures(list_id, sender_id, newest, people, broadcasts)
    learn_sizes(Subject, Subscriber, Subscription, ConsentEvent, Broadcast, Delivery, DeliveryTally, Slice)
    return Year(list_id, newest, first)


def _people(list_id: int, people: int) -> int:
    """Returns the id of the first one; the others follow without a gap."""
    with transaction() as session:
        first = (session.scalar(select(func.max(Subscriber.id))) or 0) + 1
        head = lock_head(session, runtime().controller.ledger)
        shift = head.seq + 1 - first
        for day in range(DAYS):
            low, high = first + day * people // DAYS, first + (day + 1) * people // DAYS - 1
            if low <= high:
                _join(session, list_id, (low, high), shift, utcnow() - timedelta(days=DAYS - day))
        head.seq += people
        return first


def _numbers(low: int, high: int) -> CTE:
    number = select(literal(low, BigInteger()).label("i")).cte("numbers", recursive=True)
    return number.union_all(select(number.c.i + 1).where(number.c.i < high))


def _copy(session: Session, model: type[Any], numbers: CTE, columns: dict[str, Any]) -> None:
    session.execute(insert(model).from_select(list(columns), select(*columns.values()).select_from(numbers)))


def _join(session: Session, list_id: int, ids: tuple[int, int], shift: int, at: datetime) -> None:
    numbers = _numbers(*ids)
    i = numbers.c.i
    name, moment = literal("year-") + cast(i, String), literal(at, Subscriber.created_at.type)
    _copy(
        session,
        Subject,
        numbers,
        {"subject_ref": name, "index_hmac": name, "wrapped_key": literal(b"-"), "created_at": moment},
    )
    person = {
        "id": i,
        "channel": literal("telegram"),
        "address": cast(i + FIRST_CHAT, String),
        "subject_ref": name,
        "language": case((i % 3 == 0, "de"), else_="en"),
        "attributes": literal({}, Subscriber.attributes.type),
        "created_at": moment,
    }
    _copy(session, Subscriber, numbers, person)
    subscription = {
        "list_id": literal(list_id),
        "subscriber_id": i,
        "state": literal("active"),
        "granted_seq": i + shift,
        "granted_at": moment,
        "active_seq": i + shift,
    }
    _copy(session, Subscription, numbers, subscription)
    _copy(session, ConsentEvent, numbers, _entry(list_id, name, i + shift, literal(iso_ms(at))))


def _entry(list_id: int, name: Any, seq: Any, at: Any) -> dict[str, Any]:
    return {
        "event_id": name,
        "v": literal(1),
        "ledger": literal(runtime().controller.ledger),
        "seq": seq,
        "subject_ref": name,
        "event_type": literal("consent_given"),
        "occurred_at": at,
        "recorded_at": at,
        "channel": literal("telegram"),
        "list_id": literal(list_id),
        "scope": literal("list"),
        "act": literal("keyword_exact"),
        "actor": literal("person"),
        "prev_hash": literal("-"),
        "entry_hash": literal("-"),
    }


def _broadcasts(
    list_id: int, sender_id: int, first: int, people: int, broadcasts: int, with_rows: int
) -> int:
    """Returns the id of the newest one."""
    newest = 0
    for number in range(broadcasts):
        at = utcnow() - timedelta(days=DAYS) + (number + 1) * timedelta(days=DAYS) / (broadcasts + 1)
        with transaction() as session:
            sent = _broadcast(sender_id, number, at, people)
            session.add(sent)
            session.flush()
            session.add(BroadcastTarget(broadcast_id=sent.id, list_id=list_id))
            newest = sent.id
            _slices(session, newest, sender_id, first, people)
            if number < broadcasts - with_rows:
                _tallies(session, newest, sender_id, people)
            else:
                _deliveries(session, newest, first, people, at)
    return newest


def _broadcast(sender_id: int, number: int, at: datetime, people: int) -> Broadcast:
    return Broadcast(
        title=f"News number {number}",
        text=_TEXT,
        state="finished",
        sender_id=sender_id,
        zone="UTC",
        created_by="bench",
        created_at=at,
        updated_at=at,
        started_at=at,
        finished_at=at + timedelta(minutes=3),
        as_of_seq=people,
        audience=people,
        state_by="system",
        state_at=at,
    )


def _slices(session: Session, broadcast_id: int, sender_id: int, first: int, people: int) -> None:
    numbers = _numbers(0, max(0, (people - 1) // _SLICE))
    i = numbers.c.i
    columns = {
        "broadcast_id": literal(broadcast_id),
        "seq": i,
        "sender_id": literal(sender_id),
        "lo": first + i * _SLICE,
        "hi": first + i * _SLICE + _SLICE - 1,
        "people": literal(_SLICE),
        "state": literal("done"),
        "epoch": literal(1),
    }
    _copy(session, Slice, numbers, columns)


def _tallies(session: Session, broadcast_id: int, sender_id: int, people: int) -> None:
    failed, stopped = people // 50, people // 100
    fates = (
        (DeliveryStatus.DELIVERED, "", "", people - failed - stopped),
        (DeliveryStatus.FAILED, "blocked", "403", failed),
        (DeliveryStatus.SKIPPED, "stopped", "", stopped),
    )
    session.add_all(
        DeliveryTally(
            broadcast_id=broadcast_id,
            status=status.value,
            reason=reason,
            error_code=code,
            sender_id=sender_id,
            shard=0,
            people=count,
        )
        for status, reason, code, count in fates
    )


def _deliveries(session: Session, broadcast_id: int, first: int, people: int, at: datetime) -> None:
    """One in fifty could not be reached."""
    numbers = _numbers(first, first + people - 1)
    i = numbers.c.i
    failed = i % 50 == 0
    columns = {
        "broadcast_id": literal(broadcast_id),
        "subscriber_id": i,
        "inbound_id": literal(0),
        "slice": (i - first).self_group().op("/")(_SLICE),  # whole numbers on both databases
        "status": case((failed, DeliveryStatus.FAILED.value), else_=DeliveryStatus.DELIVERED.value),
        "reason": case((failed, "blocked"), else_=null()),
        "error_code": case((failed, "403"), else_=null()),
        "attempts": literal(1),
        "provider_id": cast(i, String),
        "updated_at": literal(at, Delivery.updated_at.type),
    }
    _copy(session, Delivery, numbers, columns)


def _figures(list_id: int, sender_id: int, newest: int, people: int, broadcasts: int) -> None:
    today = utcnow().date()
    days = [today - timedelta(days=DAYS - number) for number in range(DAYS)]
    with transaction() as session:
        session.execute(insert(ListDay), list(_comings(list_id, days, people)))
        session.execute(insert(WordDay), list(_words(sender_id, days)))
        for broadcast_id in range(newest - broadcasts + 1, newest + 1):
            at = session.get_one(Broadcast, broadcast_id).started_at or utcnow()
            session.execute(insert(BroadcastHour), list(_hours(broadcast_id, at)))
            session.execute(
                insert(BroadcastTotal),
                [{"broadcast_id": broadcast_id, "kind": kind, "people": _HOURS_AFTER} for kind in _KINDS],
            )
        for source in (f"ledger:{runtime().controller.ledger}", "texts"):
            session.merge(FigureMark(source=source, upto=2**40, at=utcnow()))


def _comings(list_id: int, days: Sequence[date], people: int) -> Iterator[dict[str, Any]]:
    for day in days:
        for act in _ACTS:
            for tag in ("", "poster", "site"):
                each = {"list_id": list_id, "day": day, "channel": "telegram", "act": act, "tag": tag}
                yield {**each, "kind": "joined", "people": people // DAYS // 9}
        yield {**each, "kind": "left", "act": "keyword_exact", "tag": "", "people": people // DAYS // 20}


def _words(sender_id: int, days: Sequence[date]) -> Iterator[dict[str, Any]]:
    for day in days:
        for rule in _RULES:
            yield {"day": day, "sender_id": sender_id, "outcome": "START", "rule": rule, "texts": 7}


def _hours(broadcast_id: int, at: datetime) -> Iterator[dict[str, Any]]:
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for kind in _KINDS:
        for later in range(_HOURS_AFTER):
            yield {
                "broadcast_id": broadcast_id,
                "kind": kind,
                "hour": hour + timedelta(hours=later),
                "people": 1,
            }
