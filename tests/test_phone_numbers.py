"""No number in this repository can ring: every phone-like string lies in a range reserved for fiction or testing."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Real messages with the numbers that people wrote in them, published as they are; and files of other projects.
EXEMPT = ("tests/data/sms-spam-collection.tsv", "app/desk/static/vendor/")

# E.164 digits; x is any digit, N is 2 to 9. A number may be shorter than its range, as where a test composes one,
# or longer, as where a sentence says "000-999".
RESERVED = (
    "1Nxx55501xx",  # NANPA: 555-0100 to 555-0199 of each area code
    "15005550xxx",  # Twilio's test credentials: no message leaves
    "14155552671",  # the example in Twilio's own pages
    "447700900xxx",  # Ofcom, mobile numbers for drama
    "442079460xxx",
    "441632960xxx",
    "493023125xxx",  # Bundesnetzagentur, Mitteilung 148/2021
    "496990009xxx",
    "494066969xxx",
    "492214710xxx",
    "498999998xxx",
    "3363998xxxx",  # ARCEP
    "390600000000",  # nobody has eight noughts
    "39600000000",
    "999",  # no country has this code
    "0",  # nor one that begins with a nought
)

# "+1 (202) 555-0123", "+49 (0)30 / 23125-012", "0044 7700 900123"; and "(202) 555-0123" as Americans write it.
INTERNATIONAL = re.compile(r"(?:\+|(?<![\w.+-])00[ -]?(?=[1-9]))(?:[ ()./-]{0,3}\d){8,15}(?!\d)")
AMERICAN = re.compile(r"(?<![\d+-])(?<!\+1 )(?:\(\d{3}\) ?|\d{3}[-.])(\d{3}[-.]\d{4})(?![\d-])")


def may_ring(text: str) -> list[str]:
    """Return the phone-like strings of `text` that are not reserved."""
    found = [match[0] for match in INTERNATIONAL.finditer(text) if not _is_reserved(_digits(match[0]))]
    return found + [
        match[0] for match in AMERICAN.finditer(text) if not re.fullmatch(r"555.01\d\d", match[1])
    ]


def _digits(number: str) -> str:
    international = number.removeprefix("+") if number.startswith("+") else number.removeprefix("00")
    return re.sub(r"\D", "", re.sub(r"\(\s*0\s*\)", "", international))


def _is_reserved(digits: str) -> bool:
    return any(
        all(_fits(sign, digit) for sign, digit in zip(pattern, digits, strict=False)) for pattern in RESERVED
    )


def _fits(sign: str, digit: str) -> bool:
    return sign == digit or sign == "x" or (sign == "N" and digit in "23456789")


@pytest.mark.parametrize(
    "number",
    [
        "+1 202 555 0123",
        "+1 (202) 555-0199",
        "0044 7700 900123",
        "+49 (0)30 / 23125-012",
        "(202) 555-0123",
        "+44 7700 900000-900999",
        "+15005550006",
    ],
)
def test_reserved_numbers_pass_in_any_spelling(number: str) -> None:
    assert may_ring(f"text {number} now") == []


@pytest.mark.parametrize(
    "pieces",
    [
        ("+1 202 555", " 1234"),
        ("+1 (202) 555", "-0200"),
        ("+44 7700", " 901000"),
        ("0049 30", " 2312 6000"),
        ("(202) 555", "-1234"),
        ("202-", "555-1234"),
    ],
)
def test_a_number_that_may_ring_is_found(pieces: tuple[str, str]) -> None:
    number = "".join(pieces)

    assert may_ring(f"text {number} now") == [number]


def test_no_committed_file_holds_a_number_that_may_ring() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode != 0:
        pytest.skip("this is no git clone, so nobody can say which files are committed")
    found = {}
    for name in listed.stdout.split("\0"):
        file = ROOT / name
        if file.is_file() and not name.startswith(EXEMPT):
            numbers = may_ring(file.read_bytes().decode("utf-8", "replace"))
            found |= {name: numbers} if numbers else {}

    assert not found, "Take numbers from the ranges in RESERVED; CONTRIBUTING.md names the usual ones."
