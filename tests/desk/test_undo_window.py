"""Send now: some seconds in which it can be taken back, and nothing leaves before."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.runtime import runtime
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_schedule import broadcast, write


@pytest.fixture
def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(2)
    return write(house)


def send_now(visitor: Visitor, draft: int) -> str:
    visitor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    return words(visitor.submit(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC"}))


def test_what_is_sent_now_starts_in_twenty_seconds(
    house: House, visit: Callable[..., Visitor], draft: int
) -> None:
    page = send_now(visit(Role.EDITOR, "de"), draft)

    assert "Beginnt in 20 Sekunden" in page or "Beginnt in 19 Sekunden" in page
    assert "Noch ist nichts hinausgegangen" in page
    assert broadcast(house, draft).state == "scheduled"


def test_the_seconds_are_said_before_it_is_confirmed(visit: Callable[..., Visitor], draft: int) -> None:
    path = f"/broadcasts/{draft}/when/words?choice=now&zone=UTC"
    german = words(visit(Role.EDITOR, "de").get(path))

    assert "Sie beginnt 20 Sekunden nach Ihrer Bestätigung" in german
    with_page = words(visit(Role.EDITOR).get(f"/broadcasts/{draft}/when?choice=now&zone=UTC"))
    assert "It begins 20 seconds after your confirmation; until then you can take it back." in with_page


def test_nobody_has_to_wait_for_it(house: House, editor: Visitor, draft: int) -> None:
    send_now(editor, draft)

    page = editor.submit(f"/broadcasts/{draft}/start")

    assert "Starts in" not in words(page)
    assert broadcast(house, draft).state == "sending"
    again = editor.submit(f"/broadcasts/{draft}/start")
    assert "it goes at its time, or has gone" in words(again)


def test_what_waits_for_a_time_of_its_own_cannot_be_hurried(
    house: House, editor: Visitor, draft: int
) -> None:
    form = {"choice": "at", "day": "2099-03-05", "hour": "09:00", "zone": "Europe/Berlin"}
    editor.get(f"/broadcasts/{draft}/when")
    page = editor.submit(f"/broadcasts/{draft}/review", form)
    assert "Start at once" not in words(page)

    editor.submit(f"/broadcasts/{draft}/start")

    assert broadcast(house, draft).state == "scheduled"


def test_without_a_window_it_begins_at_once(house: House, editor: Visitor, draft: int) -> None:
    with house.inside():
        runtime().settings = replace(runtime().settings, undo=runtime().settings.undo * 0)

    said = words(editor.get(f"/broadcasts/{draft}/when?choice=now&zone=UTC"))
    send_now(editor, draft)

    assert "It begins within a second of your confirmation." in said
    assert broadcast(house, draft).state == "sending"
