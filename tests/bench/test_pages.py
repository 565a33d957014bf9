"""The year of a newsroom is one that the desk can show, and a slow page is named."""

import pytest

from bench import pages
from bench.ground import SQLITE
from bench.pages import Page, as_markdown, too_slow

SLOW = Page("Report", "/broadcasts/1/report", (90.0, 210.0, 260.0, 205.0), 20.0)
QUICK = Page("Report", "/broadcasts/1/report", (900.0, 30.0, 20.0, 40.0), 20.0)


def test_a_page_over_the_target_is_named_and_a_slow_first_visit_is_not():
    assert too_slow({"SQLite": [QUICK], "PostgreSQL": [SLOW]}) == ["Report on PostgreSQL: 210 ms"]


def test_the_table_has_the_databases_side_by_side():
    table = as_markdown({"SQLite": [QUICK], "PostgreSQL": [SLOW]}, ["measured: today"]).splitlines()

    assert table[0] == "| page | SQLite: median, first, most | PostgreSQL: median, first, most |"
    assert table[2] == "| Report | 30, 900, 900 ms | 210, 90, 260 ms |"
    assert table[-1] == "- measured: today"


@pytest.mark.slow
def test_every_page_shows_the_year():
    found = pages.run(SQLITE, people=400, broadcasts=4)

    assert len(found) > 25
    assert all(page.kilobytes > 1 for page in found)
