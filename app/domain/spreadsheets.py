"""What a spreadsheet does to phone numbers and texts: undone where nothing is lost, named in words where it is."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata

# ="+1202" keeps a number from being calculated with; an apostrophe says "text", and is also what an export puts
# before what would be read as a formula.
_FORMULA_TEXT: Final = re.compile(r'="([^"]*)"')
_APOSTROPHE: Final = re.compile(r"'(?=[=+\-@\t\r0-9])")
_FORMULA_STARTS: Final = ("=", "-", "@", "\t", "\r")
# A plus may begin a phone number, which stays as it is, or a formula: +cmd|' /C calc'!A0
_PHONE: Final = re.compile(r"\+[\d\s()./-]*")

_SCIENTIFIC: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+")
_DECIMALS: Final = re.compile(r"\+?\d{6,}[.,]0+")
_ERROR: Final = re.compile(r"#(#+|REF!|N/?A|NV|VALUE!|WERT!|NAME\?|BEZUG!|DIV/0!)", re.IGNORECASE)
_NOT_A_DIGIT: Final = re.compile(r"\D")


def unwrap(cell: str) -> str:
    """Return the text of a cell without a spreadsheet's wrapping: `="+1202"` and `'+1202` both mean `+1202`."""
    text = cell.strip()
    if found := _FORMULA_TEXT.fullmatch(text):
        return found[1].strip()
    return _APOSTROPHE.sub("", text, count=1) if text.startswith("'") else text


def wrap(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would calculate; `unwrap` takes it off again."""
    calculated = cell.startswith(_FORMULA_STARTS) or (cell.startswith("+") and not _PHONE.fullmatch(cell))
    return f"'{cell}" if calculated else cell


def csv_line(values: Iterable[object]) -> str:
    """Write one line of a CSV file, with its newline; no text in it is calculated.

    Nothing is an empty cell, moments and days are ISO 8601, True and False are `yes` and `no`.
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(map(_cell, values))
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) else wrap(str(value))


def number_damage(text: str, region: str) -> str | None:
    """Say what a spreadsheet did to a phone number, or None for one that looks whole.

    A number that has lost its + or its 0 is another number in `region`, so it is refused and not guessed.
    """
    text = text if text.isascii() else _visible(text)
    if _SCIENTIFIC.fullmatch(text):
        return (
            f"A spreadsheet shortened this number to “{text}”; its last digits are gone. Take the numbers from "
            "where they came from, with the column formatted as text."
        )
    if _DECIMALS.fullmatch(text):
        return f"A program made a decimal of this number (“{text}”). Save the column as text."
    if _ERROR.fullmatch(text):
        return f"“{text}” is an error of the spreadsheet, not a number."
    return _lost_start(text, region)


def _visible(text: str) -> str:
    """Full-width digits as plain ones, marks of direction taken out."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in plain if unicodedata.category(sign) != "Cf").strip()


def _lost_start(text: str, region: str) -> str | None:
    digits = _NOT_A_DIGIT.sub("", text)
    if not digits or text.startswith("+") or digits.startswith("0"):
        return None
    if _dials_zero(region):
        return (
            f"“{text}” begins neither with + nor with 0; a spreadsheet has probably taken it away. Write the "
            "number with + and its country code."
        )
    if not _is_valid(digits, region) and _is_valid(f"+{digits}", None):
        return f"“{text}” has probably lost its + in a spreadsheet. Write it as +{digits} if that is meant."
    return None


@lru_cache
def _dials_zero(region: str) -> bool:
    """Whether numbers inside the country are written with a zero before them."""
    metadata = PhoneMetadata.metadata_for_region(region)
    return metadata is not None and metadata.national_prefix == "0"


def _is_valid(text: str, region: str | None) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False
