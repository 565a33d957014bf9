"""Broadcasts that repeat: begin a rule, see what came of it and what comes, pause, end, leave one out."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk import media_words
from app.desk.access import allow, me, room
from app.desk.approvals import approval_of
from app.desk.choices import moment_fields
from app.desk.errors import not_found_as_404
from app.desk.forms import Errors, posted
from app.desk.languages import gettext as _
from app.desk.languages import ngettext as n_
from app.desk.own_clocks import turn_lines
from app.desk.reading import broadcast_or_404, targets
from app.desk.refusals import said, translated
from app.desk.repeating import (
    RUN_WORDS,
    Plan,
    date_words,
    month_note,
    notes_of,
    planned,
    rule_words,
    standing,
)
from app.desk.review_sheet import on_the_phone
from app.desk.segments import segment_of
from app.desk.typed_number import is_asked, wrong_number
from app.runtime import runtime
from app.services import repeat_broadcasts, review_broadcasts
from app.services.controller import NotFound, Refused
from app.services.read_rules import all_rules, rule_view
from app.services.review_broadcasts import Review
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

rules = room("rules", __name__)
rules.app_template_filter("rule_words")(rule_words)
rules.app_template_global("date_words")(date_words)
rules.app_template_global("notes_of")(notes_of)
rules.app_template_global("month_note")(month_note)
rules.app_template_global("run_words")(lambda state: RUN_WORDS[state])
rules.app_template_global("standing")(standing)


@rules.get("/rules")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """Every rule, in words, with its next date."""
    now = utcnow()
    return render_template(
        "rules.html", views=all_rules(now=now, country=runtime().controller.region), now=now
    )


@rules.get("/rules/<int:rule_id>")
@allow(Role.EDITOR)
@not_found_as_404
def show(rule_id: int) -> ResponseReturnValue:
    """One rule: what comes, and what became of the last ones."""
    now = utcnow()
    view = rule_view(rule_id, now=now, country=runtime().controller.region)
    return render_template("rule.html", view=view, now=now, written=written, **segment_of(view.template))


@rules.post("/broadcasts/<int:broadcast_id>/repeat")
@allow(Role.EDITOR)
def begin(broadcast_id: int) -> ResponseReturnValue:
    """Begin the rule; what stands against it leads back to the question."""
    broadcast = broadcast_or_404(broadcast_id)
    raw, now = posted(), utcnow()
    again = url_for("schedule.when", broadcast_id=broadcast_id, **moment_fields(raw))
    plan, _errors = planned(broadcast, raw, now)
    if plan is None:
        return redirect(again)
    people = 0 if plan.problem else _look(broadcast, plan, now).reachable
    if errors := wrong_number(people, raw):
        return rule_review(broadcast, plan, raw, now, errors), 422
    try:
        rule_id = repeat_broadcasts.repeat(broadcast_id, plan.rule, by=me().actor, now=now)
    except Refused as error:
        flash(translated(error), "error")
        return redirect(again)
    flash(_("It repeats from now on."), "success")
    return redirect(url_for("rules.show", rule_id=rule_id))


@rules.post("/rules/<int:rule_id>/<any(pause, resume, end):act>")
@allow(Role.EDITOR)
@not_found_as_404
def change(rule_id: int, act: str) -> ResponseReturnValue:
    """Pause a rule, go on with it, or end it for good."""
    by, now = me().actor, utcnow()
    acts: dict[str, Callable[[], int | None]] = {
        "pause": lambda: repeat_broadcasts.pause(rule_id, by=by, now=now),
        "resume": lambda: repeat_broadcasts.resume(rule_id, by=by, now=now),
        "end": lambda: repeat_broadcasts.end(rule_id, by=by, now=now),
    }
    return _done(rule_id, acts[act])


@rules.post("/rules/<int:rule_id>/dates/<at>/<any(skip, reopen):act>")
@allow(Role.EDITOR)
@not_found_as_404
def change_one(rule_id: int, at: str, act: str) -> ResponseReturnValue:
    """Leave out one date, or let it go after all."""
    do = repeat_broadcasts.skip if act == "skip" else repeat_broadcasts.reopen
    instant = _instant(at)

    def done() -> None:
        do(rule_id, instant, by=me().actor, now=utcnow())

    return _done(rule_id, done)


def rule_review(
    broadcast: Broadcast, plan: Plan, raw: dict[str, Any], now: datetime, errors: Errors | None = None
) -> str:
    """The sheet: whom the first one would reach, the next dates, and the words."""
    own = plan.coming[0].wall if plan.rule.own_clocks else None
    sheet = _look(broadcast, plan, now)
    lists = targets(broadcast.id)
    return render_template(
        "repeat_review.html",
        broadcast=broadcast,
        plan=plan,
        raw=raw,
        moment_fields=moment_fields(raw),
        errors=errors or {},
        number_to_type=sheet.reachable if is_asked(sheet.reachable) else None,
        approval=approval_of(broadcast),
        sheet=sheet,
        turns=turn_lines(sheet.turns, own, plan.rule.zone) if own else [],
        problems=[said(problem) for problem in sheet.problems],
        file_notes=media_words.notes_of(sheet.shares),
        promise=said(sheet.promise),
        **on_the_phone(broadcast, sheet),
        lists=lists,
        **segment_of(broadcast),
    )


def _look(broadcast: Broadcast, plan: Plan, now: datetime) -> Review:
    """The dry run of the first time."""
    first = plan.coming[0]
    return review_broadcasts.check(
        broadcast.id,
        now=now,
        at=first.at,
        local_at=first.wall if plan.rule.own_clocks else None,
        zone=plan.rule.zone,
        brand=runtime().controller.brand,
        public_url=runtime().settings.public_url,
    )


def written(at: datetime) -> str:
    """An instant as it stands in an address: `20261201T063000Z`."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _instant(at: str) -> datetime:
    try:
        return datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        abort(404)


def _done(rule_id: int, act: Callable[[], int | None]) -> ResponseReturnValue:
    try:
        stopped = act()
    except NotFound:
        raise
    except Refused as error:
        flash(translated(error), "error")
    else:
        if stopped:
            flash(
                n_(
                    "%(n)s broadcast that waited for its time was stopped.",
                    "%(n)s broadcasts that waited for their time were stopped.",
                    stopped,
                )
            )
    return redirect(url_for("rules.show", rule_id=rule_id))
