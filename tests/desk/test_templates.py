"""Templates: a broadcast is kept, written from, renamed and removed, and is never itself a broadcast."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.segments import Among, Clause, Segment, Trait, written
from app.runtime import runtime
from app.services import close_list, manage_segments, manage_templates, write_drafts
from app.services.broadcast_rows import targets_of
from app.services.controller import NotFound, Refused
from app.services.media.attach import EVERYWHERE, Given, attach, attached_to
from app.services.media.take_in import take_in
from app.services.review_broadcasts import check
from app.services.rich_messages import stored
from app.storage.database import db
from app.storage.models import AuditEntry, Broadcast, BroadcastVersion
from app.storage.variants import variants_of
from tests.desk.conftest import House, Visitor, words
from tests.support import media
from tests.support.world import NOON, FakeProvider, Newsroom

TEXT = "City: no water in [[place]] until [[time]]. Reply STOP to leave."
LATER = NOON + timedelta(hours=1)


def draft(newsroom: Newsroom, text: str = TEXT) -> int:
    return write_drafts.create_draft(
        title="Outage",
        text=text,
        list_ids=[newsroom.list_id],
        variants={"telegram": "No water in [[place]]!", "de": "Kein Wasser in [[place]]."},
        rich={"": Rich((Button(ButtonKind.REPLY, "I have water"),))},
        by="Ada Berg (#1)",
        now=NOON,
    )


def keep(newsroom: Newsroom, name: str = "Outage") -> int:
    return manage_templates.keep(draft(newsroom), name, by="Ada Berg (#1)", now=NOON)


def test_a_template_has_all_that_a_broadcast_says(newsroom: Newsroom) -> None:
    session = db.session()
    original = draft(newsroom)
    rule = Segment((Clause(Among(Trait.LANGUAGE, ("de",))),))
    manage_segments.choose_rule(original, rule, by="ada", now=NOON)
    file_id = take_in(media.png(), files=runtime().files, by="ada", now=newsroom.now)
    attach(original, EVERYWHERE, Given(file_id, "map.png", "A map"), by="ada", now=NOON)

    kept = manage_templates.keep(original, " Outage ", by="ada", now=NOON)
    new = manage_templates.write_from(kept, by="ed", now=LATER)

    for one in (kept, new):
        row = session.get_one(Broadcast, one)
        assert (row.title, row.text, row.next_at) == ("Outage", TEXT, None)
        assert row.segment_rule == written(rule)
        assert set(variants_of(session, one)) == {"telegram", "de"}
        assert [each.label for each in stored(session, one)[""][0].buttons] == ["I have water"]
        assert attached_to(session, one)[EVERYWHERE].name == "map.png"
        assert [each.id for each in targets_of(session, one)] == [newsroom.list_id]
    assert session.get_one(Broadcast, new).state == "draft"


def test_gaps_are_filled_in_every_text_and_stop_what_is_not_filled(newsroom: Newsroom) -> None:
    newsroom.join(1)
    kept = keep(newsroom)

    half = manage_templates.write_from(kept, fills={"place": "Riverside"}, by="ed", now=LATER)
    whole = manage_templates.write_from(
        kept, title="Monday", fills={"place": "Riverside", "time": "six"}, by="ed", now=LATER
    )

    assert variants_of(db.session(), half) == {
        "de": "Kein Wasser in Riverside.",
        "telegram": "No water in Riverside!",
    }
    assert "Fill in [[time]]: people would read the brackets." in check(half, now=LATER).problems
    assert check(whole, now=LATER).problems == ()
    assert db.session.get_one(Broadcast, whole).title == "Monday"


def test_what_was_sent_can_be_kept_and_closed_lists_are_left_out(newsroom: Newsroom) -> None:
    newsroom.join(1)
    sent = newsroom.broadcast("City: the bridge is closed. Reply STOP to leave.")
    newsroom.send(FakeProvider())
    kept = manage_templates.keep(sent, "Bridge", by="ada", now=LATER)
    name = targets_of(db.session(), sent)[0].name
    db.session.rollback()

    close_list.close_list(name, by="ada", controller=newsroom.controller, now=LATER)
    new = manage_templates.write_from(kept, by="ada", now=LATER)

    assert targets_of(db.session(), new) == []


def test_a_template_is_no_broadcast(newsroom: Newsroom) -> None:
    kept = keep(newsroom)

    with pytest.raises(NotFound):
        check(kept, now=NOON)
    with pytest.raises(NotFound):
        write_drafts.copy_broadcast(kept, by="ada", now=NOON)
    with pytest.raises(NotFound):
        manage_templates.keep(kept, "Other", by="ada", now=NOON)


def test_a_name_is_taken_once_and_has_a_length(newsroom: Newsroom) -> None:
    kept, other = keep(newsroom), keep(newsroom, "Bridge")

    with pytest.raises(Refused, match="There is a template “Outage” already"):
        manage_templates.rename(other, " Outage ", by="ada", now=NOON)
    with pytest.raises(Refused, match="1 to 120 characters"):
        manage_templates.rename(kept, " ", by="ada", now=NOON)
    manage_templates.rename(kept, "Outage", by="ada", now=NOON)

    assert manage_templates.named("Outage").id == kept
    with pytest.raises(NotFound, match="There are: “Bridge”, “Outage”"):
        manage_templates.named("Storm")


def test_a_removed_template_leaves_nothing_behind_but_what_was_written_from_it(newsroom: Newsroom) -> None:
    kept = keep(newsroom)
    new = manage_templates.write_from(kept, by="ed", now=LATER)

    assert manage_templates.remove(kept, by="ed", now=LATER) == "Outage"

    session = db.session()
    versions = select(func.count()).select_from(BroadcastVersion).where(BroadcastVersion.broadcast_id == kept)
    assert session.get(Broadcast, kept) is None
    assert session.scalar(versions) == 0
    assert session.get_one(Broadcast, new).text == TEXT
    deeds = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"template {kept}"))
    assert deeds.all() == ["template.keep", "template.remove"]


def test_a_removed_segment_leaves_its_rule_in_a_template(newsroom: Newsroom) -> None:
    rule = Segment((Clause(Among(Trait.LANGUAGE, ("de",))),))
    saved = manage_segments.add(newsroom.list_id, "Germans", rule, by="ada", now=NOON)
    original = draft(newsroom)
    manage_segments.choose_saved(original, saved, by="ada", now=NOON)
    kept = manage_templates.keep(original, "Outage", by="ada", now=NOON)

    manage_segments.remove(saved, by="ada", now=LATER)

    row = db.session.get_one(Broadcast, kept, populate_existing=True)
    assert (row.segment_id, row.segment_rule) == (None, written(rule))


def test_an_editor_keeps_writes_renames_and_removes_at_the_desk(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        number = draft(newsroom)

    asked = editor.get(f"/broadcasts/{number}/template")
    kept = editor.submit(f"/broadcasts/{number}/template", {"name": "Water"})
    taken = editor.post(f"/broadcasts/{number}/template", {"name": "Water"})
    shown = editor.get("/templates/2")
    begun = editor.submit("/templates/2/write")
    renamed = editor.submit("/templates/2", {"name": "Water outage"})
    question = editor.get("/templates/2/remove")
    removed = editor.submit("/templates/2/remove")

    assert "<mark>[[place]]</mark>" in asked.text
    assert "“Water” is kept as a template." in words(kept)
    assert taken.status_code == 422
    assert "There is a template “Water” already. Choose another name." in words(taken)
    assert "<mark>[[time]]</mark>" in shown.text
    assert "Kein Wasser in <mark>[[place]]</mark>" in shown.text
    assert "To fill in each time place, time" in words(shown)
    assert "This draft begins as the template “Water”." in words(begun)
    assert "Fill in [[place]], [[time]]: people would read the brackets." in words(begun)
    assert "<mark>[[place]]</mark>" in begun.text
    assert "The template is called “Water outage” now." in words(renamed)
    assert "Remove this template? Water outage" in words(question)
    assert "No template is kept yet." in words(removed)


def test_no_page_shows_a_template_as_a_broadcast(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        kept = keep(newsroom)

    index = words(editor.get("/broadcasts?tab=drafts"))

    assert "Drafts 1 Waiting 0" in index
    assert editor.get(f"/broadcasts/{kept}").status_code == 404
    assert editor.get(f"/broadcasts/{kept}/edit").status_code == 404
    assert editor.get(f"/broadcasts/{kept}/template").status_code == 404
    assert editor.get("/templates/1").status_code == 404
    assert editor.post("/templates/1/remove").status_code == 404
    assert "Begin from a template" in words(editor.get("/broadcasts/new"))
