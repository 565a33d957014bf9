"""What people answered to a broadcast: how many pressed what, and who, for those who may see that."""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.buttons import ButtonKind, from_json
from app.storage.database import db
from app.storage.models import BroadcastAnswer, BroadcastRich, Subscriber


@dataclass(frozen=True)
class Tallied:
    """One label, and how many people pressed it last; those who were erased count, too."""

    label: str
    people: int


def tallied(broadcast_id: int) -> list[Tallied]:
    """Return the reply buttons of a broadcast in their order, each with its count; empty where it has none."""
    session = db.session()
    rows = session.execute(
        select(BroadcastAnswer.label, func.count())
        .where(BroadcastAnswer.broadcast_id == broadcast_id)
        .group_by(BroadcastAnswer.label)
    )
    counts = {label: count for label, count in rows}
    buttons = labels_of(session, [broadcast_id]).get(broadcast_id, ())
    labels = dict.fromkeys((*buttons, *sorted(counts)))
    return [Tallied(label, counts.get(label, 0)) for label in labels]


def labels_of(session: Session, broadcast_ids: Collection[int]) -> dict[int, list[str]]:
    """Return broadcast -> the labels of its reply buttons on all channels, each once; one without any is left out."""
    rows = session.scalars(
        select(BroadcastRich)
        .where(BroadcastRich.broadcast_id.in_(broadcast_ids))
        .order_by(BroadcastRich.broadcast_id, BroadcastRich.channel)
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        buttons = from_json(row.content or {}, None).buttons
        labels = [one.label for one in buttons if one.kind is ButtonKind.REPLY]
        if labels:
            found[row.broadcast_id] = list(dict.fromkeys([*found.get(row.broadcast_id, ()), *labels]))
    return found


def answers_csv(broadcast_id: int) -> Iterator[str]:
    """Yield who answered what, line by line; numbers in full, and neither number nor moment of who was erased."""
    yield _line("subscriber_id", "channel", "address", "answer", "answered_at")
    rows = db.session.execute(
        select(BroadcastAnswer, Subscriber)
        .outerjoin(Subscriber, Subscriber.id == BroadcastAnswer.subscriber_id)
        .where(BroadcastAnswer.broadcast_id == broadcast_id)
        .order_by(BroadcastAnswer.id)
        .execution_options(yield_per=1000)
    )
    for answer, person in rows:
        who = (str(person.id), person.channel, person.address) if person else ("", "", "")
        at = answer.answered_at.isoformat() if answer.answered_at else ""
        yield _line(*who, answer.label, at)


def _line(*values: str) -> str:
    # As in `reports`: a cell that begins like a formula would be run by a spreadsheet.
    safe = ["'" + one if one[:1] in ("=", "-", "@", "\t", "\r") else one for one in values]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(safe)
    return out.getvalue()
