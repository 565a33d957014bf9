"""What a spreadsheet did to a cell: undone without loss, or named in words and never guessed."""

import re

import pytest

from app.domain.spreadsheets import number_damage, unwrap, wrap


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="+12025550101"', "+12025550101"),
        ("'+12025550101", "+12025550101"),
        ("'0301234", "0301234"),
        (" +12025550101 ", "+12025550101"),
        ("'=1+1", "=1+1"),
        ("'t Hooft", "'t Hooft"),
        ('say ="x"', 'say ="x"'),
        ("", ""),
    ],
)
def test_the_wrapping_of_a_spreadsheet_is_taken_off_and_nothing_else(cell: str, text: str) -> None:
    assert unwrap(cell) == text


@pytest.mark.parametrize("cell", ["=1+1", "-5", "@home", "\t=x", "Anna", "", "'t Hooft"])
def test_what_we_wrap_for_a_spreadsheet_we_read_back(cell: str) -> None:
    assert unwrap(wrap(cell)) == cell
    assert not wrap(cell).startswith(("=", "-", "@", "\t"))


@pytest.mark.parametrize(
    ("text", "region", "words"),
    [
        ("1.20256E+10", "US", "last digits are gone"),
        ("1,20256e10", "DE", "last digits are gone"),
        ("12025550101.0", "US", "made a decimal"),
        ("#########", "US", "error of the spreadsheet"),
        ("#WERT!", "DE", "error of the spreadsheet"),
        ("442079460123", "US", r"lost its \+.*\+442079460123"),
        ("12025550101", "DE", r"neither with \+ nor with 0"),
        ("30 23125 123", "DE", r"neither with \+ nor with 0"),
    ],
)
def test_damage_that_cannot_be_undone_is_named(text: str, region: str, words: str) -> None:
    damage = number_damage(text, region)

    assert damage is not None
    assert re.search(words, damage)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+1 202 555 0101", "DE"),
        ("0044 7700 900123", "US"),
        ("(202) 555-0101", "US"),
        ("12025550101", "US"),
        ("030 23125 123", "DE"),
        ("(030) 23125-123", "DE"),
        ("", "DE"),
        ("hello", "DE"),
    ],
)
def test_a_whole_number_and_what_is_no_number_show_no_damage(text: str, region: str) -> None:
    assert number_damage(text, region) is None
