"""Reports at the desk: every sheet as a page and as a file, and a broadcast against the last ones."""

from collections.abc import Callable

import pytest
from freezegun import freeze_time
from sqlalchemy import update

from app.desk.languages import in_language
from app.desk.report_words import column_words, heading_words
from app.services.figures.sheets import SHEETS
from app.storage.database import transaction
from app.storage.models import Broadcast
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.services.figures.test_figures import a_day
from tests.support.world import NOON


@pytest.fixture
def told(house: House) -> int:
    with house.inside() as newsroom:
        return a_day(newsroom)


def test_every_sheet_is_a_page_with_its_figures_and_a_file(
    house: House, visit: Callable[..., Visitor], told: int
) -> None:
    with freeze_time(NOON.replace(hour=14), tick=True):
        editor = visit(Role.EDITOR)
        pages = {name: editor.get(f"/reports?sheet={name}&days=7") for name in SHEETS}
        files = {name: editor.get(f"/reports/{name}.csv?days=7").text for name in SHEETS}

    assert {page.status_code for page in pages.values()} == {200}
    assert 'role="img"' in pages["days"].text
    assert "Bridge City" in words(pages["broadcasts"])
    assert f"/broadcasts/{told}/report" in pages["broadcasts"].text
    assert "not a number that can be reached" in words(pages["failures"])
    assert "by texting a keyword" in words(pages["sources"])
    assert "Small numbers mislead" in words(pages["hours"])
    assert "few broadcasts: chance" in words(pages["hours"])
    assert "Leave everything" in words(pages["words"])
    assert "CITY City 1 4 3 0.02 EUR 0" in words(pages["costs"])
    assert "cannot be told whose it was" in words(pages["costs"])
    assert files["growth"].splitlines()[-1] == "2026-03-02,4,1,3,3,"
    assert files["broadcasts"].startswith("\ufeffbroadcast,lists,began")


def test_a_sheet_of_many_figures_has_those_that_belong_together_in_one_cell(
    house: House, visit: Callable[..., Visitor], told: int
) -> None:
    with freeze_time(NOON.replace(hour=14), tick=True):
        editor = visit(Role.EDITOR)
        page = editor.get("/reports?sheet=broadcasts&days=7")
        hours = editor.get("/reports?sheet=hours&days=7")

    assert "Bridge City · Mon 2 Mar, 12:00 UTC 4 4 0 0 % – 3 1" in words(page)
    assert "Delivered, %" not in words(page).partition("What these figures mean")[0]
    assert '<table class="cards figures tabular many">' in page.text
    assert '<table class="cards figures tabular">' in hours.text


def test_long_words_of_headings_may_be_parted_and_labels_may_not(house: House) -> None:
    with house.inside(), in_language("de"):
        assert heading_words("audience") == "Empfänger\u00adkreis"
        assert column_words("audience") == "Empfängerkreis"


def test_a_report_that_is_none_is_not_found_and_nonsense_in_the_filters_is_left_out(editor: Visitor) -> None:
    assert editor.get("/reports?sheet=nonsense").status_code == 404
    assert editor.get("/reports/nonsense.csv").status_code == 404
    assert editor.get("/reports?days=x&list=999999999999999999999&page=-3").status_code == 200


def test_the_report_of_a_broadcast_tells_clicks_cost_and_what_is_usual(
    house: House, editor: Visitor, told: int
) -> None:
    with house.inside() as newsroom:
        newsroom.later(hours=1)
        second = newsroom.broadcast("Closed again.")
        newsroom.send()
        with transaction() as session:
            session.execute(update(Broadcast).where(Broadcast.id == told).values(state="finished"))

    first, later = (words(editor.get(f"/broadcasts/{one}/report")) for one in (told, second))

    assert "https://example.org/a" in first
    assert "opened 1 time" in first
    assert "3 parts, 0.02 EUR" in first
    assert "What people did, hour by hour" in first
    assert "Against the last ones" not in first
    assert "Failed: 0 %, the last one 25 %" in later
