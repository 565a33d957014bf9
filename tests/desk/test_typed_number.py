"""The number of a large send, wherever something large is let go: counted on the server, and nothing typed is lost."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.runtime import runtime
from app.services import schedule_broadcasts
from app.storage.database import transaction
from app.storage.models import BroadcastList
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_schedule import broadcast, write
from tests.support.world import NOON

NOW_ = {"choice": "now", "zone": "UTC"}
LATER = {"choice": "at", "day": "2099-03-05", "hour": "09:00", "zone": "UTC"}
RULE = {"choice": "repeat", "day": "2099-03-05", "hour": "09:00", "zone": "UTC", "every": "day"}
ASKED = "Type how many people get it: 2"
WRONG = "That is not the number. Type 2."


@pytest.fixture
def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(2)
        runtime().settings = replace(runtime().settings, big_send=2)
    return write(house)


def test_a_large_number_is_typed_before_it_goes(house: House, editor: Visitor, draft: int) -> None:
    review = f"/broadcasts/{draft}/review"
    assert ASKED in words(editor.get(f"{review}?choice=now&zone=UTC"))

    for form in (
        {"people": "2", "typed": "20"},
        {},
        {"typed": "", "people": ""},
        {"people": "1", "typed": "1"},
    ):
        wrong = editor.post(review, {**NOW_, **form})
        assert (wrong.status_code, WRONG in words(wrong)) == (422, True), form
    assert broadcast(house, draft).state == "draft"

    editor.submit(review, {**NOW_, "people": "2", "typed": " 2 "})
    assert broadcast(house, draft).state == "scheduled"


def test_a_mistyped_number_loses_nothing_that_was_chosen(house: House, editor: Visitor, draft: int) -> None:
    with house.inside() as newsroom:
        newsroom.join(20, first=30)
    editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    form = {**LATER, "typed": "7", "people": "22", "first_percent": "10", "over_cap_reason": "The dam broke"}

    page = editor.post(f"/broadcasts/{draft}/review", form)

    assert page.status_code == 422
    assert '<option value="10" selected>' in page.text
    assert 'name="over_cap_reason" type="text" value="The dam broke"' in page.text
    assert 'name="day" value="2099-03-05"' in page.text
    assert "csrf_token=" not in page.text


def test_a_forgotten_reason_comes_back_to_its_field_with_everything_kept(
    house: House, editor: Visitor, draft: int
) -> None:
    other = write(house)
    with house.inside() as newsroom:
        schedule_broadcasts.schedule(
            other, at=datetime(2099, 3, 5, 12, 0, tzinfo=UTC), zone="UTC", by="ada", now=NOON
        )
        with transaction() as session:
            session.get_one(BroadcastList, newsroom.list_id).max_per_day = 1
    editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")

    page = editor.post(f"/broadcasts/{draft}/review", {**LATER, "typed": "2", "people": "2"})

    assert page.status_code == 422
    assert 'id="over_cap_reason-error"' in page.text
    assert 'name="typed" type="text" inputmode="numeric" autocomplete="off" value="2"' in page.text
    assert "Schedule 2 messages for Thu 5 Mar, 09:00 UTC" in words(page)
    editor.submit(
        f"/broadcasts/{draft}/review", {**LATER, "typed": "2", "people": "2", "over_cap_reason": "Dam"}
    )
    assert broadcast(house, draft).over_cap_reason == "Dam"


def test_what_repeats_asks_for_the_number_of_its_first_time(editor: Visitor, draft: int) -> None:
    query = "&".join(f"{name}={value}" for name, value in RULE.items())
    assert ASKED in words(editor.get(f"/broadcasts/{draft}/review?{query}"))

    wrong = editor.post(f"/broadcasts/{draft}/repeat", RULE)
    assert wrong.status_code == 422
    assert WRONG in words(wrong)

    begun = editor.submit(f"/broadcasts/{draft}/repeat", {**RULE, "typed": "2", "people": "2"})
    assert "It repeats from now on." in words(begun)


def test_a_move_asks_for_the_number(house: House, editor: Visitor, draft: int) -> None:
    with house.inside():
        schedule_broadcasts.schedule(
            draft, at=datetime(2099, 3, 5, 9, 0, tzinfo=UTC), zone="UTC", by="ada", now=NOON
        )
    assert ASKED in words(editor.get(f"/broadcasts/{draft}/move?day=2099-03-06"))
    form = {"day": "2099-03-06", "hour": "09:00"}

    wrong = editor.post(f"/broadcasts/{draft}/move", form)
    assert wrong.status_code == 422
    assert WRONG in words(wrong)

    editor.submit(f"/broadcasts/{draft}/move", {**form, "typed": "2", "people": "2"})
    assert broadcast(house, draft).next_at == datetime(2099, 3, 6, 9, 0, tzinfo=UTC)


def test_a_breaking_story_asks_for_the_number(
    house: House, editor: Visitor, admin: Visitor, draft: int
) -> None:
    path = f"/board/{house.newsroom.list_id}"
    editor.get(path)
    editor.submit(f"{path}/stories", {"title": "Flood", "text": "Flood. STOP to leave.", "revision": "0"})
    editor.submit(f"{path}/stories/1/breaking", {"reason": "The dam broke"})
    assert ASKED in words(admin.get(path))

    refused = admin.submit(f"{path}/stories/1/yes", {"revision": "1"})
    assert WRONG in words(refused)
    sent = admin.submit(f"{path}/stories/1/yes", {"revision": "1", "typed": "2", "people": "2"})

    assert "/broadcasts/" in sent.request.path
