"""The page of a list, its change, its end and its poster."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.gateways.registry import gateway_class
from app.services.figures.list_growth import growth, lines
from app.services.manage_senders import add
from app.services.schedule_broadcasts import schedule
from app.services.senders_of_lists import add_sender
from app.services.write_drafts import create_draft
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ListDay, Subscription
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.gateways.samples.messenger import SETTINGS as MESSENGER
from tests.support.world import NOON, Newsroom


def came_and_left(list_id: int) -> None:
    with transaction() as session:
        for days, kind, people in ((3, "joined", 5), (3, "left", 1), (40, "joined", 7)):
            day = NOON.date() - timedelta(days=days)
            row = ListDay(list_id=list_id, day=day, kind=kind, channel="sms", act="keyword_exact", tag="")
            row.people = people
            session.add(row)


def wait_for_tomorrow(newsroom: Newsroom) -> None:
    broadcast_id = create_draft(
        title="Bridge", text="x", list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )
    schedule(broadcast_id, at=newsroom.now + timedelta(days=1), zone="UTC", by="ada", now=newsroom.now)


def form(**changes: object) -> dict[str, object]:
    return {
        "name": "City", "language": "en", "max_per_day": "3", "from_hour": "0", "until_hour": "24", "zone": "UTC",
        **changes,
    }  # fmt: skip


def test_the_page_of_a_list_says_who_is_on_it_what_they_read_and_by_which_links_they_come(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        newsroom.join(3)
    page = editor.get(f"/lists/{house.newsroom.list_id}")

    said = words(page)
    assert "On it now 3" in said
    assert "Join: CITY or START to +1 202 555 0100" in said
    assert "STOP CITY ; every list: STOP" in said
    assert "Answer to HELP" in said
    assert "Riverside News" in said
    assert 'class="qr"' in page.text
    assert "sms:+12025550100" in page.text
    assert "Change this list" not in said  # for admins
    assert editor.get("/lists/99").status_code == 404


def test_growth_is_drawn_by_day_and_for_a_year_by_month(house: House) -> None:
    with house.inside() as newsroom:
        came_and_left(newsroom.list_id)
        month = growth(newsroom.list_id, 30, now=NOON)
        year = growth(newsroom.list_id, 365, now=NOON)
        line = lines({newsroom.list_id: 4}, now=NOON)[newsroom.list_id]

    assert sum(month.column("joined")) == 5
    assert len(month.rows) == 30
    assert sum(year.column("joined")) == 12
    assert len(year.rows) in (12, 13)
    assert (line.came, line.left, line.people[-1], line.people[0]) == (5, 1, 4, 0)


def test_the_lists_page_leads_there_and_draws_the_last_days(house: House, editor: Visitor) -> None:
    page = editor.get("/lists")

    assert f'href="/lists/{house.newsroom.list_id}"' in page.text
    assert 'class="spark"' in page.text
    assert "30 days: 0 came, 0 left" in words(page)


def test_a_link_says_where_it_hangs_and_comes_as_a_file(house: House, editor: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}"

    wrong = editor.get(f"{path}?source=two words")
    file = editor.get(f"{path}/code/sms.svg?source=poster-7")

    assert "cannot be the tag of a link" in words(wrong)
    assert file.mimetype == "image/svg+xml"
    assert f'filename="list-{house.newsroom.list_id}-sms-poster-7.svg"' in file.headers["Content-Disposition"]
    assert editor.get(f"{path}/code/line.svg").status_code == 404


def test_the_poster_says_the_word_the_number_and_what_people_agree_to_in_both_languages(
    house: House, editor: Visitor
) -> None:
    page = editor.get(f"/lists/{house.newsroom.list_id}/poster")

    said = words(page)
    assert "(Ctrl+P)." in said
    assert "other channels" not in said  # this list is on SMS only
    assert "Text CITY to +1 202 555 0100" in said
    assert "CITY per SMS an +1 202 555 0100" in said
    assert "Reply STOP to leave at any time." in said
    assert "Jederzeit abmelden" in said
    assert 'class="qr"' in page.text


def test_a_list_is_changed_and_a_wider_promise_is_refused_in_words(house: House, admin: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
    path = f"/lists/{house.newsroom.list_id}"
    page = words(admin.get(f"{path}/change"))
    assert "2 people agreed to it. You may promise less, not more" in page
    assert "What stays, because people agreed to it" in page

    wide = admin.post(f"{path}/change", form(max_per_day="9"))
    assert wide.status_code == 422
    assert "2 people agreed to at most" in words(wide)
    saved = admin.submit(f"{path}/change", form(name="City daily", max_per_day="1"))

    assert "“City daily” is changed. People who join are shown new words from now on." in words(saved)
    assert "at most 1 message a day" in words(saved)
    assert '<option value="120" selected>' in admin.get(f"{path}/change").text
    admin.submit(f"{path}/change", form(name="City daily", max_per_day="1", fresh_minutes="480"))
    assert '<option value="480" selected>' in admin.get(f"{path}/change").text
    empty = admin.post(f"{path}/change", form(name=""))
    assert empty.status_code == 422
    assert "A name has 1 to 100 characters." in words(empty)
    nowhere = admin.post(f"{path}/change", form(zone="Mars/Olympus"))
    assert "Choose a time zone." in words(nowhere)


def test_what_was_missed_is_offered_where_a_channel_closes_and_can_be_switched_off(
    house: House, admin: Visitor
) -> None:
    path = f"/lists/{house.newsroom.list_id}/change"
    assert 'name="sends_missed"' not in admin.get(path).text  # SMS is always open
    with house.inside() as newsroom:
        add(
            name="city-page",
            gateway=gateway_class("messenger"),
            settings=MESSENGER,
            rate=1.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        add_sender("CITY", "city-page", by="tests", now=newsroom.now)
    box = '<input type="checkbox" name="sends_missed" value="true" aria-describedby="sends_missed-hint" '
    assert f"{box}>" in admin.get(path).text

    admin.submit(path, form(sends_missed="true"))
    assert f"{box}checked>" in admin.get(path).text
    admin.submit(path, form())
    assert f"{box}>" in admin.get(path).text


def test_a_list_is_closed_after_a_page_that_says_what_happens(house: House, admin: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
    path = f"/lists/{house.newsroom.list_id}"
    asked = words(admin.get(f"{path}/close"))
    assert "The consent of 2 people to it ends, and is written down." in asked
    assert "It is not deleted" in asked

    closed = admin.submit(f"{path}/close")

    assert "“City” is closed. Nobody can join it any more." in words(closed)
    assert "Close the list …" not in words(closed)
    with house.inside():
        assert set(db.session.scalars(select(Subscription.state))) == {"stopped"}
    assert admin.get(f"{path}/change").location == path
    assert admin.get(f"{path}/close").location == path
    assert admin.get(f"{path}/poster").status_code == 404
    assert 'href="/lists/1"' not in admin.get("/lists").text


def test_a_list_is_not_closed_while_a_broadcast_waits(house: House, admin: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)
        wait_for_tomorrow(newsroom)
    path = f"/lists/{house.newsroom.list_id}/close"
    asked = admin.get(path)
    assert "“Bridge” goes to this list and is not out yet." in words(asked)
    assert "Close the list and end" not in words(asked)

    refused = admin.post(path)

    assert refused.status_code == 422
    assert "“Bridge” goes to this list and is not out yet." in words(refused)
    with house.inside():
        assert db.session.scalars(select(BroadcastList.archived_at)).all() == [None]


def test_the_refusals_are_said_in_german(house: House, visit: Callable[..., Visitor]) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)
        wait_for_tomorrow(newsroom)
    german = visit(Role.ADMIN, "de")

    page = words(german.get(f"/lists/{house.newsroom.list_id}/close"))

    assert "„Bridge“ geht an diese Liste und ist noch nicht draußen." in page
    assert "Diese Liste schließen?" in page


@pytest.mark.parametrize("path", ["change", "close"])
def test_only_admins_change_and_close(path: str, house: House, editor: Visitor) -> None:
    assert editor.get(f"/lists/{house.newsroom.list_id}/{path}").status_code == 403
