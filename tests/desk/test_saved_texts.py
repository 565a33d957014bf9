"""Saved texts: kept under a name, and put into a draft by a button that needs no JavaScript."""

import pytest
from sqlalchemy import select

from app.services import manage_snippets
from app.services.controller import Conflict
from app.storage.database import db
from app.storage.models import AuditEntry
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON, Newsroom


def add(newsroom: Newsroom, name: str = "Closing line", list_id: int | None = None) -> int:
    return manage_snippets.add(name, "Yours, the desk. Reply STOP to leave.", list_id, by="ada", now=NOON)


def test_a_text_is_added_changed_and_removed(house: House, editor: Visitor) -> None:
    editor.get("/texts")
    form = {"name": "Weather", "text": "Storm.\r\nStay in, {{first_name|friend}}.", "list_id": ""}

    added = editor.submit("/texts", form)
    changed = editor.submit(
        "/texts/1", {**form, "name": "Storm", "list_id": house.newsroom.list_id, "revision": 1}
    )
    removed = editor.submit("/texts/1/remove")

    assert "“Weather” is saved." in words(added)
    assert "for every list · Editor Berg" in words(added)
    assert "Storm Storm. Stay in, {{first_name|friend}}. City · Editor Berg" in words(changed)
    assert "No text is saved yet." in words(removed)
    with house.inside():
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "snippet 1")).all()
    assert actions == ["snippet.add", "snippet.change", "snippet.remove"]


def test_a_saved_text_is_put_into_the_draft_and_nothing_is_saved(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        number = add(newsroom, list_id=newsroom.list_id)
    page = editor.get("/broadcasts/new")
    form = {"title": "", "snippet": number, "act": "snippet"}

    empty = editor.post("/broadcasts/new", {**form, "text": ""})
    begun = editor.post("/broadcasts/new", {**form, "text": "The bridge is open.\n"})

    assert '<optgroup label="City">' in page.text
    assert ">Yours, the desk. Reply STOP to leave.</textarea>" in empty.text
    assert ">The bridge is open.\nYours, the desk. Reply STOP to leave.</textarea>" in begun.text
    assert editor.get("/broadcasts/1/edit").status_code == 404


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": " "}, "Write a name of 1 to 80 characters."),
        ({"text": "Hello {{frist_name|you}}"}, "At character"),
        ({"name": "Closing line"}, "There is a text “Closing line” already."),
        ({"list_id": 99}, "There is no open list 99."),
    ],
)
def test_what_cannot_be_sent_cannot_be_saved(
    change: dict[str, object], problem: str, house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        add(newsroom)
    editor.get("/texts")

    answer = editor.post("/texts", {"name": "Other", "text": "Fine.", "list_id": "", **change})

    assert answer.status_code == 422
    assert problem in words(answer)


def test_two_who_change_one_text_do_not_undo_each_other(newsroom: Newsroom) -> None:
    number = add(newsroom)
    manage_snippets.change(number, "One", "One.", None, revision=1, by="ada", now=NOON)

    with pytest.raises(Conflict):
        manage_snippets.change(number, "Two", "Two.", None, revision=1, by="ed", now=NOON)
