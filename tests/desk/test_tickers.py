"""The page of a live event: one line, sent once however often it is pressed, with its counts below."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.clock import utcnow
from app.services import tickers
from app.services.tickers import Plan
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words

FORM = {
    "name": "Election night",
    "keyword": "VOTE",
    "purpose": "Results as they come",
    "language": "en",
    "zone": "Europe/Berlin",
    "begins_day": "2026-01-01",
    "begins_hour": "20:00",
    "ends_day": "2026-01-01",
    "ends_hour": "23:00",
    "most": "30",
    "from_hour": "0",
    "until_hour": "24",
    "fresh_minutes": "10",
    "erase_after_days": "30",
    "farewell": "",
}
_FORM_TOKEN = re.compile(r'name="token" value="([^"]+)"')


@pytest.fixture
def event(house: House) -> int:
    """An event that is on, with one person who joined it."""
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        list_id = tickers.create(
            Plan(
                name="Election night",
                keyword="VOTE",
                purpose="Results as they come",
                language="en",
                begins_at=newsroom.now,
                ends_at=newsroom.now + timedelta(hours=3),
                zone="UTC",
                sender_id=newsroom.sender_id,
                most=30,
            ),
            by="ada",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        newsroom.text("VOTE")
    return list_id


def test_an_admin_opens_an_event_that_people_can_join(admin: Visitor) -> None:
    admin.get("/tickers/new")
    day = f"{utcnow() + timedelta(days=1):%Y-%m-%d}"
    sender = {"sender_id": "1", "begins_day": day, "ends_day": day}
    page = admin.submit("/tickers/new", FORM | sender)
    assert "People can join “Election night” now." in words(page)
    assert "People can join already: VOTE" in words(page)
    assert "Election night" in words(admin.get("/tickers"))


def test_what_is_wrong_with_a_new_event_is_said_at_its_field(admin: Visitor) -> None:
    admin.get("/tickers/new")
    answer = admin.post("/tickers/new", FORM | {"ends_day": "soon", "sender_id": "1"})
    assert answer.status_code == 422
    assert "Write the day as 2026-11-26." in words(answer)
    assert "This end is in the past." in words(admin.post("/tickers/new", FORM | {"sender_id": "1"}))


def test_one_line_is_sent_once_however_often_it_is_pressed(house: House, editor: Visitor, event: int) -> None:
    page = editor.get(f"/ticker/{event}")
    token = _FORM_TOKEN.search(page.text).group(1)  # type: ignore[union-attr]
    line = {"text": "First count: a tie.", "token": token, "act": "send"}
    for _ in range(2):
        page = editor.submit(f"/ticker/{event}", line)
    assert words(page).count("First count: a tie.") == 2  # its heading, and its link's name
    assert "1 of 30 messages" in words(page)
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        newsroom.send()
        assert newsroom.provider.arrived[-1][1] == "First count: a tie."
    assert "0 delivered, 1 sent 1 of 1" in words(editor.get(f"/ticker/{event}/live"))


def test_a_line_that_cannot_go_stays_in_its_field_with_the_reason(editor: Visitor, event: int) -> None:
    editor.get(f"/ticker/{event}")
    answer = editor.post(f"/ticker/{event}", {"text": "See bit.ly/x", "token": "a", "act": "send"})
    assert answer.status_code == 422
    assert 'value="See bit.ly/x"' in answer.text
    assert "Carriers filter public link shorteners." in words(answer)
    assert "The text is empty." in words(editor.post(f"/ticker/{event}", {"text": " ", "token": "b"}))


def test_the_server_counts_the_characters_of_the_line(editor: Visitor, event: int) -> None:
    editor.get(f"/ticker/{event}")
    answer = editor.post(f"/ticker/{event}/measure", {"text": "x" * 161})
    assert "161 of 306 · 2 parts · 1 person reachable now" in words(answer)


def test_the_last_line_is_corrected_with_one_press(house: House, editor: Visitor, event: int) -> None:
    editor.get(f"/ticker/{event}")
    editor.submit(f"/ticker/{event}", {"text": "Anna wins.", "token": "a", "act": "send"})
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        newsroom.send()
    page = editor.submit(f"/ticker/{event}", {"text": "Sorry: Bert wins.", "token": "b", "act": "correct"})
    assert "Correction ·" in words(page)
    assert words(page).count("Corrected afterwards ·") == 1


def test_an_event_is_ended_with_last_words(editor: Visitor, event: int) -> None:
    assert "The consent of 1 person to it ends" in words(editor.get(f"/ticker/{event}/end"))
    page = editor.submit(f"/ticker/{event}/end", {"last": "That was it."})
    assert "It is ending: nothing more is sent" in words(page)
    assert "That was it." in words(page)


def test_the_list_of_an_event_is_not_offered_for_a_broadcast(editor: Visitor, event: int) -> None:
    assert "Election night" not in words(editor.get("/broadcasts/new"))
    assert editor.get(f"/ticker/{event + 1}").status_code == 404


def test_an_event_is_told_in_german(visit: Callable[..., Visitor], event: int) -> None:
    page = visit(Role.EDITOR, "de").get(f"/ticker/{event}")
    assert "Die Eingabetaste sendet sofort." in words(page)
