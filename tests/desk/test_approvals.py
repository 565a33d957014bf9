"""The second person at the desk: asked on the review, found among the drafts, given once read; and the typed number."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.runtime import runtime
from app.services import approval, stories
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_schedule import broadcast, write

NOW_ = {"choice": "now", "zone": "UTC"}


@pytest.fixture
def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(2)
        approval.set_approval("City", True, by="admin", now=newsroom.now)
    return write(house)


def test_the_writer_asks_and_a_second_person_says_yes(
    house: House, editor: Visitor, visit: Callable[..., Visitor], draft: int
) -> None:
    review = f"/broadcasts/{draft}/review?choice=now&zone=UTC"
    editor.get(f"/broadcasts/{draft}/edit")
    saved = {"title": "Bridge", "text": "Open! STOP to leave.", "list_ids": house.newsroom.list_id}
    editor.submit(
        f"/broadcasts/{draft}/edit", {**saved, "revision": broadcast(house, draft).revision, "act": "save"}
    )
    page = editor.get(review)
    assert "A second person must approve what goes to City." in words(page)
    assert "Approve</button>" not in page.text
    editor.submit(f"/broadcasts/{draft}/approval/ask", NOW_)
    own = editor.submit(f"/broadcasts/{draft}/approval/give", NOW_)
    assert "a second person must give it" in words(own)

    second = visit(Role.ADMIN, "de")
    assert "wartet auf eine zweite Person" in words(second.get("/broadcasts?tab=drafts"))
    stale = second.submit(f"/broadcasts/{draft}/approval/give", {"mark": "1-0", **NOW_})
    assert "Sie wurde geändert, seit Sie sie gelesen haben." in words(stale)
    (mark,) = re.findall(r'name="mark" value="([^"]+)"', second.get(review).text)
    given = second.submit(f"/broadcasts/{draft}/approval/give", {"mark": mark, **NOW_})

    assert "Freigegeben. Jede Änderung nimmt die Freigabe wieder weg." in words(given)
    assert broadcast(house, draft).approved_by is not None
    editor.get(review)
    editor.submit(f"/broadcasts/{draft}/review", NOW_)
    assert broadcast(house, draft).state == "scheduled"


def test_admins_choose_which_lists_ask(house: House, editor: Visitor, admin: Visitor) -> None:
    list_id = house.newsroom.list_id
    assert "Admins can change this." in words(editor.get(f"/lists/{list_id}/approval"))
    assert editor.post(f"/lists/{list_id}/approval", {"approval": "yes"}).status_code == 403

    admin.get(f"/lists/{list_id}/approval")
    admin.submit(f"/lists/{list_id}/approval", {"approval": "yes"})

    assert "a second person says yes" in words(editor.get("/lists"))


def test_a_story_is_approved_on_the_board(house: House, editor: Visitor, draft: int) -> None:
    with house.inside() as newsroom:
        list_id = newsroom.list_id
        story = stories.add_story(list_id, title="Trams", text="They run.", by="ada", now=newsroom.now)
    page = editor.get(f"/board/{list_id}")
    assert "waits for a second person" in words(page)

    editor.submit(f"/board/{list_id}/stories/{story}/approve", {"revision": "1"})

    assert "said yes to it." in words(editor.get(f"/board/{list_id}"))


def test_a_large_number_is_typed_before_it_goes(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        runtime().settings = replace(runtime().settings, big_send=2)
    draft = write(house)
    page = editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    assert "Type how many people get it: 2" in words(page)

    wrong = editor.post(f"/broadcasts/{draft}/review", {**NOW_, "people": "2", "typed": "20"})
    assert wrong.status_code == 422
    assert "That is not the number. Type 2." in words(wrong)
    assert broadcast(house, draft).state == "draft"

    editor.submit(f"/broadcasts/{draft}/review", {**NOW_, "people": "2", "typed": " 2 "})
    assert broadcast(house, draft).state == "scheduled"
