"""Choosing the moment, and the one sheet before anything goes."""

from datetime import timedelta

import pytest

from app.clock import utcnow
from app.services import write_drafts
from app.services.manage_lists import create_list
from app.storage.database import db
from app.storage.models import Broadcast
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON


def write(house: House, *, list_ids: list[int] | None = None, text: str = "Open. STOP to leave.") -> int:
    with house.inside() as newsroom:
        return write_drafts.create_draft(
            title="Bridge", text=text, list_ids=list_ids or [newsroom.list_id], by="Ada (#1)", now=NOON
        )


def list_of_hours(house: House, from_hour: int, until_hour: int) -> int:
    with house.inside() as newsroom:
        return create_list(
            name="Office hours",
            keyword="OFFICE",
            purpose="News in office hours",
            language="en",
            max_per_day=3,
            from_hour=from_hour,
            until_hour=until_hour,
            zone="Europe/Berlin",
            sender_id=newsroom.sender_id,
            is_default=False,
            any_hour_reason="tests",
            by="tests",
            controller=newsroom.controller,
            now=NOON,
        )


def broadcast(house: House, broadcast_id: int) -> Broadcast:
    with house.inside():
        return db.session.get_one(Broadcast, broadcast_id)


@pytest.fixture
def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(3)
    return write(house)


def at(day: str, hour: str, zone: str = "Europe/Berlin") -> str:
    return f"choice=at&day={day}&hour={hour}&zone={zone}"


def test_the_moment_is_said_in_words_on_the_clock_that_was_chosen(editor: Visitor, draft: int) -> None:
    answer = editor.get(f"/broadcasts/{draft}/when/words?{at('2099-03-05', '09:00')}")

    assert "Thursday 5 March 2099, 09:00 CET (Europe/Berlin)" in words(answer)


def test_a_time_that_the_clock_skips_is_refused(editor: Visitor, draft: int) -> None:
    answer = editor.get(f"/broadcasts/{draft}/review?{at('2099-03-29', '02:30')}")

    assert answer.status_code == 422
    assert "there is no 02:30 in Europe/Berlin" in words(answer)


def test_a_time_that_the_clock_shows_twice_is_the_first(editor: Visitor, draft: int) -> None:
    answer = editor.get(f"/broadcasts/{draft}/when/words?{at('2099-10-25', '02:30')}")

    assert "02:30 CEST" in words(answer)
    assert "show this time twice" in words(answer)


def test_the_past_is_refused(editor: Visitor, draft: int) -> None:
    answer = editor.get(f"/broadcasts/{draft}/review?{at('2020-01-01', '09:00')}")

    assert answer.status_code == 422
    assert "This moment is over." in words(answer)


def test_outside_the_promised_hours_the_nearest_allowed_time_is_a_button(
    house: House, editor: Visitor
) -> None:
    draft = write(house, list_ids=[list_of_hours(house, 7, 20)])

    answer = editor.get(f"/broadcasts/{draft}/review?{at('2099-03-05', '21:10')}")

    assert answer.status_code == 422
    assert "Office hours 7–20 h (Europe/Berlin)" in words(answer)
    assert "Take Friday 6 March 2099, 07:00 CET" in words(answer)
    assert "day=2099-03-06&amp;hour=07:00" in answer.text.replace("%3A", ":")


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("choice=at&zone=UTC&day=&hour=09:00", "Choose a day."),
        ("choice=at&zone=UTC&day=2099-01-01&hour=", "Choose a time."),
        ("choice=at&zone=UTC&day=soon&hour=09:00", "Write the day as 2026-11-26."),
        ("choice=at&zone=Mars/Olympus&day=2099-01-01&hour=09:00", "Choose a time zone."),
        ("choice=never&zone=UTC", "Choose now or a time."),
    ],
)
def test_what_is_missing_is_said(query: str, error: str, editor: Visitor, draft: int) -> None:
    answer = editor.get(f"/broadcasts/{draft}/review?{query}")

    assert answer.status_code == 422
    assert error in words(answer)


def test_the_button_says_what_will_happen(editor: Visitor, draft: int) -> None:
    now = editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    later = editor.get(f"/broadcasts/{draft}/review?{at('2099-03-05', '09:00')}")

    assert "Send 3 messages now" in words(now)
    assert "Schedule 3 messages for Thu 5 Mar, 09:00 CET" in words(later)


def test_the_review_shows_who_is_left_out_and_what_it_costs(
    house: House, editor: Visitor, draft: int
) -> None:
    with house.inside() as newsroom:
        newsroom.text("STOP", newsroom.join(1, first=9)[0])

    page = words(editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC"))

    assert "1 part for each person, 3 parts in all (GSM-7)" in page
    assert "1,000 parts a second" in page
    assert "Written by Ada" in page


def test_nobody_to_reach_disables_the_button_with_the_reason(house: House, editor: Visitor) -> None:
    draft = write(house)

    page = editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")

    assert "Nobody on these lists can be reached now." in words(page)
    assert '<button disabled aria-describedby="problems">' in page.text


def test_sending_now_makes_the_broadcast_due(house: House, editor: Visitor, draft: int) -> None:
    editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")

    page = editor.submit(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC"})

    assert "Waiting for its time" in words(page)
    stored = broadcast(house, draft)
    assert stored.state == "scheduled"
    assert stored.next_at is not None
    assert abs(stored.next_at - utcnow()) < timedelta(minutes=1)


def test_scheduling_stores_the_instant_and_the_zone(house: House, editor: Visitor, draft: int) -> None:
    form = {"choice": "at", "day": "2099-03-05", "hour": "09:00", "zone": "Europe/Berlin"}
    editor.get(f"/broadcasts/{draft}/review?{at('2099-03-05', '09:00')}")

    page = editor.submit(f"/broadcasts/{draft}/review", form)

    assert "Scheduled for Thursday 5 March 2099, 09:00 CET." in words(page)
    stored = broadcast(house, draft)
    assert (str(stored.next_at), stored.zone) == ("2099-03-05 08:00:00+00:00", "Europe/Berlin")


def test_pressing_the_button_twice_schedules_once(house: House, editor: Visitor, draft: int) -> None:
    editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    editor.submit(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC"})
    first = broadcast(house, draft).next_at

    second = editor.post(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC"})

    assert second.location == f"/broadcasts/{draft}"
    assert broadcast(house, draft).next_at == first


def test_a_waiting_broadcast_can_be_taken_back(house: House, editor: Visitor, draft: int) -> None:
    editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    editor.submit(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC"})

    page = editor.submit(f"/broadcasts/{draft}/back-to-draft")

    assert "This is a draft again." in words(page)
    assert broadcast(house, draft).state == "draft"


def test_a_first_wave_is_chosen_on_the_review(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(20)
    draft = write(house)
    page = editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    assert "First wave" in words(page)

    editor.submit(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC", "first_percent": "25"})

    assert broadcast(house, draft).first_percent == 25


@pytest.mark.parametrize("chosen", ["", "7", "everybody"])
def test_without_a_share_that_is_offered_everybody_goes_at_once(
    house: House, editor: Visitor, draft: int, chosen: str
) -> None:
    editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    editor.submit(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC", "first_percent": chosen})

    assert broadcast(house, draft).state == "scheduled"
    assert broadcast(house, draft).first_percent is None
