"""One line of a CSV file: numbers stay numbers, and no text is calculated."""

from datetime import date

from app.domain.charts import line
from app.domain.spreadsheets import csv_line


def test_text_is_guarded_and_numbers_days_and_nothing_are_plain() -> None:
    assert csv_line(["=1+1", "+44 7700 900123", -3, 1.5, None, True, date(2026, 3, 2)]) == (
        "'=1+1,+44 7700 900123,-3,1.5,,yes,2026-03-02\n"
    )


def test_a_line_goes_through_the_middles_and_one_value_is_level() -> None:
    assert line([0, 5], 5) == "250,200 750,0"
    assert line([5], 10) == "0,100 1000,100"
