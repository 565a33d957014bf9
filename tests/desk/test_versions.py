"""Every save of a draft is kept, its changes are shown in words, and each can be taken back."""

import pytest
from sqlalchemy import delete

from app.services import plan_broadcasts
from app.services.controller import Conflict
from app.storage import versions
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastVersion
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON, Newsroom


def draft(newsroom: Newsroom, text: str = "The bridge is open.") -> int:
    return plan_broadcasts.create_draft(
        title="Bridge",
        text=text,
        list_ids=[newsroom.list_id],
        variants={"telegram": "Open!"},
        by="Ada Berg (#1)",
        now=NOON,
    )


def save(newsroom: Newsroom, broadcast_id: int, text: str, revision: int) -> int:
    return plan_broadcasts.save_draft(
        broadcast_id,
        title="Bridge",
        text=text,
        list_ids=[newsroom.list_id],
        revision=revision,
        by="Ed Berg (#2)",
        now=NOON,
    )


def kept(broadcast_id: int) -> list[tuple[int, str, str]]:
    db.session.rollback()
    rows = versions.versions(db.session(), broadcast_id)
    return [(one.revision, one.text, one.saved_by) for one in rows]


def test_the_page_tells_the_changes_in_words_and_by_sign(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        one = draft(newsroom)
        save(newsroom, one, "The bridge is <closed>.", 1)

    page = editor.get(f"/broadcasts/{one}/versions")

    assert "Version 2 (this is what it says now) Ed Berg" in words(page)
    assert '<del><span class="sr">[removed: </span>open' in page.text
    assert '<ins><span class="sr">[added: </span>&lt;closed&gt;' in page.text


def test_a_version_taken_back_is_a_new_one(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        one = draft(newsroom)
        save(newsroom, one, "The bridge is closed.", 1)
    editor.get(f"/broadcasts/{one}/versions")

    answer = editor.submit(f"/broadcasts/{one}/versions/1", {"revision": 2})
    again = editor.submit(f"/broadcasts/{one}/versions/2", {"revision": 2})
    gone = editor.post(f"/broadcasts/{one}/versions/77", {"revision": 3})

    assert "The draft says again what version 1 said." in words(answer)
    assert "Somebody else saved this draft in the meantime." in words(again)
    assert gone.status_code == 404
    with house.inside():
        assert [(number, text) for number, text, _ in kept(one)] == [
            (3, "The bridge is open."),
            (2, "The bridge is closed."),
            (1, "The bridge is open."),
        ]


def test_other_words_come_back_with_their_version_and_later_ones_go(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    plan_broadcasts.save_draft(
        one,
        title="Bridge",
        text="The bridge is open.",
        list_ids=[newsroom.list_id],
        variants={"telegram": "", "whatsapp": "New."},
        revision=1,
        by="ed",
        now=NOON,
    )

    plan_broadcasts.take_back(one, 1, revision=2, by="ed", now=NOON)

    db.session.rollback()
    assert versions.versions(db.session(), one)[0].variants == {"telegram": "Open!"}


def test_a_save_that_changes_nothing_is_no_version(newsroom: Newsroom) -> None:
    one = draft(newsroom)

    save(newsroom, one, "The bridge is open.", 1)

    assert kept(one) == [(1, "The bridge is open.", "Ada Berg (#1)")]


def test_what_a_draft_of_an_older_edition_said_is_kept_at_its_next_save(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    with transaction() as session:
        session.execute(delete(BroadcastVersion))

    save(newsroom, one, "Closed.", 1)

    assert [(number, text) for number, text, _ in kept(one)] == [(2, "Closed."), (1, "The bridge is open.")]


def test_the_oldest_goes_for_the_fifty_first(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    with transaction() as session:
        broadcast = session.get_one(Broadcast, one)
        for number in range(2, 53):
            broadcast.revision, broadcast.text = number, f"Text {number}"
            versions.keep(session, broadcast, {}, "ada", NOON)

    numbers = [number for number, _, _ in kept(one)]
    assert (len(numbers), numbers[0], numbers[-1]) == (50, 52, 3)


def test_two_who_take_back_at_once_do_not_undo_each_other(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    save(newsroom, one, "Closed.", 1)
    plan_broadcasts.take_back(one, 1, revision=2, by="ed", now=NOON)

    with pytest.raises(Conflict):
        plan_broadcasts.take_back(one, 1, revision=2, by="ada", now=NOON)
