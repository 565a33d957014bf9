"""What a draft said at each save: read what changed, and take a version back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import LARGEST_ID, allow, me, room
from app.desk.language_form import scope_name
from app.desk.languages import gettext as _
from app.desk.reading import broadcast_or_404
from app.desk.refusals import translated
from app.desk.version_words import beside
from app.domain.word_diff import Stretch, differences
from app.services import take_back as restore
from app.services.controller import Conflict, NotFound, Refused
from app.storage import versions as storage
from app.storage.database import db
from app.storage.models import BroadcastVersion
from app.storage.models.accounts import Role

versions = room("versions", __name__)

Files = Mapping[int, Mapping[str, storage.File]]
"""Revision -> channel -> the file of that version there."""


@dataclass(frozen=True)
class Shown:
    """A version beside the one before it. `texts` names each text that it has ("" for the main one) or had.

    `beside` says what changed of buttons, templates and files.
    """

    version: BroadcastVersion
    title: list[Stretch]
    texts: list[tuple[str, list[Stretch]]]
    beside: list[str]


@versions.get("/broadcasts/<int:broadcast_id>/versions")
@allow(Role.EDITOR)
def index(broadcast_id: int) -> ResponseReturnValue:
    """All versions that are kept, newest first, each with what it changed."""
    broadcast = broadcast_or_404(broadcast_id)
    kept, files = storage.with_latest(db.session(), broadcast)
    return render_template("versions.html", broadcast=broadcast, rows=_compared(kept, files))


@versions.post("/broadcasts/<int:broadcast_id>/versions/<int:version>")
@allow(Role.EDITOR)
def take_back(broadcast_id: int, version: int) -> ResponseReturnValue:
    """Let the draft say again what a version said."""
    broadcast_or_404(broadcast_id)
    shown = request.form.get("revision", 0, int)
    if not 0 <= shown <= LARGEST_ID:
        abort(400)
    try:
        restore.take_back(broadcast_id, version, revision=shown, by=me().actor, now=utcnow())
    except NotFound:
        abort(404)
    except (Conflict, Refused) as error:
        flash(translated(error), "error")
        return redirect(url_for("versions.index", broadcast_id=broadcast_id))
    flash(_("The draft says again what version %(n)s said.", n=version))
    return redirect(url_for("compose.edit", broadcast_id=broadcast_id))


def _compared(kept: Sequence[BroadcastVersion], files: Files) -> list[Shown]:
    """Each version with its changes; the oldest is shown as it is."""
    return [_shown(one, before, files) for one, before in zip(kept, [*kept[1:], None], strict=True)]


def _shown(one: BroadcastVersion, before: BroadcastVersion | None, files: Files) -> Shown:
    extras = beside(storage.said(one, files), storage.said(before, files) if before else None)
    before = before or one
    texts = [("", differences(before.text, one.text))]
    for key in sorted({*one.variants, *before.variants}):
        was, now = before.variants.get(key, ""), one.variants.get(key, "")
        texts.append((scope_name(key), differences(was, now)))
    return Shown(one, differences(before.title, one.title), texts, extras)
