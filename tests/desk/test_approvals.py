"""The second person at the desk: asked on the review, found among the drafts, given once read at any hour."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from app.clock import utcnow
from app.services import approval, stories
from app.storage.database import transaction
from app.storage.models import BroadcastList
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_schedule import broadcast, write

NOW_ = {"choice": "now", "zone": "UTC"}
RULE = {
    "choice": "repeat",
    "day": "2099-03-05",
    "hour": "09:00",
    "zone": "Europe/Berlin",
    "every": "week",
    "interval": "2",
    "weekdays": ["0", "3"],
    "times": "5",
}


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


def test_what_repeats_is_asked_for_and_approved_with_its_rule_kept(
    house: House, editor: Visitor, visit: Callable[..., Visitor], draft: int
) -> None:
    review = f"/broadcasts/{draft}/review?{urlencode(RULE, doseq=True)}"
    said = "Every 2 weeks on Monday and Thursday, 09:00 (Europe/Berlin), 5 times"
    editor.get(f"/broadcasts/{draft}/edit")
    saved = {"title": "Bridge", "text": "Open! STOP to leave.", "list_ids": house.newsroom.list_id}
    editor.submit(
        f"/broadcasts/{draft}/edit", {**saved, "revision": broadcast(house, draft).revision, "act": "save"}
    )
    assert "Ask for approval</button>" in editor.get(review).text

    asked = words(editor.submit(f"/broadcasts/{draft}/approval/ask", RULE))
    second = visit(Role.ADMIN)
    (mark,) = re.findall(r'name="mark" value="([^"]+)"', second.get(review).text)
    given = second.submit(f"/broadcasts/{draft}/approval/give", {"mark": mark, **RULE})

    assert said in asked
    assert "asks for a yes, since" in asked
    assert "Ask for it on the review" not in asked
    assert said in words(given)
    assert "said yes, on" in words(given)
    assert "<button disabled" not in given.text
    begun = editor.submit(f"/broadcasts/{draft}/repeat", RULE)
    assert "It repeats from now on." in words(begun)


def test_a_yes_is_given_outside_of_the_promised_hours(
    house: House, editor: Visitor, visit: Callable[..., Visitor], draft: int
) -> None:
    with house.inside() as newsroom, transaction() as session:
        row = session.get_one(BroadcastList, newsroom.list_id)
        row.zone, over = "UTC", utcnow().hour < 2
        row.from_hour, row.until_hour = (22, 23) if over else (0, 1)
    second = visit(Role.ADMIN)
    editor.get("/broadcasts/new")
    with house.inside():
        approval.ask(draft, by="Ada (#1)", now=utcnow())

    drafts = second.get("/broadcasts?tab=drafts")
    assert f'href="/broadcasts/{draft}/approval"' in drafts.text
    sheet = second.get(f"/broadcasts/{draft}/approval")
    assert sheet.status_code == 200
    assert "It can be approved all the same: the time is chosen afterwards." in words(sheet)
    assert "Ask for it on the review" not in words(sheet)
    assert f'action="/broadcasts/{draft}/review"' not in sheet.text
    (mark,) = re.findall(r'name="mark" value="([^"]+)"', sheet.text)
    given = second.submit(f"/broadcasts/{draft}/approval/give", {"mark": mark})

    assert "Approved. Any change takes the yes away again." in words(given)
    assert broadcast(house, draft).approved_by is not None
    assert "Choose when it goes" in words(given)


def test_there_is_nothing_to_read_for_a_yes_that_nobody_asks_for(house: House, editor: Visitor) -> None:
    free = write(house)

    answer = editor.get(f"/broadcasts/{free}/approval")

    assert answer.location == f"/broadcasts/{free}/when"


def test_the_first_page_says_what_waits_for_the_yes_of_a_second_person(
    house: House, editor: Visitor, visit: Callable[..., Visitor], draft: int
) -> None:
    saved = {"title": "Bridge", "text": "Open! STOP to leave.", "list_ids": house.newsroom.list_id}
    editor.get(f"/broadcasts/{draft}/edit")
    editor.submit(
        f"/broadcasts/{draft}/edit", {**saved, "revision": broadcast(house, draft).revision, "act": "save"}
    )
    second = visit(Role.ADMIN)
    assert "waits for your yes" not in words(second.get("/broadcasts?tab=waiting"))

    editor.submit(f"/broadcasts/{draft}/approval/ask", NOW_)

    hint = second.get("/broadcasts?tab=waiting")
    assert "1 broadcast waits for your yes" in words(hint)
    assert f'href="/broadcasts/{draft}/approval"' in hint.text
    assert "waits for your yes" not in words(editor.get("/broadcasts?tab=waiting"))
    german = visit(Role.ADMIN, "de")
    assert "1 Sendung wartet auf Ihr Ja" in words(german.get("/broadcasts?tab=waiting"))
