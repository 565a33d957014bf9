"""What the page saves by itself while somebody writes: kept, told in a line, and never over somebody else's words."""

from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from app.services import write_drafts
from app.services.approval import ask, set_approval
from app.services.controller import Conflict
from app.services.take_back import take_back
from app.storage import versions
from app.storage.database import db
from app.storage.models import AuditEntry, Broadcast, BroadcastTarget
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON, Newsroom

ADA, ED = "Ada Berg (#1)", "Ed Berg (#2)"


def begin(newsroom: Newsroom) -> int:
    return write_drafts.create_draft(
        title="Bridge", text="It is open.", list_ids=[newsroom.list_id], by=ADA, now=NOON
    )


def save(
    newsroom: Newsroom,
    one: int,
    text: str,
    revision: int,
    *,
    minutes: float = 0.0,
    by: str = ADA,
    by_itself: bool = True,
) -> int:
    return write_drafts.save_draft(
        one,
        title="Bridge",
        text=text,
        list_ids=[newsroom.list_id],
        revision=revision,
        by=by,
        now=NOON + timedelta(minutes=minutes),
        by_itself=by_itself,
    )


def kept(one: int) -> list[tuple[str, str]]:
    db.session.rollback()
    return [(row.text, row.saved_by) for row in versions.versions(db.session(), one)]


def form(house: House, **changes: object) -> dict[str, object]:
    given = {"title": "Bridge", "text": "It is closed. STOP to leave.", "list_ids": [house.newsroom.list_id]}
    return {**given, "revision": 1, "act": "auto", **changes}


def hidden(page: TestResponse, name: str) -> str:
    return page.text.partition(f'name="{name}" value="')[2].partition('"')[0]


def test_a_few_minutes_of_writing_are_one_version(newsroom: Newsroom) -> None:
    one = begin(newsroom)

    revisions = [save(newsroom, one, f"Text {n}", n, minutes=n / 2) for n in range(1, 16)]

    assert revisions == list(range(2, 17))
    assert db.session.get_one(Broadcast, one).text == "Text 15"
    assert kept(one) == [("Text 9", ADA), ("It is open.", ADA)]


def test_what_runs_ahead_of_the_versions_is_shown_and_kept_before_the_next_change(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        one = begin(newsroom)
        save(newsroom, one, "It is half open.", 1, minutes=1)

    page = words(editor.get(f"/broadcasts/{one}/versions"))
    with house.inside():
        take_back(one, 1, revision=2, by=ED, now=NOON + timedelta(minutes=2))
        after = kept(one)

    assert "Version 2 (this is what it says now) Ada Berg" in page
    assert after == [("It is open.", ED), ("It is half open.", ADA), ("It is open.", ADA)]


def test_another_writer_or_a_save_by_hand_begins_a_version(newsroom: Newsroom) -> None:
    one = begin(newsroom)
    save(newsroom, one, "Ada's", 1, minutes=1)
    save(newsroom, one, "Ed's", 2, minutes=2, by=ED)
    save(newsroom, one, "Ed's, again", 3, minutes=3, by=ED)
    save(newsroom, one, "Ed's, again", 4, minutes=3, by=ED, by_itself=False)

    assert kept(one) == [("Ed's, again", ED), ("Ed's", ED), ("Ada's", ADA), ("It is open.", ADA)]


def test_a_save_that_changes_nothing_writes_nothing(newsroom: Newsroom) -> None:
    one = begin(newsroom)
    lines = db.session.query(AuditEntry).count()
    db.session.rollback()

    assert save(newsroom, one, "It is open.", 1, minutes=9) == 1
    assert save(newsroom, one, "It is open.", 1, minutes=9, by_itself=False) == 1

    draft = db.session.get_one(Broadcast, one)
    assert (draft.revision, draft.updated_at, len(kept(one))) == (1, NOON, 1)
    assert db.session.query(AuditEntry).count() == lines


def test_another_choice_of_lists_is_a_change(newsroom: Newsroom) -> None:
    one, other = begin(newsroom), newsroom.new_list("Flood", "FLOOD")

    revision = write_drafts.save_draft(
        one, title="Bridge", text="It is open.", list_ids=[other], revision=1, by=ADA, now=NOON
    )

    assert revision == 2
    assert [row.list_id for row in db.session.query(BroadcastTarget)] == [other]
    db.session.rollback()
    with pytest.raises(Conflict):
        save(newsroom, one, "It is closed.", 1)


def test_it_takes_a_second_persons_yes_away_and_leaves_a_trace(newsroom: Newsroom) -> None:
    set_approval("CITY", True, by=ADA, now=NOON)
    one = begin(newsroom)
    ask(one, by=ADA, now=NOON)

    save(newsroom, one, "It is closed.", 1, minutes=1)

    assert db.session.get_one(Broadcast, one).approval_asked_by is None
    assert kept(one) == [("It is closed.", ADA), ("It is open.", ADA)]
    assert db.session.query(AuditEntry).filter_by(action="broadcast.save").count() == 1


def test_the_answer_is_a_line_and_the_number_of_the_next_save(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        one = begin(newsroom)
    editor.get(f"/broadcasts/{one}/edit")

    first = editor.post(f"/broadcasts/{one}/edit", form(house))
    again = editor.post(f"/broadcasts/{one}/edit", form(house, revision=hidden(first, "revision")))

    assert words(first).startswith("Saved ")
    assert "textarea" not in first.text
    assert (hidden(first, "revision"), hidden(again, "revision")) == ("2", "2")
    with house.inside():
        assert db.session.get_one(Broadcast, one).text == "It is closed. STOP to leave."


def test_a_new_draft_gets_its_address_once_it_has_a_title(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    early = editor.post("/broadcasts/new", form(house, title="", revision=0, draft=""))
    first = editor.post("/broadcasts/new", form(house, revision=0, draft=""))
    more = form(house, text="More.", revision=hidden(first, "revision"), draft=hidden(first, "draft"))
    second = editor.post("/broadcasts/new", more)
    by_hand = editor.post("/broadcasts/new", {**more, "revision": hidden(second, "revision"), "act": "save"})

    assert early.status_code == 200
    assert words(early) == "Not saved yet: Give it a title. Only the desk sees it."
    assert f'data-address="{by_hand.location}"' in first.text
    with house.inside():
        assert [(row.text, row.revision) for row in db.session.query(Broadcast)] == [("More.", 2)]


def test_half_a_placeholder_is_no_error_and_is_not_saved(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        one = begin(newsroom)
    editor.get(f"/broadcasts/{one}/edit")

    answer = editor.post(f"/broadcasts/{one}/edit", form(house, text="Hello {{first_na"))

    assert answer.status_code == 200
    assert words(answer).startswith("Not saved yet: ")
    with house.inside():
        assert db.session.get_one(Broadcast, one).text == "It is open."


def test_somebody_elses_words_are_shown_and_stay(house: House, editor: Visitor, admin: Visitor) -> None:
    with house.inside() as newsroom:
        one = begin(newsroom)
    editor.get(f"/broadcasts/{one}/edit")
    admin.submit(f"/broadcasts/{one}/edit", form(house, text="Theirs.", act="save"))

    answer = editor.post(f"/broadcasts/{one}/edit", form(house, text="Mine."))

    assert answer.status_code == 200
    assert "Not saved: somebody else saved this draft while you were writing." in words(answer)
    assert "Theirs." in answer.text
    assert hidden(answer, "revision") == ""
    with house.inside():
        assert db.session.get_one(Broadcast, one).text == "Theirs."
