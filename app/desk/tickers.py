"""Live events: open one, write to its people line by line, see what became of each line, end it."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.errors import not_found_as_404
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.languages import zones
from app.desk.reading import house_zone, sender_of, senders
from app.desk.refusals import translated
from app.desk.text_check import check_text
from app.domain.retention import Kept
from app.domain.statuses import BroadcastState
from app.queue import enqueue_lane
from app.runtime import runtime
from app.schemas import TickerSchema, wall_time
from app.services import broadcast_times, find_people, post_ticker
from app.services import tickers as events
from app.services.controller import Refused
from app.services.post_ticker import Posted
from app.services.tickers import FRESH_MINUTES, Plan, Said, Stage, TickerRow
from app.storage.models.accounts import Role

_MOVES: Final = (BroadcastState.SCHEDULED, BroadcastState.SENDING)
# Receipts come for a while after the last hand-over.
_SOON, _LATER = 2, 10

tickers = room("tickers", __name__)


@tickers.get("/tickers")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """The events that are on or to come, and those that are over."""
    rows = events.list_tickers(now=utcnow(), ended=True)
    return render_template("tickers.html", rows=rows, Stage=Stage)


@tickers.get("/tickers/new")
@allow(Role.ADMIN)
def new() -> ResponseReturnValue:
    """A form for an event that begins now and ends tonight."""
    zone = house_zone()
    local = utcnow().astimezone(ZoneInfo(zone))
    proposal = {
        "begins_day": f"{local:%Y-%m-%d}",
        "begins_hour": f"{local:%H:%M}",
        "ends_day": f"{local + timedelta(hours=6):%Y-%m-%d}",
        "ends_hour": f"{local + timedelta(hours=6):%H}:00",
        "zone": zone,
        "most": 30,
        "from_hour": 0,
        "until_hour": 24,
        "fresh_minutes": FRESH_MINUTES,
        "erase_after_days": runtime().settings.retention[Kept.EVENTS],
    }
    return _form(proposal, {})


@tickers.post("/tickers/new")
@allow(Role.ADMIN)
def create() -> ResponseReturnValue:
    """Open an event: from now on people can join it by its word."""
    raw = posted()
    values, errors = load(TickerSchema(), raw)
    if not errors and values["zone"] not in zones():
        errors = {"zone": _("Choose a time zone.")}
    if errors:
        return _form(raw, errors), 422
    try:
        list_id = events.create(_plan(values), by=me().actor, controller=runtime().controller, now=utcnow())
    except Refused as error:
        return _form(raw, {"form": translated(error)}), 422
    flash(_("People can join “%(name)s” now.", name=values["name"]))
    return redirect(url_for("tickers.show", list_id=list_id))


@tickers.get("/ticker/<int:list_id>")
@allow(Role.EDITOR)
@not_found_as_404
def show(list_id: int) -> ResponseReturnValue:
    """One line to write, and below it what was said."""
    return _page(list_id, "", {})


@tickers.get("/ticker/<int:list_id>/live")
@allow(Role.EDITOR)
@not_found_as_404
def live(list_id: int) -> ResponseReturnValue:
    """The messages with their counts, which renew themselves."""
    return render_template("ticker_live.html", **_standing(list_id, utcnow()))


@tickers.post("/ticker/<int:list_id>/measure")
@allow(Role.EDITOR)
@not_found_as_404
def measure(list_id: int) -> ResponseReturnValue:
    """How long the line is, while it is written."""
    row = events.ticker(list_id, now=utcnow())
    return render_template("ticker_counter.html", **_counter(row, str(request.form.get("text", ""))))


@tickers.post("/ticker/<int:list_id>")
@allow(Role.EDITOR)
@not_found_as_404
def send(list_id: int) -> ResponseReturnValue:
    """Send the line at once, or put the last one right with it. The same form twice sends once."""
    text, token = str(request.form.get("text", "")), str(request.form.get("token", ""))
    act = post_ticker.correct_last if request.form.get("act") == "correct" else post_ticker.post
    try:
        posted_ = act(
            list_id, text, token=token, by=me().actor, controller=runtime().controller, now=utcnow()
        )
    except Refused as error:
        return _page(list_id, text, {"text": translated(error)}), 422
    return _sent(list_id, posted_)


@tickers.get("/ticker/<int:list_id>/end")
@allow(Role.EDITOR)
@not_found_as_404
def ask_end(list_id: int) -> ResponseReturnValue:
    """Say what ending means before it is done, and offer last words."""
    row = events.ticker(list_id, now=utcnow())
    return render_template("ticker_end.html", row=row, values={"last": row.farewell}, errors={})


@tickers.post("/ticker/<int:list_id>/end")
@allow(Role.EDITOR)
@not_found_as_404
def end(list_id: int) -> ResponseReturnValue:
    """End the event now."""
    last, now = str(request.form.get("last", "")), utcnow()
    try:
        posted_ = post_ticker.close(list_id, last, by=me().actor, controller=runtime().controller, now=now)
    except Refused as error:
        row = events.ticker(list_id, now=now)
        errors = {"last": translated(error)}
        return render_template("ticker_end.html", row=row, values={"last": last}, errors=errors), 422
    flash(_("The event ends. Its subscriptions end by themselves in a moment."))
    return _sent(list_id, posted_)


def _sent(list_id: int, posted_: Posted | None) -> Response:
    for sender_id in posted_.sender_ids if posted_ else ():
        enqueue_lane(sender_id)
    return redirect(url_for("tickers.show", list_id=list_id))


def _plan(values: dict[str, Any]) -> Plan:
    """The event of the form; its moments are on the clock of its zone."""
    given = dict(values)
    zone = given["zone"]
    for name in ("begins", "ends"):
        wall = wall_time(given.pop(f"{name}_day"), given.pop(f"{name}_hour"))
        given[f"{name}_at"] = broadcast_times.local_instant(wall, zone)
    return Plan(**given)


def _form(values: dict[str, Any], errors: Errors) -> str:
    return render_template("ticker_new.html", values=values, errors=errors, senders=senders(), zones=zones())


def _page(list_id: int, text: str, errors: Errors) -> str:
    now = utcnow()
    standing = _standing(list_id, now)
    return render_template(
        "ticker.html",
        values={"text": text},
        errors=errors,
        token=secrets.token_urlsafe(16),
        sender=sender_of([list_id]),
        **standing,
        **_counter(standing["row"], text),
    )


def _standing(list_id: int, now: datetime) -> dict[str, Any]:
    row, said = events.ticker(list_id, now=now), events.messages(list_id)
    return {"row": row, "said": said, "poll": _poll(row, said), "Stage": Stage, "now": now}


def _poll(row: TickerRow, said: list[Said]) -> int | None:
    """Seconds until the page asks again; None when nothing of the event moves any more."""
    if any(one.state in _MOVES for one in said):
        return _SOON
    return None if row.stage is Stage.ENDED else _LATER


def _counter(row: TickerRow, text: str) -> dict[str, Any]:
    return {"check": check_text(text, findings=()), "reachable": find_people.reachable([row.id])}
