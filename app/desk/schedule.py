"""When and Review: choose the moment, see on one sheet what will happen, and let it go."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.approvals import approval_of
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.languages import moment, zones
from app.desk.media_words import notes_of
from app.desk.own_clocks import TurnLine, own_hour, turn_lines
from app.desk.phones import drawn, links_of, phones_of_draft
from app.desk.reading import (
    broadcast_or_404,
    counting_for,
    targets,
)
from app.desk.refusals import said, translated
from app.desk.repeating import EVERY_WORDS, planned, weekday_names
from app.desk.rules import review_page
from app.desk.segments import segment_of
from app.desk.text_check import check_text
from app.domain.statuses import BroadcastState
from app.queue import begin
from app.runtime import runtime
from app.schemas import WhenSchema, wall_time
from app.services import (
    broadcast_times,
    comments,
    correct_broadcasts,
    own_clocks,
    review_broadcasts,
    schedule_broadcasts,
)
from app.services.controller import Refused
from app.services.own_clocks import Plan
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

FIRST_WAVES: Final = (5, 10, 25)

schedule = room("schedule", __name__)


@dataclass(frozen=True)
class Choice:
    """The moment that an editor chose: `at` is None for now; `note` tells of a change of the clocks.

    `problem` says why it cannot be then, and `nearest` is the first moment after it that can. With `plan` it goes at
    an hour on each person's own clock, and `at` is when the first of them get it.
    """

    at: datetime | None
    zone: str
    note: str | None = None
    problem: str | None = None
    nearest: datetime | None = None
    plan: Plan | None = None

    @property
    def words(self) -> str:
        """The moment on the clocks of its zone, or the hour on everybody's own."""
        return _("now") if self.at is None else self._said(self.at, "long")

    @property
    def short(self) -> str:
        """`words`, short enough for a button."""
        return "" if self.at is None else self._said(self.at, "short")

    @property
    def local_at(self) -> datetime | None:
        """The hour on each person's own clock."""
        return self.plan.own.wall if self.plan else None

    @property
    def turns(self) -> list[TurnLine]:
        """Who gets it when, in words."""
        return turn_lines(self.plan.turns, self.plan.own.wall, self.zone) if self.plan else []

    def _said(self, at: datetime, style: str) -> str:
        return own_hour(self.plan.own.wall, style) if self.plan else moment(at, self.zone, style)

    @property
    def nearest_wall(self) -> datetime | None:
        """`nearest` as a clock of the zone shows it, for the fields of the form."""
        return self.nearest.astimezone(ZoneInfo(self.zone)) if self.nearest else None


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
    return _review_page(broadcast, choice, raw, now)


@schedule.post("/broadcasts/<int:broadcast_id>/review")
@allow(Role.EDITOR)
def confirm(broadcast_id: int) -> ResponseReturnValue:
    """Schedule it. A moment that is refused leads back to the question, with the nearest one that is allowed."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return _progress(broadcast_id)  # pressed twice: the first press did it
    raw, now = posted(), utcnow()
    choice, errors = chosen(broadcast, raw, now)
    if choice is None:
        return _when_page(broadcast, {**_proposal(broadcast), **raw}, errors), 422
    if not _typed_right(raw):
        return _review_page(broadcast, choice, raw, now, typed_wrong=True), 422
    window = runtime().settings.undo
    try:
        schedule_broadcasts.schedule(
            broadcast_id,
            at=None if choice.plan else choice.at or now + window,
            local_at=choice.local_at,
            zone=choice.zone,
            by=me().actor,
            now=now,
            over_cap_reason=str(raw.get("over_cap_reason", "")),
            first_percent=_first_percent(raw),
            public_url=runtime().settings.public_url,
        )
    except Refused as error:
        return _when_page(broadcast, {**_proposal(broadcast), **raw}, {"form": translated(error)}), 422
    if choice.at is None:
        if not window:
            begin(broadcast_id, now)
    else:
        flash(_("Scheduled for %(when)s.", when=choice.words))
    return _progress(broadcast_id)


def _typed_right(raw: dict[str, Any]) -> bool:
    """Whether the number of a large send was typed as it was shown; separators of thousands do not matter."""
    shown = str(raw.get("people", ""))
    return not shown or "".join(filter(str.isdigit, str(raw.get("typed", "")))) == shown


def _first_percent(raw: dict[str, Any]) -> int | None:
    """The share that goes first; None for everybody at once, which an empty field and nonsense mean as well."""
    chosen = str(raw.get("first_percent", ""))
    return int(chosen) if chosen in map(str, FIRST_WAVES) else None


def _progress(broadcast_id: int) -> Response:
    return redirect(url_for("progress.show", broadcast_id=broadcast_id))


def chosen(broadcast: Broadcast, raw: dict[str, Any], now: datetime) -> tuple[Choice | None, Errors]:
    """Read the form: the moment, or a sentence for each field that is wrong."""
    values, errors = load(WhenSchema(), raw)
    if not errors and values["zone"] not in zones():
        errors = {"zone": _("Choose a time zone.")}
    if errors:
        return None, errors
    zone = values["zone"]
    if values["choice"] == "now":
        return _weighed(broadcast, Choice(None, zone), now), {}
    wall = wall_time(values["day"], values["hour"])
    if values["choice"] == "local":
        return _on_own_clocks(broadcast, wall, zone, now), {}
    try:
        at = broadcast_times.local_instant(wall, zone)
    except Refused as error:
        return None, {"hour": translated(error)}
    twice = _("The clocks go back that night and show this time twice. It goes at the first.")
    note = twice if broadcast_times.is_twice(wall, zone) else None
    return _weighed(broadcast, Choice(at, zone, note), now), {}


def _on_own_clocks(broadcast: Broadcast, wall: datetime, zone: str, now: datetime) -> Choice:
    plan = own_clocks.preview(broadcast.id, wall, zone, now)
    choice = Choice(plan.first, zone, plan=plan)
    try:
        own_clocks.refuse(plan, targets(broadcast.id), now)
    except Refused as error:
        return replace(choice, problem=translated(error))
    return choice


def _weighed(broadcast: Broadcast, choice: Choice, now: datetime) -> Choice:
    """Say what stands against the moment: that it is over, or the hours that people were promised."""
    if choice.at is not None and choice.at < now:
        return replace(choice, problem=_("This moment is over. Choose a later one."))
    lists = targets(broadcast.id)
    at = choice.at or now
    if not lists or broadcast_times.within_promise(lists, at):
        return choice
    promises = ", ".join(f"{one.name} {one.from_hour}–{one.until_hour} h ({one.zone})" for one in lists)
    problem = _("This is outside the hours that people were promised: %(promises)s.", promises=promises)
    return replace(choice, problem=problem, nearest=broadcast_times.nearest_allowed(lists, at))


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
        now=now,
        **shown,
    )


def _answer(broadcast: Broadcast, raw: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What the box below the question needs: the chosen moment, or the rule with its next dates."""
    if raw.get("choice") == "repeat":
        plan, errors = planned(broadcast, raw, now)
        return {"plan": plan, "choice": None, "errors": errors}
    choice, errors = chosen(broadcast, raw, now)
    return {"plan": None, "choice": choice, "errors": errors}


def _review_of_rule(broadcast: Broadcast, raw: dict[str, Any], now: datetime) -> ResponseReturnValue:
    plan, errors = planned(broadcast, raw, now)
    if plan is None or plan.problem:
        return _when_page(broadcast, {**_proposal(broadcast), **raw}, errors), 422
    return review_page(broadcast, plan, raw, now)


def _review_page(
    broadcast: Broadcast, choice: Choice, raw: dict[str, Any], now: datetime, *, typed_wrong: bool = False
) -> str:
    sheet = review_broadcasts.check(
        broadcast.id,
        now=now,
        at=choice.at,
        local_at=choice.local_at,
        zone=choice.zone,
        brand=runtime().controller.brand,
        public_url=runtime().settings.public_url,
    )
    last = max(choice.plan.ends, now) if choice.plan else choice.at or now
    lists = targets(broadcast.id)
    phones = phones_of_draft(broadcast)
    return render_template(
        "review.html",
        broadcast=broadcast,
        corrected=broadcast_or_404(broadcast.corrects_id) if broadcast.corrects_id else None,
        way_in_place=correct_broadcasts.way_of_draft(broadcast, max(choice.at or now, now)),
        sheet=sheet,
        problems=[said(problem) for problem in sheet.problems],
        file_notes=notes_of(sheet.shares),
        quota_notes=[said(note) for note in sheet.quota_notes],
        choice=choice,
        raw=raw,
        promise=said(sheet.promise),
        check=check_text(
            broadcast.text,
            findings=sheet.findings,
            counting=counting_for(broadcast.id),
            tail=phones[0].tail,
            button_links=links_of(phones),
        ),
        **drawn(phones, {}),
        gaps=[said(str(gap)) for gap in sheet.gaps],
        lists=lists,
        ends=last + timedelta(seconds=sheet.seconds),
        first_waves=FIRST_WAVES,
        big=runtime().settings.big_send,
        typed_wrong=typed_wrong,
        approval=approval_of(broadcast),
        **segment_of(broadcast),
        open_comments=comments.open_ones(broadcast.id),
    )
