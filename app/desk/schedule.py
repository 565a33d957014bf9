"""When and Review: choose the moment, see on one sheet what will happen, and let it go."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.approvals import approval_of
from app.desk.choices import Choice, chosen, right_now
from app.desk.cost_words import cost_words
from app.desk.forms import Errors, posted
from app.desk.freshness import fresh_of, worth_choices
from app.desk.holidays import holiday_note
from app.desk.languages import gettext as _
from app.desk.languages import zones
from app.desk.reading import broadcast_or_404, targets
from app.desk.refusals import said, translated
from app.desk.repeating import EVERY_WORDS, planned, weekday_names
from app.desk.review_sheet import FIRST_WAVES, look, review_page
from app.desk.rules import rule_review
from app.desk.typed_number import wrong_number
from app.domain.statuses import BroadcastState
from app.queue import begin
from app.runtime import runtime
from app.services import schedule_broadcasts
from app.services.controller import Refused
from app.services.look_ahead import look_ahead
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

schedule = room("schedule", __name__)
schedule.app_template_global("cost_words")(cost_words)


@schedule.get("/broadcasts/<int:broadcast_id>/when")
@allow(Role.EDITOR)
def when(broadcast_id: int) -> ResponseReturnValue:
    """Ask when it shall go."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return _progress(broadcast_id)
    return _when_page(broadcast, {**_proposal(broadcast), **posted()}, {})


@schedule.get("/broadcasts/<int:broadcast_id>/when/words")
@allow(Role.EDITOR)
def words(broadcast_id: int) -> ResponseReturnValue:
    """The chosen moment in words, while it is being chosen."""
    broadcast, raw, now = broadcast_or_404(broadcast_id), posted(), utcnow()
    return render_template("when_words.html", broadcast=broadcast, now=now, **_answer(broadcast, raw, now))


@schedule.get("/broadcasts/<int:broadcast_id>/review")
@allow(Role.EDITOR)
def review(broadcast_id: int) -> ResponseReturnValue:
    """Everything on one sheet, and the one button that sends or schedules."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return _progress(broadcast_id)
    raw, now = posted(), utcnow()
    if raw.get("choice") == "repeat":
        return _review_of_rule(broadcast, raw, now)
    choice, errors = chosen(broadcast, raw, now)
    if choice is None or choice.problem:
        return _when_page(broadcast, {**_proposal(broadcast), **raw}, errors), 422
    return review_page(broadcast, choice, look(broadcast, choice, now, fresh_of(raw)), now, raw=raw)


@schedule.get("/broadcasts/<int:broadcast_id>/approval")
@allow(Role.EDITOR)
def read(broadcast_id: int) -> ResponseReturnValue:
    """The sheet for a second person, whatever the hour: a yes is to the words, and the time is chosen afterwards."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return _progress(broadcast_id)
    if approval_of(broadcast) is None:
        return redirect(url_for("schedule.when", broadcast_id=broadcast_id))
    now = utcnow()
    choice = right_now(broadcast, _proposal(broadcast)["zone"], now)
    return review_page(broadcast, choice, look(broadcast, choice, now), now, raw={}, reading=True)


@schedule.post("/broadcasts/<int:broadcast_id>/review")
@allow(Role.EDITOR)
def confirm(broadcast_id: int) -> ResponseReturnValue:
    """Schedule it. What is refused comes back as it was written, and a moment that cannot be leads to the question."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return _progress(broadcast_id)  # pressed twice: the first press did it
    raw, now = posted(), utcnow()
    choice, errors = chosen(broadcast, raw, now)
    if choice is None:
        return _when_page(broadcast, {**_proposal(broadcast), **raw}, errors), 422
    sheet = look(broadcast, choice, now, fresh_of(raw))
    if not choice.problem and (errors := wrong_number(sheet.reachable, raw)):
        return review_page(broadcast, choice, sheet, now, raw=raw, errors=errors), 422
    try:
        _schedule(broadcast_id, choice, raw, now)
    except Refused as error:
        if choice.problem:
            values = {**_proposal(broadcast), **raw}
            return _when_page(broadcast, values, {"form": translated(error)}), 422
        field = "over_cap_reason" if str(error) == sheet.promise else "form"
        return review_page(broadcast, choice, sheet, now, raw=raw, errors={field: translated(error)}), 422
    if choice.at is not None:
        flash(_("Scheduled for %(when)s.", when=choice.words))
    elif not runtime().settings.undo:
        begin(broadcast_id, now)
    return _progress(broadcast_id)


def _schedule(broadcast_id: int, choice: Choice, raw: dict[str, Any], now: datetime) -> None:
    schedule_broadcasts.schedule(
        broadcast_id,
        at=None if choice.plan else choice.at or now + runtime().settings.undo,
        local_at=choice.local_at,
        zone=choice.zone,
        by=me().actor,
        now=now,
        over_cap_reason=str(raw.get("over_cap_reason", "")),
        first_percent=_first_percent(raw),
        public_url=runtime().settings.public_url,
        fresh_minutes=fresh_of(raw),
    )


def _first_percent(raw: dict[str, Any]) -> int | None:
    """The share that goes first; None for everybody at once, which an empty field and nonsense mean as well."""
    chosen = str(raw.get("first_percent", ""))
    return int(chosen) if chosen in map(str, FIRST_WAVES) else None


def _progress(broadcast_id: int) -> Response:
    return redirect(url_for("progress.show", broadcast_id=broadcast_id))


def _proposal(broadcast: Broadcast) -> dict[str, str]:
    """The next full hour on the clocks of the first list."""
    lists = targets(broadcast.id)
    zone = lists[0].zone if lists else broadcast.zone
    local = utcnow().astimezone(ZoneInfo(zone)) + timedelta(hours=1)
    repeat = {"every": "day", "interval": "1"}
    first = {"day": local.date().isoformat(), "hour": f"{local.hour:02}:00"}
    return {"choice": "now", **first, "zone": zone, **repeat}


def _when_page(broadcast: Broadcast, values: dict[str, Any], errors: Errors) -> str:
    now = utcnow()
    shown = _answer(broadcast, values, now) | {"errors": errors}
    return render_template(
        "when.html",
        broadcast=broadcast,
        values=values,
        zones=zones(),
        every=EVERY_WORDS,
        weekdays=weekday_names(),
        worth=worth_choices(broadcast, values),
        now=now,
        **shown,
    )


def _answer(broadcast: Broadcast, raw: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What the box below the question needs: the chosen moment, or the rule with its next dates."""
    if raw.get("choice") == "repeat":
        plan, errors = planned(broadcast, raw, now)
        return {"plan": plan, "choice": None, "errors": errors}
    choice, errors = chosen(broadcast, raw, now)
    return {
        "plan": None,
        "choice": choice,
        "errors": errors,
        "undo_seconds": round(runtime().settings.undo.total_seconds()),
        **_against(broadcast, choice, fresh_of(raw), now),
    }


def _against(broadcast: Broadcast, choice: Choice | None, fresh: int | None, now: datetime) -> dict[str, Any]:
    """What is worth knowing of a moment that can be; who waits on their own clocks stands with their turns."""
    if choice is None or choice.problem:
        return {"ahead": None}
    ahead = None if choice.plan else look_ahead(broadcast.id, max(choice.at or now, now), fresh, now=now)
    return {
        "ahead": ahead,
        "promise": said(ahead.promise) if ahead else "",
        "allowance_notes": [said(one) for one in ahead.notes] if ahead else [],
        "holiday": holiday_note(choice.day(now), [one.zone for one in targets(broadcast.id)]),
    }


def _review_of_rule(broadcast: Broadcast, raw: dict[str, Any], now: datetime) -> ResponseReturnValue:
    plan, errors = planned(broadcast, raw, now)
    if plan is None or plan.problem:
        return _when_page(broadcast, {**_proposal(broadcast), **raw}, errors), 422
    return rule_review(broadcast, plan, raw, now)
