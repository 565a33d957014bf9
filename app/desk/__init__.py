"""The desk: the editors' web site, drawn on the server, usable without JavaScript."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, request, url_for
from flask_login import current_user

from app.desk import health_words, import_words, report_words, unit_words, words
from app.desk.access import init_access
from app.desk.account import account
from app.desk.answers import answers
from app.desk.approvals import approvals
from app.desk.asking import asking
from app.desk.audit import audit
from app.desk.board import board
from app.desk.broadcasts import broadcasts
from app.desk.by_lists import by_lists
from app.desk.calendar import calendar
from app.desk.clicks import clicks
from app.desk.comments import comments
from app.desk.compose import compose
from app.desk.corrections import corrections
from app.desk.errors import init_errors
from app.desk.feeds import feeds
from app.desk.health import health_page
from app.desk.held import held
from app.desk.hints import hint
from app.desk.imports import imports
from app.desk.keys import KEYS, PLACES, keys
from app.desk.language_form import language_name
from app.desk.languages import (
    LANGUAGE_NAMES,
    day_words,
    distance,
    duration,
    init_languages,
    language,
    moment,
    ngettext,
    number,
)
from app.desk.languages import (
    gettext as _,
)
from app.desk.list_change import list_change
from app.desk.list_page import list_page
from app.desk.lists import lists
from app.desk.moves import moves
from app.desk.notices import notices
from app.desk.own_clocks import own_hour
from app.desk.people import people
from app.desk.phones import runs_of
from app.desk.progress import progress
from app.desk.progress import segments as bar_segments
from app.desk.reading import pulse
from app.desk.refusals import said
from app.desk.rehearsing import rehearsing
from app.desk.reports import reports
from app.desk.revocations import revocations
from app.desk.rights import requests_waiting, rights
from app.desk.rules import rules
from app.desk.saved_texts import saved_texts
from app.desk.schedule import schedule
from app.desk.security import init_security
from app.desk.segments import segments
from app.desk.tables import tables
from app.desk.templates_page import templates
from app.desk.test_sends import test_sends, tests_of
from app.desk.texted_words import texted_words
from app.desk.tickers import tickers
from app.desk.users import users
from app.desk.versions import versions
from app.domain.addresses import mask, spaced
from app.domain.channels import channel_named
from app.domain.gaps import pieces
from app.domain.styles import without_marks
from app.runtime import runtime
from app.services import decide_reviews, read_inbox
from app.services.rights.wiping import ERASED
from app.storage.models.accounts import Role

_STATIC = Path(__file__).parent / "static"
ROOMS = (
    account,
    answers,
    asking,
    audit,
    board,
    broadcasts,
    by_lists,
    calendar,
    comments,
    approvals,
    clicks,
    compose,
    feeds,
    corrections,
    health_page,
    held,
    imports,
    keys,
    list_change,
    list_page,
    lists,
    moves,
    notices,
    people,
    progress,
    rehearsing,
    reports,
    revocations,
    rights,
    saved_texts,
    rules,
    schedule,
    segments,
    tables,
    test_sends,
    texted_words,
    templates,
    tickers,
    users,
    versions,
)


def init_app(app: Flask) -> None:
    """Open the desk in `app`, which already has its database and its runtime."""
    with app.app_context():
        settings = runtime().settings
    init_errors(app)
    init_security(app, settings)
    init_access(app)
    init_languages(app)
    app.register_blueprint(_frame())
    for blueprint in ROOMS:
        app.register_blueprint(blueprint)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {
        "n_": ngettext,
        "words": words,
        "import_words": import_words,
        "health_words": health_words,
        "report_words": report_words,
        "language_names": LANGUAGE_NAMES,
        "bar_segments": bar_segments,
        "static": _static,
        "tests_of": tests_of,
        "key_list": KEYS,
        "key_places": PLACES,
    }
    app.jinja_env.filters |= {
        "number": number,
        "pieces": pieces,
        "runs": runs_of,
        "unmarked": without_marks,
        "enumerated": lambda rows: list(enumerate(rows)),
        "moment": moment,
        "distance": distance,
        "day_words": day_words,
        "own_hour": own_hour,
        "duration": duration,
        "state_words": words.state_words,
        "status_words": words.status_words,
        "reason_words": words.reason_words,
        "hint": hint,
        "waiting_words": words.waiting_words,
        "channel_name": lambda name: channel_named(name).name,
        "language_name": language_name,
        "code_words": words.code_words,
        "units": unit_words.units,
        "pace_words": unit_words.pace_words,
        "cost_of": unit_words.cost_of,
        "total_of": unit_words.total_of,
        "actor": words.actor_words,
        "refusal": said,
        "address": shown_address,
        "spaced": spaced,
    }


def shown_address(value: str) -> str:
    """A number as this reader may see it: whole for admins, masked for editors; nobody's after an erasure."""
    if value.startswith(ERASED):
        return _("erased person")
    return spaced(value) if current_user.is_authenticated and current_user.may(Role.ADMIN) else mask(value)


@lru_cache
def fingerprint(name: str) -> str:
    """Changes when the file changes, so that browsers may keep it for a year."""
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]


def _frame() -> Blueprint:
    """Templates and static files of the desk; no views."""
    frame = Blueprint(
        "desk", __name__, template_folder="templates", static_folder="static", static_url_path="/desk-static"
    )
    frame.app_context_processor(_in_every_page)
    return frame


def _static(name: str) -> str:
    return url_for("desk.static", filename=name, v=fingerprint(name))


def _in_every_page() -> dict[str, Any]:
    return {
        "language": language(),
        "settings": runtime().settings,
        "pulse": pulse,
        "inbox_count": read_inbox.waiting,
        "requests_waiting": requests_waiting,
        "held_count": decide_reviews.waiting,
        "is_admin": current_user.is_authenticated and current_user.may(Role.ADMIN),
        "here": request.full_path.rstrip("?"),
    }
