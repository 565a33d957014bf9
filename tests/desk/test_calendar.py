"""The calendar at the desk: a month and a week as tables, in both languages, with links and words for clashes."""

from collections.abc import Callable
from datetime import UTC, datetime

from werkzeug.test import TestResponse

from app.domain.recurrence import Every, make_rule
from app.services import board, repeat_broadcasts, schedule_broadcasts
from app.storage.database import transaction
from app.storage.models import BroadcastList
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_schedule import write
from tests.support.world import NOON


def fill(house: House) -> int:
    """A rule from 5 March 2099 on, a broadcast an hour after its first, a slot in the evening; returns the rule."""
    with house.inside() as newsroom:
        newsroom.join(1)
        board.set_slots(newsroom.list_id, ["18:00"], by="tests", now=NOON)
    repeated, once = write(house), write(house)
    rule = make_rule(datetime(2099, 3, 5, 9, 0), "UTC", Every.DAY)
    with house.inside() as newsroom:
        rule_id = repeat_broadcasts.repeat(repeated, rule, by="ada", now=NOON)
        at = datetime(2099, 3, 5, 10, 0, tzinfo=UTC)
        schedule_broadcasts.schedule(once, at=at, zone="UTC", by="ada", now=NOON)
        with transaction() as session:
            session.get_one(BroadcastList, newsroom.list_id).max_per_day = 2
    return rule_id


def calendar_of(page: TestResponse) -> str:
    """The calendar without the frame of the page, which holds a table, too."""
    return page.text.partition("<main")[2].partition("</main>")[0]


def test_a_month_shows_all_that_goes_out_with_links_and_clashes_in_words(
    house: House, editor: Visitor
) -> None:
    rule_id = fill(house)

    page = editor.get("/calendar?day=2099-03-05")

    text = words(page)
    assert "March 2099" in text
    assert (
        "Thursday 5 March 09:00 Bridge planned · City Look again: more than City promised for a day" in text
    )
    assert "10:00 Bridge Waiting for its time · City" in text
    assert "18:00 Slot: the top story planned · City" in text
    for href in (f"/rules/{rule_id}", "/broadcasts/2", "/board/1"):
        assert f'<a href="{href}">' in page.text
    assert calendar_of(page).count("<td") == 6 * 7
    assert "day=2099-04-01" in page.text


def test_a_week_of_one_list_is_said_in_german_too(house: House, visit: Callable[..., Visitor]) -> None:
    fill(house)
    with house.inside() as newsroom:
        sport = newsroom.new_list("Sport", "SPORT")
    german = visit(Role.EDITOR, "de")

    week = german.get("/calendar?view=week&day=2099-03-05")
    other = german.get(f"/calendar?view=week&day=2099-03-05&list={sport}")

    assert calendar_of(week).count("<td") == 7
    assert "2. März 2099 – 8. März 2099" in words(week)
    assert "Donnerstag, 5. März 09:00 Bridge geplant" in words(week)
    assert "Bridge" not in words(other)
    assert "In dieser Zeit geht nichts hinaus." in words(other)


def test_what_goes_by_own_clocks_stands_at_the_hour_that_is_written_beside_it(
    house: House, editor: Visitor
) -> None:
    fill(house)  # a slot at 18:00
    broadcast_id = write(house)
    with house.inside() as newsroom:
        newsroom.text("START", "+12125550123")
        wall = datetime(2099, 3, 5, 15, 0)
        schedule_broadcasts.schedule(broadcast_id, at=None, local_at=wall, zone="UTC", by="ada", now=NOON)

    week = words(editor.get("/calendar?view=week&day=2099-03-05"))

    day = week[week.index("5 March 09:00") :]
    assert day.index("15:00 Bridge") < day.index("18:00 Slot")


def test_a_day_that_is_none_shows_today(editor: Visitor) -> None:
    today = editor.get("/calendar")

    for asked in ("soon", "9999-12-31", "0001-01-01", "2099-02-30"):
        page = editor.get(f"/calendar?day={asked}&view=year&list=none")
        assert words(page) == words(today)
    assert editor.get("/calendar?day=2199-12-31").status_code == 200
    assert editor.get("/calendar?view=week&day=2000-01-01").status_code == 200
