"""What Compose saves by itself while somebody writes: the answer is one line and the new number, never a field."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from flask import render_template

from app.clock import utcnow
from app.desk.forms import Errors
from app.desk.languages import gettext as _
from app.desk.reading import house_zone
from app.desk.refusals import translated
from app.services.controller import Conflict, NotFound, Refused
from app.services.read_rules import rules_among
from app.storage.database import db
from app.storage.models import Broadcast

ACT: Final = "auto"
"""The value of the form's button that nobody presses."""


def answer(errors: Errors, broadcast_id: int | None, store: Callable[[], int]) -> str:
    """Save unless there are errors, and say what became of it.

    Always with status 200: what cannot be saved yet, such as half a placeholder, is no fault of whoever types. The line
    tells the draft's address, which a new one gets by it: a reload shows what was saved. What repeats is not saved by
    itself, for the words that are saved go out.
    """
    if errors:
        return _line(problem=next(iter(errors.values())))
    if broadcast_id is not None and rules_among([broadcast_id]):
        return _line(problem=_("this broadcast repeats, and half a text could go out. Press “Save draft”."))
    try:
        saved = store()
    except Conflict:
        db.session.rollback()
        return _line(theirs=db.session.get(Broadcast, broadcast_id))
    except (NotFound, Refused) as error:
        db.session.rollback()
        return _line(problem=translated(error))
    return _line(saved=db.session.get_one(Broadcast, saved), at=utcnow())


def _line(
    *,
    saved: Broadcast | None = None,
    theirs: Broadcast | None = None,
    problem: str = "",
    at: datetime | None = None,
) -> str:
    return render_template(
        "compose_saved.html", saved=saved, theirs=theirs, problem=problem, at=at, zone=house_zone()
    )
