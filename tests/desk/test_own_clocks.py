"""An hour on each person's own clock at the desk: chosen, reviewed, scheduled, and who still waits."""

from collections.abc import Callable
from datetime import UTC, datetime

from app.services import fan_out
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_schedule import at, broadcast, write
from tests.services.test_hold_back import BERLIN, LONDON, WASHINGTON, join

NINE = at("2099-05-03", "09:00").replace("choice=at", "choice=local")
FORM = {"choice": "local", "day": "2099-05-03", "hour": "09:00", "zone": "Europe/Berlin"}


def draft_for(house: House, *people: str) -> int:
    with house.inside() as newsroom:
        join(newsroom, "CITY", *people)
    return write(house)


def test_the_preview_and_the_review_say_who_gets_it_when(house: House, editor: Visitor) -> None:
    draft = draft_for(house, WASHINGTON, LONDON, BERLIN, "+493023125124")

    said = words(editor.get(f"/broadcasts/{draft}/when/words?{NINE}"))
    review = words(editor.get(f"/broadcasts/{draft}/review?{NINE}"))

    assert "Sunday 3 May 2099, 09:00 on each person’s own clock" in said
    for text in (said, review):
        assert "2 people at 09:00 CEST in Berlin" in text
        assert "1 person at 09:00 BST in London (10:00 CEST)" in text
        assert "1 person at 09:00 EDT in New York (15:00 CEST)" in text
    assert "Schedule 4 messages for Sun 3 May, 09:00 on each person’s own clock" in review
    assert "First wave" not in review


def test_it_is_scheduled_and_the_progress_says_who_still_waits(
    house: House, visit: Callable[..., Visitor]
) -> None:
    draft = draft_for(house, WASHINGTON, BERLIN)
    german = visit(Role.EDITOR, "de")
    german.get(f"/broadcasts/{draft}/review?{NINE}")

    page = german.submit(f"/broadcasts/{draft}/review", FORM)

    stored = broadcast(house, draft)
    assert stored.local_at == datetime(2099, 5, 3, 9, 0)
    assert stored.next_at == datetime(2099, 5, 3, 7, 0, tzinfo=UTC)
    assert "Sonntag, 3. Mai 2099, 09:00 Ortszeit bei jeder Person" in words(page)
    with house.inside() as newsroom:
        newsroom.now = stored.next_at
        fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
        newsroom.send()
    live = words(german.get(f"/broadcasts/{draft}/live"))
    assert "1 Person um 09:00 EDT in New York (15:00 CEST)" in live
    assert "in Berlin" not in live


def test_an_hour_that_is_over_everywhere_is_refused(house: House, editor: Visitor) -> None:
    draft = draft_for(house, BERLIN)

    answer = editor.get(f"/broadcasts/{draft}/review?{NINE.replace('2099', '2020')}")

    assert answer.status_code == 422
    assert "This time is in the past everywhere." in words(answer)
