"""Compose: write a broadcast, see it as a phone shows it, save it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk import autosave, by_lists, language_form, media_form, media_words, rich_form
from app.desk.access import allow, me, room
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.languages import in_language
from app.desk.media_form import FileField, FilesGiven
from app.desk.phones import Written, drawn, links_of, phones_of
from app.desk.reading import (
    broadcast_or_404,
    further_channels,
    house_zone,
    ordinary_lists,
    other_words,
    targets,
)
from app.desk.refusals import translated
from app.desk.segments import segment_of
from app.desk.text_check import check_text
from app.domain.buttons import Rich
from app.domain.channels import CHANNELS, Channel
from app.domain.parts import plain_quotes
from app.domain.placeholders import KNOWN
from app.domain.statuses import BroadcastState
from app.schemas import BroadcastSchema
from app.services import comments as remarks
from app.services import (
    correct_broadcasts,
    find_people,
    manage_snippets,
    manage_templates,
    read_segments,
    reports,
    write_drafts,
)
from app.services.controller import Conflict, Refused
from app.services.read_rules import rules_among
from app.services.short_links import counting_of
from app.storage.database import db
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

compose = room("compose", __name__)


class OtherWords(NamedTuple):
    """The field for one channel's own words."""

    name: str
    channel: Channel
    text: str


@compose.get("/broadcasts/new")
@allow(Role.EDITOR)
def new() -> ResponseReturnValue:
    """An empty form, with the default list ticked."""
    default = [row.id for row in ordinary_lists() if row.is_default]
    return _page({"title": "", "text": "", "list_ids": default, "revision": 0})


@compose.post("/broadcasts/new")
@allow(Role.EDITOR, largest=media_form.LARGEST)
def create() -> ResponseReturnValue:
    """Save a first draft, or change its text as a button asked; `draft` is what the page saved by itself before."""
    begun = request.form.get("draft", "")
    return _take(broadcast_or_404(int(begun)) if begun.isdecimal() and len(begun) < 19 else None)


@compose.get("/broadcasts/<int:broadcast_id>/edit")
@allow(Role.EDITOR)
def edit(broadcast_id: int) -> ResponseReturnValue:
    """A draft, to write on."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return redirect(url_for("progress.show", broadcast_id=broadcast_id))
    return _page(_values_of(broadcast), broadcast)


@compose.post("/broadcasts/<int:broadcast_id>/edit")
@allow(Role.EDITOR, largest=media_form.LARGEST)
def save(broadcast_id: int) -> ResponseReturnValue:
    """Save a draft, or change its text as a button asked."""
    return _take(broadcast_or_404(broadcast_id))


@compose.post("/broadcasts/measure")
@allow(Role.EDITOR)
def measure() -> ResponseReturnValue:
    """The counter line, the warnings, the preview and the count of people, for what is written just now."""
    values, _errors = load(BroadcastSchema(), posted())
    corrects = request.form.get("corrects", "")
    known = int(corrects) if corrects.isdecimal() and len(corrects) < 19 else None
    files, rich = media_form.posted_files(_further()).fields, rich_form.given(_further())
    written = Written(_text_of(values), _variants(), rich, files)
    return render_template("compose_live.html", live=True, **_looked_at(written, values, known))


def draft_page(broadcast: Broadcast, errors: Errors, comment: str) -> str:
    """The form of a draft as it is stored, with a comment that could not be taken."""
    return _page(_values_of(broadcast), broadcast, errors, comment=comment)


def changed(act: str, raw: dict[str, Any]) -> str:
    """The text after a helping button; without JavaScript a placeholder goes to the end."""
    text = str(raw.get("text", ""))
    if act == "plain":
        return plain_quotes(text)
    if act == "stop":
        return f"{text.rstrip()}\n{_way_out(raw.get('list_ids', []))}"
    if act == "snippet":
        return _with_snippet(text, str(raw.get("snippet", "")))
    name = act.removeprefix("insert:")
    if name in KNOWN:
        return f"{text}{placeholder(name)}"
    return text


def _take(broadcast: Broadcast | None) -> ResponseReturnValue:
    raw = posted()
    act = request.form.get("act", "save")
    values, errors = load(BroadcastSchema(), raw)
    given = media_form.posted_files(_further())
    errors |= given.errors
    if act == "when" and not values.get("list_ids") and not (broadcast and broadcast.corrects_id):
        errors.setdefault("list_ids", _("Choose at least one list."))
    if act == autosave.ACT:
        number = broadcast.id if broadcast else None
        return autosave.answer(errors, number, lambda: _store(broadcast, values, given, by_itself=True))
    if act not in ("save", "when", "segment"):
        helped = {**raw, "text": changed(act, raw)}
        return _page(helped, broadcast, given.errors, files=given.fields, helped=True)
    if errors:
        return _page(raw, broadcast, errors, files=given.fields), 422
    try:
        broadcast_id = _store(broadcast, values, given)
    except Conflict:
        return _page(raw, broadcast, conflict=True, files=given.fields), 409
    except Refused as error:
        return _page(raw, broadcast, {"form": translated(error)}, files=given.fields), 422
    if act == "when":
        return redirect(url_for("schedule.when", broadcast_id=broadcast_id))
    if act == "segment":
        return redirect(url_for("segments.choose", broadcast_id=broadcast_id))
    flash(_("The draft is saved."))
    return redirect(url_for("compose.edit", broadcast_id=broadcast_id))


def _store(
    broadcast: Broadcast | None, values: dict[str, Any], files: FilesGiven, *, by_itself: bool = False
) -> int:
    content = {name: values[name] for name in ("title", "text", "list_ids")} | {
        "variants": _variants() | language_form.given(),
        "rich": rich_form.given(_further()),
        "files": files.changes(broadcast.id if broadcast else None),
    }
    if broadcast is None:
        return write_drafts.create_draft(**content, by=me().actor, now=utcnow())
    write_drafts.save_draft(
        broadcast.id,
        **content,
        revision=values["revision"],
        by=me().actor,
        now=utcnow(),
        by_itself=by_itself,
    )
    return broadcast.id


def _with_snippet(text: str, number: str) -> str:
    """The text, and below it the saved one that was chosen."""
    chosen = manage_snippets.text_of(int(number)) if number.isdecimal() and len(number) < 19 else ""
    return f"{text.rstrip()}\n{chosen}" if text.strip() and chosen else chosen or text


def placeholder(name: str) -> str:
    """A placeholder as an editor types it, with a fall-back to change."""
    fallback = {"first_name": _("friend"), "last_name": _("reader"), "city": _("your town")}[name]
    return f"{{{{{name}|{fallback}}}}}"


def _way_out(list_ids: list[Any]) -> str:
    """The line on leaving, in the language of the first chosen list."""
    chosen = {str(number) for number in list_ids}
    languages = [row.language for row in ordinary_lists() if str(row.id) in chosen]
    with in_language(languages[0] if languages else "en"):
        return _("Reply STOP to leave.")


def _values_of(broadcast: Broadcast) -> dict[str, Any]:
    return {
        "title": broadcast.title,
        "text": broadcast.text,
        "list_ids": [one.id for one in targets(broadcast.id)],
        "revision": broadcast.revision,
    }


def _variants() -> dict[str, str]:
    """The other words that were written, by channel; a field that was emptied is there, too."""
    given = {channel: request.form.get(f"text_{channel}") for channel in CHANNELS}
    return {
        channel: text.replace("\r\n", "\n").strip() for channel, text in given.items() if text is not None
    }


def _other_channels(values: dict[str, Any], broadcast: Broadcast | None) -> list[OtherWords]:
    """A field for each channel besides SMS that a list is on, with what was written there."""
    stored = other_words(broadcast.id) if broadcast else {}
    return [
        OtherWords(channel, CHANNELS[channel], str(values.get(f"text_{channel}", stored.get(channel, ""))))
        for channel in _further()
    ]


def _further() -> list[str]:
    return [channel for channel in further_channels() if channel in CHANNELS]


def _reachable(list_ids: list[int], corrects: int | None, part_of: int | None) -> int:
    """How many it would reach now: those who got what is corrected, a draft's part of the lists, or all of them."""
    if corrects is not None:
        return correct_broadcasts.reachable(corrects, utcnow())
    part = read_segments.reachable(broadcast_or_404(part_of), list_ids, utcnow()) if part_of else None
    return find_people.reachable(list_ids) if part is None else part


def _text_of(values: dict[str, Any]) -> str:
    return str(values.get("text", "")).replace("\r\n", "\n")


def _looked_at(
    written: Written, values: dict[str, Any], corrects: int | None, part: int | None = None
) -> dict[str, Any]:
    """What the counter and the preview need to know of `values`, checked or not; `part` is the id of a draft."""
    given = [str(number) for number in values.get("list_ids", [])]
    list_ids = [int(number) for number in given if number.isdecimal() and len(number) < 19]
    if corrects is not None:
        list_ids = [one.id for one in targets(corrects)]
    known = request.form.get("sample", "known") == "known"
    part_of = request.form.get("part_of", "")
    part_of_id = int(part_of) if part_of.isdecimal() and len(part_of) < 19 else part
    phones = phones_of(written, list_ids, known=known)
    return {
        "check": check_text(
            written.text,
            known=known,
            counting=counting_of(db.session(), list_ids),
            tail=phones[0].tail,
            button_links=links_of(phones),
        ),
        **drawn(phones, request.form),
        "known": known,
        "reachable": _reachable(list_ids, corrects, part_of_id),
        "chosen": list_ids,
    }


def _page(
    values: dict[str, Any],
    broadcast: Broadcast | None = None,
    errors: Errors | None = None,
    conflict: bool = False,
    files: Sequence[FileField] = (),
    comment: str = "",
    helped: bool = False,
) -> str:
    """The form; `helped`: a button has just changed the text, which nobody has saved yet."""
    corrects = broadcast.corrects_id if broadcast else None
    rich = rich_form.given(_further()) if rich_form.was_posted() else rich_form.stored(broadcast)
    others = _other_channels(values, broadcast)
    files = files or media_form.stored(broadcast.id if broadcast else None, _further())
    written = Written(_text_of(values), {one.name: one.text for one in others}, rich, files)
    return render_template(
        "compose.html",
        broadcast=broadcast,
        corrected=broadcast_or_404(corrects) if corrects else None,
        way_in_place=correct_broadcasts.way_of_draft(broadcast, utcnow()) if broadcast else None,
        values=values,
        errors=errors or {},
        conflict=conflict,
        lists=ordinary_lists(),
        counts=reports.list_counts(),
        snippets=manage_snippets.all_snippets(),
        placeholders={name: placeholder(name) for name in KNOWN},
        live=False,
        helped=helped,
        has_templates=not broadcast and bool(manage_templates.all_templates()),
        files=files,
        file_notes=media_words.notes_of_draft(broadcast.id) if broadcast and not errors else [],
        others=others,
        button_rows={name: rich_form.rows(name, rich) for name in ("", *(one.name for one in others))},
        button_words=rich_form.words(),
        preview=rich.get("", Rich()).preview,
        comments=remarks.of_draft(broadcast.id) if broadcast else [],
        comment=comment,
        zone=house_zone(),
        repeating=list(rules_among([broadcast.id]).values()) if broadcast else [],
        **by_lists.fields(values, broadcast, rich),
        **(segment_of(broadcast) if broadcast else {}),
        **_looked_at(written, values, corrects, broadcast.id if broadcast else None),
    )
