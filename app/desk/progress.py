"""Progress and Report: what a broadcast is doing, and what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final

from flask import Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import LARGEST_ID, allow, room
from app.desk.language_form import texts_of
from app.desk.own_clocks import TurnLine, turn_lines
from app.desk.pace import pace_drawing
from app.desk.reading import broadcast_or_404, list_names, senders
from app.desk.report_words import drawing_of
from app.desk.segments import segment_of
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.gateways.registry import gateway_class
from app.runtime import runtime
from app.services import correct_broadcasts, own_clocks, reports, try_again, undo_window, watch_broadcasts
from app.services.answers import tallied
from app.services.figures.compare import Comparison, compare
from app.services.figures.effects import effects_of
from app.services.figures.pace import pace_of
from app.services.figures.roll_up import counted_until
from app.services.figures.taken import taken
from app.services.prove_broadcast import basis_of, rows_kept_until
from app.services.read_rules import rule_behind
from app.services.record_clicks import clicks_of, labels_of
from app.services.reports import Tally
from app.services.template_news import back_again
from app.storage.database import db
from app.storage.models import Broadcast, Sender
from app.storage.models.accounts import Role

ROWS: Final = 50
FIRST_ROWS: Final = 20
RECEIPTS_COME_WITHIN: Final = timedelta(hours=1)
_SLOWEST: Final = 15
_MOVING: Final = (BroadcastState.SENDING,)
_STILL: Final = (BroadcastState.SCHEDULED, BroadcastState.PAUSED)

progress = room("progress", __name__)


@dataclass(frozen=True)
class Segment:
    """One stretch of the bar, in thousandths of its width."""

    name: str
    count: int
    start: float
    width: float


@progress.get("/broadcasts/<int:broadcast_id>")
@allow(Role.EDITOR)
def show(broadcast_id: int) -> ResponseReturnValue:
    """How far a broadcast is; the numbers renew themselves while something moves."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state == BroadcastState.DRAFT:
        return redirect(url_for("compose.edit", broadcast_id=broadcast_id))
    status = _status()
    return render_template(
        "progress.html",
        rule_id=rule_behind(broadcast_id),
        rows=reports.deliveries(broadcast_id, status=status, limit=FIRST_ROWS) if status else [],
        other_texts=texts_of(broadcast_id),
        **segment_of(broadcast),
        **_standing(broadcast),
    )


@progress.get("/broadcasts/<int:broadcast_id>/live")
@allow(Role.EDITOR)
def live(broadcast_id: int) -> ResponseReturnValue:
    """The part of the progress page that renews itself."""
    return render_template("progress_live.html", **_standing(broadcast_or_404(broadcast_id)))


@progress.get("/broadcasts/<int:broadcast_id>/report")
@allow(Role.EDITOR)
def report(broadcast_id: int) -> ResponseReturnValue:
    """What became of each message, in numbers and one by one."""
    broadcast = broadcast_or_404(broadcast_id)
    status = _status()
    after = request.args.get("after", None, int)
    rows = list(
        reports.deliveries(
            broadcast_id, status=status, limit=ROWS, after=min(after, LARGEST_ID) if after else None
        )
    )
    answers = tallied(broadcast_id)
    compared = compare(broadcast_id)
    effects = effects_of(broadcast_id)
    all_senders = {row.id: row for row in senders()}
    return render_template(
        "report.html",
        answers=answers,
        answered=sum(one.people for one in answers),
        broadcast=broadcast,
        tally=reports.tally(broadcast_id),
        taken=taken(db.session(), broadcast_id),
        optouts=compared.broadcast.sums.left if compared else 0,
        compared=compared,
        effects=effects,
        drawing=drawing_of(effects, broadcast.zone),
        links=clicks_of(broadcast_id),
        labels=labels_of(broadcast_id),
        until=counted_until(runtime().controller),
        senders=all_senders,
        awaited=_awaited(compared, all_senders),
        rows=rows,
        status=status,
        filters=STATUS_FILTERS,
        more=rows[-1].subscriber_id if len(rows) == ROWS else None,
        lists=list_names([broadcast_id])[broadcast_id],
        basis=basis_of(broadcast, runtime().controller),
        kept_until=rows_kept_until(broadcast, runtime().settings.retention),
        **segment_of(broadcast),
        **_corrections(broadcast),
    )


@progress.get("/broadcasts/<int:broadcast_id>/report.csv")
@allow(Role.ADMIN)
def report_csv(broadcast_id: int) -> ResponseReturnValue:
    """Every delivery as CSV; with full numbers, hence for admins."""
    broadcast_or_404(broadcast_id)
    lines: Iterator[str] = reports.deliveries_csv(broadcast_id)
    name = f"broadcast-{broadcast_id}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines), mimetype="text/csv", headers=headers)


def _status() -> str | None:
    """The status by which the rows are filtered; None for all of them, and for what is none."""
    chosen = request.args.get("status")
    return chosen if chosen in STATUS_FILTERS else None


def _awaited(found: Comparison | None, all_senders: Mapping[int, Sender]) -> int:
    """Count whose receipts may still come: of channels that send some."""
    told = found.broadcast.by_sender if found else {}
    return sum(
        sums.open
        for sender_id, sums in told.items()
        if sender_id in all_senders and gateway_class(all_senders[sender_id].gateway).capabilities().receipts
    )


STATUS_FILTERS: Final = tuple(status.name.lower() for status in DeliveryStatus)


def segments(tally: Tally) -> list[Segment]:
    """The bar's stretches, from what is certain to what is open; together as wide as the audience."""
    counts = {
        "delivered": tally.delivered,
        "sent": tally.sent,
        "failed": tally.failed,
        "unknown": tally.unknown,
        "skipped": tally.skipped,
        "waiting": tally.pending + tally.handing_over,
    }
    whole = sum(counts.values()) or 1
    found, start = [], 0.0
    for name, count in counts.items():
        width = 1000 * count / whole
        found.append(Segment(name, count, round(start, 2), round(width, 2)))
        start += width
    return found


def poll_seconds(
    broadcast: Broadcast, tally: Tally, cost: float, now: datetime, *, silent: int = 0
) -> int | None:
    """Seconds until a page may ask again: 1, and more when the answer took `cost` seconds to find; None at the end.

    `silent`: how many messages are with a platform that tells nothing more of them.
    """
    if broadcast.state in _MOVING:
        return min(_SLOWEST, max(1, round(20 * cost)))
    if broadcast.state in _STILL:
        return 5
    ended = broadcast.finished_at or broadcast.state_at
    waiting = tally.sent - silent or tally.pending or tally.handing_over
    receipts_open = waiting and ended is not None and now - ended < RECEIPTS_COME_WITHIN
    return 5 if receipts_open else None


def _standing(broadcast: Broadcast) -> dict[str, object]:
    began = perf_counter()
    tally, now = reports.tally(broadcast.id), utcnow()
    silent = taken(db.session(), broadcast.id)
    paused = broadcast.state == BroadcastState.PAUSED
    still, left = _still(broadcast, now), undo_window.seconds_left(broadcast, runtime().settings.undo, now)
    return {
        "seconds_left": left,
        "broadcast": broadcast,
        "tally": tally,
        "segments": segments(tally),
        "taken": silent,
        "poll": 1
        if left is not None
        else poll_seconds(broadcast, tally, perf_counter() - began, now, silent=sum(silent.values())),
        "lists": list_names([broadcast.id])[broadcast.id],
        "again": try_again.waiting_for_it(broadcast.id) if broadcast.state == BroadcastState.FINISHED else 0,
        "wave_waits": broadcast.first_percent is not None and watch_broadcasts.rest_waits(broadcast.id),
        "still": still,
        "held": watch_broadcasts.held(broadcast, now),
        "back": back_again(db.session(), broadcast) if paused else (),
        "pace": pace_drawing(pace_of(broadcast.id)) if broadcast.started_at else None,
        "status": _status(),
        "now": now,
        **_corrections(broadcast),
    }


def _still(broadcast: Broadcast, now: datetime) -> list[TurnLine]:
    """Who waits for the hour on their own clock."""
    if broadcast.local_at is None or broadcast.state not in (*_MOVING, *_STILL):
        return []
    turns = own_clocks.waiting(broadcast, now)
    return turn_lines(turns, broadcast.local_at, broadcast.zone, begun=True)


def _corrections(broadcast: Broadcast) -> dict[str, object]:
    """What it corrects, and what corrects it."""
    corrects = broadcast.corrects_id
    return {
        "corrected": broadcast_or_404(corrects) if corrects else None,
        "own_reach": correct_broadcasts.reach_of(broadcast) if corrects else None,
        "corrections": correct_broadcasts.corrections_of(broadcast.id),
    }
