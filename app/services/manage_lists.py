"""Lists: what people subscribe to. They are made and closed here; `change_list` changes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.keywords import squeeze
from app.domain.statuses import OnUnknown
from app.services.audit import note
from app.services.controller import Controller, NotFound
from app.services.list_checks import check_free, check_promise, check_texts, check_word, reason_of
from app.services.list_notices import write_notices
from app.services.lists_of_sender import offers_of
from app.services.waiting_for_lists import refuse_while_waiting
from app.storage import headcounts
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ListSender, Sender


@dataclass(frozen=True)
class ListRow:
    """What is shown of a list. Hours are of the day in `zone`; `active` counts its subscribers.

    `most` and `ends_at` are the promise of a live event.
    """

    id: int
    name: str
    keyword: str
    purpose: str
    language: str
    max_per_day: int
    from_hour: int
    until_hour: int
    zone: str
    sender: str
    is_default: bool
    active: int
    archived_at: datetime | None
    any_hour_reason: str | None
    further_senders: tuple[str, ...]
    most: int | None = None
    ends_at: datetime | None = None


def create_list(
    *,
    name: str,
    keyword: str,
    purpose: str,
    language: str,
    max_per_day: int,
    from_hour: int,
    until_hour: int,
    zone: str,
    sender_id: int,
    is_default: bool,
    by: str,
    controller: Controller,
    now: datetime,
    any_hour_reason: str = "",
) -> int:
    """Make a list and its first notice in English and German; returns the list's id.

    The promise (at most `max_per_day`, from `from_hour` until `until_hour` in `zone`) is part of the notice. A
    bare START joins the default list; a new default takes over from the old one of its sender, and the first
    list of a sender is its default anyway. With `any_hour_reason` the hours promised stand for the quiet hours of
    the places where people are; the reason is kept. Raises `Refused` for what cannot be, `Conflict` for a name or
    keyword in use (naming the other list), `NotFound` for an unknown sender.
    """
    with transaction() as session:
        row = BroadcastList(
            name=name.strip(),
            keyword=squeeze(keyword),
            purpose=purpose.strip(),
            language=language,
            max_per_day=max_per_day,
            from_hour=from_hour,
            until_hour=until_hour,
            zone=zone,
            sender_id=sender_id,
            is_default=is_default,
            any_hour_reason=reason_of(any_hour_reason),
            created_at=now,
        )
        return add_list(session, row, keyword, by=by, controller=controller, now=now)


def add_list(
    session: Session, row: BroadcastList, keyword: str, *, by: str, controller: Controller, now: datetime
) -> int:
    """Do what `create_list` does within the caller's transaction; `keyword` is the word as it was written."""
    check_texts(row.name, row.purpose, row.language)
    check_word(keyword, row.keyword)
    check_promise(row.max_per_day, row.from_hour, row.until_hour, row.zone)
    sender = session.get(Sender, row.sender_id)
    if sender is None:
        raise NotFound(f"There is no sender number {row.sender_id}. Make one with: tidings senders add")
    check_free(session, row.name, row.keyword)
    row.is_default = row.is_default or not offers_of(session, sender)
    stand_alone_as_default(session, row)
    session.add(row)
    session.flush()
    write_notices(session, row, controller, now)
    why = {"any_hour": row.any_hour_reason} if row.any_hour_reason else {}
    note(session, by, "list.create", f"list {row.id}", now, **why)
    return row.id


def archive(name: str, *, by: str, now: datetime) -> ListRow:
    """Close a list: nobody can join, nothing more is sent to it, its history stays. Twice changes nothing.

    Raises `NotFound`, and `Refused` naming what waits to go to it.
    """
    with transaction() as session:
        list_id = find_list(session, name).id
    return archive_list(list_id, by=by, now=now)


def archive_list(list_id: int, *, by: str, now: datetime) -> ListRow:
    """Do what `archive` does to the list of that number."""
    with transaction() as session:
        row = session.get(BroadcastList, list_id, with_for_update=True)
        if row is None:
            raise NotFound(f"There is no list number {list_id}.")
        if row.archived_at is None:
            refuse_while_waiting(session, row)
            row.archived_at, row.is_default, row.closing_by = now, False, by
            note(session, by, "list.archive", f"list {row.id}", now)
        session.flush()
        return _rows(session)[row.id]


def set_any_hour(name: str, reason: str, *, by: str, now: datetime) -> ListRow:
    """Let a list's promised hours stand for the quiet hours of places, for a reason; with none, quiet hours hold again.

    What already waits for an opening keeps waiting for it. Raises `NotFound`, or `Refused` for too long a reason.
    """
    with transaction() as session:
        row = find_list(session, name)
        row.any_hour_reason = reason_of(reason)
        note(session, by, "list.any_hour", f"list {row.id}", now, reason=row.any_hour_reason)
        session.flush()
        return _rows(session)[row.id]


def set_on_unknown(name: str, policy: OnUnknown, *, by: str, now: datetime) -> str:
    """Say what becomes of messages of a list that the provider does not have; returns its name. Raises `NotFound`."""
    with transaction() as session:
        row = find_list(session, name)
        row.on_unknown = policy.value
        note(session, by, "list.on_unknown", f"list {row.id}", now, policy=policy.value)
        return row.name


def list_lists(*, archived: bool = False) -> list[ListRow]:
    """Return the lists by name, with `archived` those closed too."""
    rows = _rows(db.session()).values()
    return [row for row in rows if archived or row.archived_at is None]


def find_list(session: Session, name: str) -> BroadcastList:
    """Return the list with this name or keyword; raises `NotFound` naming those that exist."""
    rows = session.scalars(select(BroadcastList).order_by(BroadcastList.name)).all()
    for row in rows:
        if name.strip().casefold() == row.name.casefold() or squeeze(name) == row.keyword:
            return row
    there = ", ".join(f"“{row.name}”" for row in rows) or "none yet; make one with: tidings lists create"
    raise NotFound(f"There is no list “{name}”. Lists: {there}.")


def stand_alone_as_default(session: Session, row: BroadcastList) -> None:
    """Let no other list of its sender be joined by a bare START, if this one is."""
    if row.is_default:
        others = BroadcastList.id.is_distinct_from(row.id), BroadcastList.sender_id == row.sender_id
        session.execute(update(BroadcastList).where(*others).values(is_default=False))


def _rows(session: Session) -> dict[int, ListRow]:
    counts, further = headcounts.by_list(session), _further_senders(session)
    found = session.execute(
        select(BroadcastList, Sender.name)
        .join(Sender, Sender.id == BroadcastList.sender_id)
        .order_by(BroadcastList.name)
    )
    return {
        row.id: _row(row, sender, counts.get(row.id, 0), further.get(row.id, ())) for row, sender in found
    }


def _further_senders(session: Session) -> Mapping[int, tuple[str, ...]]:
    found = session.execute(
        select(ListSender.list_id, Sender.name)
        .join(Sender, Sender.id == ListSender.sender_id)
        .order_by(ListSender.list_id, Sender.name)
    ).all()
    return {
        list_id: tuple(name for _, name in group) for list_id, group in groupby(found, key=lambda one: one[0])
    }


def _row(row: BroadcastList, sender: str, active: int, further: tuple[str, ...]) -> ListRow:
    return ListRow(
        row.id,
        row.name,
        row.keyword,
        row.purpose,
        row.language,
        row.max_per_day,
        row.from_hour,
        row.until_hour,
        row.zone,
        sender,
        row.is_default,
        active,
        row.archived_at,
        row.any_hour_reason,
        further,
        row.most,
        row.ends_at,
    )
