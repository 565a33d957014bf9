"""What When and Review say before anything is saved: holidays, who must wait, what is planned twice, and money."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.services import schedule_broadcasts
from app.storage.database import transaction
from app.storage.models import BroadcastList, Sender
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_channels import on_telegram
from tests.desk.test_schedule import at, write
from tests.services.test_hold_back import BERLIN, WASHINGTON, quiet_list
from tests.support.world import NOON

THURSDAY = datetime(2099, 3, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(3)
    return write(house)


def test_a_holiday_at_home_and_where_the_list_is_are_named(house: House, editor: Visitor, draft: int) -> None:
    with house.inside() as newsroom, transaction() as session:
        session.get_one(BroadcastList, newsroom.list_id).zone = "Europe/Berlin"
    said = f"/broadcasts/{draft}/when/words?"

    unity = words(editor.get(said + at("2099-10-03", "12:00")))
    both = words(editor.get(said + at("2099-12-25", "12:00")))
    none = words(editor.get(said + at("2099-10-06", "12:00")))
    review = words(editor.get(f"/broadcasts/{draft}/review?" + at("2099-10-03", "12:00")))

    assert "Public holiday (Germany)." in unity
    assert "Public holiday (United States, Germany)." in both
    assert "holiday" not in none
    assert "Public holiday (Germany)." in review
    rule = "choice=repeat&day=2099-10-03&hour=12:00&zone=Europe/Berlin&every=day"
    assert "Public holiday (Germany)." in words(editor.get(said + rule))


def test_who_waits_for_the_morning_is_counted_while_the_time_is_chosen(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        quiet = quiet_list(newsroom, WASHINGTON, BERLIN)
    draft = write(house, list_ids=[quiet])

    said = words(editor.get(f"/broadcasts/{draft}/when/words?" + at("2099-05-04", "14:00")))

    assert "1 person gets it later: quiet hours where they are, from" in said


def test_two_that_wait_with_the_same_words_are_seen(house: House, editor: Visitor, draft: int) -> None:
    other = write(house, text="OPEN; stop to leave!")
    with house.inside():
        schedule_broadcasts.schedule(other, at=THURSDAY + timedelta(hours=30), zone="UTC", by="ada", now=NOON)

    page = words(editor.get(f"/broadcasts/{draft}/review?" + at("2099-03-05", "09:00", "UTC")))
    far = words(editor.get(f"/broadcasts/{draft}/review?" + at("2099-03-02", "09:00", "UTC")))

    assert "The same text is planned already" in page
    assert "Whoever gets that one gets the words twice." in page
    assert "planned already" not in far


def test_money_stands_beside_the_parts_where_a_price_is_known(
    house: House, editor: Visitor, draft: int
) -> None:
    counted = {"text": "Open. STOP to leave.", "list_ids": house.newsroom.list_id, "title": "x"}
    editor.get("/broadcasts/new")
    before = words(editor.post("/broadcasts/measure", counted))
    with house.inside(), transaction() as session:
        session.execute(update(Sender).values(price_micros=50_000, currency="EUR"))

    after = words(editor.post("/broadcasts/measure", counted))
    review = words(editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC"))
    rule = "choice=repeat&day=2099-03-05&hour=09:00&zone=UTC&every=day"

    assert "3 people reachable now · 3 parts in all" in before
    assert "EUR" not in before
    assert "3 parts, 0.15 EUR in all" in after
    assert "3 parts in all (GSM-7), 0.15 EUR" in review
    assert "3 parts (GSM-7), 0.15 EUR" in words(editor.get(f"/broadcasts/{draft}/review?{rule}"))


def test_on_several_channels_the_counter_says_the_most_that_it_can_be(
    house: House, editor: Visitor, draft: int
) -> None:
    on_telegram(house)
    with house.inside(), transaction() as session:
        session.execute(
            update(Sender).where(Sender.channel == "sms").values(price_micros=50_000, currency="EUR")
        )
    editor.get("/broadcasts/new")

    counted = {"text": "Open. STOP to leave.", "list_ids": house.newsroom.list_id, "title": "x"}
    said = words(editor.post("/broadcasts/measure", counted))
    nobody = words(editor.post("/broadcasts/measure", {"text": "Open.", "title": "x"}))

    assert "at most 3 parts, 0.15 EUR in all" in said
    assert "in all" not in nobody
