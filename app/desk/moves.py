"""Move a waiting broadcast to another day or hour: what stands against it is shown before anything is saved."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.choices import Choice, chosen
from app.desk.forms import Errors, posted
from app.desk.holidays import holiday_note
from app.desk.reading import broadcast_or_404, targets
from app.desk.refusals import said, translated
from app.desk.typed_number import is_asked, wrong_number
from app.domain.statuses import BroadcastState
from app.services import move_broadcasts, review_broadcasts
from app.services.controller import Refused
from app.services.review_broadcasts import Review
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

moves = room("moves", __name__)


@moves.get("/broadcasts/<int:broadcast_id>/move")
@allow(Role.EDITOR)
def ask(broadcast_id: int) -> ResponseReturnValue:
    """Ask for the new time; one that is in the address already, as after a drag, is shown with its clashes."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.SCHEDULED:
        return redirect(url_for("progress.show", broadcast_id=broadcast_id))
    return _page(broadcast, _raw(broadcast))


@moves.get("/broadcasts/<int:broadcast_id>/move/words")
@allow(Role.EDITOR)
def words(broadcast_id: int) -> ResponseReturnValue:
    """What stands against a time, while it is being chosen."""
    broadcast = broadcast_or_404(broadcast_id)
    return render_template("move_words.html", broadcast=broadcast, **_answer(broadcast, _raw(broadcast)))


@moves.post("/broadcasts/<int:broadcast_id>/move")
@allow(Role.EDITOR)
def confirm(broadcast_id: int) -> ResponseReturnValue:
    """Move it to the time whose clashes were shown beside the button."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.SCHEDULED:
        return redirect(url_for("progress.show", broadcast_id=broadcast_id))
    raw = _raw(broadcast)
    now = utcnow()
    choice, errors = chosen(broadcast, raw, now)
    if choice is None or choice.problem:
        return _page(broadcast, raw, errors), 422
    if errors := wrong_number(_look(broadcast, choice, now).reachable, raw):
        return _page(broadcast, raw, errors), 422
    before = _wall(broadcast)
    try:
        move_broadcasts.move_to(
            broadcast_id,
            at=None if choice.plan else choice.at,
            local_at=choice.local_at,
            by=me().actor,
            now=now,
            over_cap_reason=str(raw.get("over_cap_reason", "")),
        )
    except Refused as error:
        return _page(broadcast, raw, {"form": translated(error)}), 422
    return redirect(
        url_for(
            "calendar.index", view=raw["view"], day=raw["day"], moved=broadcast_id, before=before.isoformat()
        )
    )


def _raw(broadcast: Broadcast) -> dict[str, Any]:
    """The form, filled in with the time at which it goes now."""
    wall, raw = _wall(broadcast), posted()
    kept = {"day": wall.date().isoformat(), "hour": f"{wall:%H:%M}", "view": "month"}
    fixed = {"choice": "local" if broadcast.local_at else "at", "zone": broadcast.zone}
    return {**kept, **raw, **fixed}


def _wall(broadcast: Broadcast) -> datetime:
    """What the clock shows when it goes: each person's own, or that of its zone."""
    if broadcast.local_at is not None:
        return broadcast.local_at
    return (broadcast.next_at or utcnow()).astimezone(ZoneInfo(broadcast.zone)).replace(tzinfo=None)


def _page(broadcast: Broadcast, raw: dict[str, Any], errors: Errors | None = None) -> str:
    answer = _answer(broadcast, raw)
    return render_template(
        "move.html",
        broadcast=broadcast,
        values=raw,
        view=raw["view"] if raw["view"] in ("month", "week") else "month",
        **answer | {"errors": {**answer["errors"], **(errors or {})}},
    )


def _answer(broadcast: Broadcast, raw: dict[str, Any]) -> dict[str, Any]:
    """The chosen time, and what stands against it."""
    now = utcnow()
    choice, errors = chosen(broadcast, raw, now)
    shown = {"choice": choice, "errors": errors, "raw": raw, "now": now, "same": False, "sheet": None}
    if choice is None or choice.problem:
        return shown
    sheet = _look(broadcast, choice, now)
    return shown | {
        "same": _is_same(broadcast, choice),
        "sheet": sheet,
        "problems": [said(one) for one in sheet.problems],
        "promise": "" if broadcast.over_cap_reason else said(sheet.promise),
        "holiday": holiday_note(choice.day(now), [one.zone for one in targets(broadcast.id)]),
        "number_to_type": sheet.reachable if is_asked(sheet.reachable) else None,
        "quota_notes": [said(one) for one in sheet.quota_notes],
    }


def _look(broadcast: Broadcast, choice: Choice, now: datetime) -> Review:
    """The dry run for the new time."""
    return review_broadcasts.check(
        broadcast.id, now=now, at=choice.at, local_at=choice.local_at, zone=choice.zone
    )


def _is_same(broadcast: Broadcast, choice: Choice) -> bool:
    if choice.plan:
        return choice.local_at == broadcast.local_at
    return choice.at == broadcast.next_at


def moved_note() -> dict[str, Any] | None:
    """What the calendar says after a move: which broadcast, its time, and the address that moves it back."""
    broadcast_id = request.args.get("moved", type=int)
    try:
        before = datetime.fromisoformat(request.args.get("before", ""))
    except ValueError:
        return None
    if broadcast_id is None:
        return None
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.SCHEDULED or broadcast.next_at is None:
        return None
    back = url_for(
        "moves.ask",
        broadcast_id=broadcast_id,
        day=before.date().isoformat(),
        hour=f"{before:%H:%M}",
        view=request.args.get("view"),
    )
    return {"broadcast": broadcast, "back": back}
