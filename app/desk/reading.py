"""What the pages read straight from the tables: rows of broadcasts, lists and senders."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort
from sqlalchemy import func, select

from app.desk.words import TABS
from app.domain.short_links import Counting
from app.domain.statuses import NOT_EDITORS
from app.services.short_links import counting_of
from app.storage.database import db
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    ImportRun,
    ListSender,
    Sender,
)
from app.storage.variants import variants_of


@dataclass(frozen=True)
class Pulse:
    """Whether anything may go out: the paused senders, by name and reason."""

    senders: int
    paused: tuple[tuple[str, str], ...]


def broadcast_or_404(broadcast_id: int) -> Broadcast:
    """A broadcast of the editors. Ends the request with 404 for none, a sender's replies, a template or a test."""
    broadcast = db.session.get(Broadcast, broadcast_id)
    if broadcast is None or broadcast.state in NOT_EDITORS or broadcast.tests_id is not None:
        abort(404)
    return broadcast


def tab_counts() -> dict[str, int]:
    """How many broadcasts lie in each tab."""
    counts = select(Broadcast.state, func.count()).where(Broadcast.tests_id.is_(None))
    rows = db.session.execute(counts.group_by(Broadcast.state))
    by_state = {row[0]: row[1] for row in rows}
    return {tab: sum(by_state.get(state, 0) for state in states) for tab, states in TABS.items()}


def broadcasts_in(tab: str, *, page: int, size: int) -> list[Broadcast]:
    """One page of a tab (pages count from 1), and one row more when there is a next page.

    What waits is in the order in which it goes; the rest has the newest first.
    """
    order = (
        (Broadcast.next_at, Broadcast.id)
        if tab == "waiting"
        else (Broadcast.updated_at.desc(), Broadcast.id.desc())
    )
    here = (Broadcast.state.in_(TABS[tab]), Broadcast.tests_id.is_(None))
    rows = select(Broadcast).where(*here).order_by(*order)
    return list(db.session.scalars(rows.offset((page - 1) * size).limit(size + 1)))


def targets(broadcast_id: int) -> Sequence[BroadcastList]:
    """The lists that a broadcast goes to."""
    rows = (
        select(BroadcastList)
        .join(BroadcastTarget, BroadcastTarget.list_id == BroadcastList.id)
        .where(BroadcastTarget.broadcast_id == broadcast_id)
        .order_by(BroadcastList.id)
    )
    return db.session.scalars(rows).all()


def counting_for(broadcast_id: int) -> Counting | None:
    """How clicks on a broadcast are counted; None: they are not."""
    return counting_of(db.session(), [row.id for row in targets(broadcast_id)])


def list_names(broadcast_ids: Sequence[int]) -> dict[int, list[str]]:
    """Names of the lists of each of these broadcasts."""
    names: dict[int, list[str]] = defaultdict(list)
    rows = (
        select(BroadcastTarget.broadcast_id, BroadcastList.name)
        .join(BroadcastList, BroadcastList.id == BroadcastTarget.list_id)
        .where(BroadcastTarget.broadcast_id.in_(broadcast_ids))
        .order_by(BroadcastList.name)
    )
    for broadcast_id, name in db.session.execute(rows):
        names[broadcast_id].append(name)
    return names


def open_lists() -> Sequence[BroadcastList]:
    """Lists that can be joined, by name."""
    rows = select(BroadcastList).where(BroadcastList.archived_at.is_(None)).order_by(BroadcastList.name)
    return db.session.scalars(rows).all()


def ordinary_lists() -> Sequence[BroadcastList]:
    """Lists that broadcasts go to; those of live events have a page of their own."""
    return [row for row in open_lists() if row.ends_at is None]


def list_or_404(list_id: int) -> BroadcastList:
    """A list, archived or not. Ends the request with 404 for none."""
    found = db.session.get(BroadcastList, list_id)
    if found is None:
        abort(404)
    return found


def imports_of(*, page: int, size: int) -> list[tuple[ImportRun, str]]:
    """One page of the imports, newest first, each with the name of its list; one row more when there is a next page."""
    rows = (
        select(ImportRun, BroadcastList.name)
        .join(BroadcastList, BroadcastList.id == ImportRun.list_id)
        .order_by(ImportRun.id.desc())
    )
    found = db.session.execute(rows.offset((page - 1) * size).limit(size + 1))
    return [(run, name) for run, name in found]


def senders() -> Sequence[Sender]:
    """Our numbers and accounts, by name."""
    return db.session.scalars(select(Sender).order_by(Sender.name)).all()


def sender_of(list_ids: Sequence[int]) -> Sender | None:
    """The sender of the first of these lists: whose name stands above the message on a phone."""
    rows = (
        select(Sender)
        .join(BroadcastList, BroadcastList.sender_id == Sender.id)
        .where(BroadcastList.id.in_(list_ids))
        .order_by(BroadcastList.id)
    )
    return db.session.scalars(rows.limit(1)).first()


def further_senders() -> dict[int, list[Sender]]:
    """List id -> its senders besides the first, by channel."""
    rows = db.session.execute(
        select(ListSender.list_id, Sender)
        .join(Sender, Sender.id == ListSender.sender_id)
        .order_by(ListSender.channel)
    )
    found: dict[int, list[Sender]] = {}
    for list_id, sender in rows:
        found.setdefault(list_id, []).append(sender)
    return found


def further_channels() -> Sequence[str]:
    """The channels on which lists are besides that of their first sender."""
    return db.session.scalars(select(ListSender.channel).distinct().order_by(ListSender.channel)).all()


def other_words(broadcast_id: int) -> dict[str, str]:
    """`Scope.key` -> other words that a broadcast has for a channel, a language, or both."""
    return variants_of(db.session(), broadcast_id)


def pulse() -> Pulse:
    """Whether sending is on."""
    found = senders()
    paused = tuple((s.name, s.paused_reason or "") for s in found if s.paused_at is not None)
    return Pulse(len(found), paused)


def house_zone() -> str:
    """The zone of the default list, else UTC: for moments that have no zone of their own."""
    zone = select(BroadcastList.zone).order_by(BroadcastList.is_default.desc(), BroadcastList.id)
    return db.session.scalar(zone.limit(1)) or "UTC"
