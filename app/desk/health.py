"""Health: what the doctor finds, how each sender stands, and the switch that stops all sending."""

import re
from datetime import datetime
from typing import Final

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.languages import moment
from app.desk.languages import ngettext as _n
from app.desk.reading import house_zone
from app.desk.refusals import said
from app.pulse import RedisPulse
from app.queue import LANE, REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import manage_senders
from app.services.check_health import Surroundings, doctor, worst
from app.services.manage_senders import ALL_PAUSED
from app.services.watch_senders import standings
from app.storage.models.accounts import Role

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)")

health_page = room("health_page", __name__)


@health_page.get("/health-page")
@allow(Role.ADMIN)
def show() -> ResponseReturnValue:
    """Every check with what to do, the worst first, and the lane of each sender."""
    settings, now = runtime().settings, utcnow()
    around = Surroundings(settings.public_url, settings.home, None, demo=bool(settings.demo_phones_url))
    checks = doctor(
        pulse=RedisPulse(runtime().redis), around=around, controller=runtime().controller, now=now
    )
    order = {"fail": 0, "warn": 1, "ok": 2}
    senders = standings()
    return render_template(
        "health.html",
        checks=sorted(checks, key=lambda one: order[one.health]),
        found_words=_found_words,
        worst=worst(checks),
        senders=senders,
        all_paused=any((one.paused_reason or "").startswith(ALL_PAUSED) for one in senders),
        zone=house_zone(),
        now=now,
    )


@health_page.post("/health-page/pause")
@allow(Role.ADMIN)
def pause() -> ResponseReturnValue:
    """Let nothing more go out of any sender."""
    count = manage_senders.pause_all(by=me().actor, now=utcnow())
    flash(
        _n(
            "%(n)s sender is paused now. What is due waits.",
            "%(n)s senders are paused now. What is due waits.",
            count,
        )
    )
    return redirect(url_for("health_page.show"))


@health_page.post("/health-page/resume")
@allow(Role.ADMIN)
def resume() -> ResponseReturnValue:
    """Let those go on that the switch paused."""
    ids = manage_senders.resume_all(by=me().actor, now=utcnow())
    for sender_id in ids:
        for queue in (REPLIES, LANE):
            enqueue_lane(sender_id, queue)
    flash(_n("%(n)s sender goes on.", "%(n)s senders go on.", len(ids)))
    return redirect(url_for("health_page.show"))


def _found_words(sentence: str, zone: str) -> str:
    """What a check found, in the reader's language, moments as clocks in `zone` show them."""
    return _MOMENT.sub(lambda found: moment(datetime.fromisoformat(found[0]), zone, "short"), said(sentence))
