"""Understand one row of an import: the number, the person's attributes and the evidence of consent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.addresses import Address, BadAddress, parse_phone
from app.services.import_file import ATTRIBUTE_COLUMNS, Row

MAX_ATTRIBUTE: Final = 100
MAX_EVIDENCE: Final = 2000


@dataclass(frozen=True)
class RowProblem:
    """Why one row was not taken: the line of the file, the column, the value found there, and the reason."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Evidence:
    """Proof that somebody consented: where and how, at which moment, in answer to which words."""

    source: str = ""
    at: datetime | None = None
    text: str = ""


@dataclass(frozen=True)
class ReadRow:
    """A row that makes sense."""

    line: int
    address: Address
    language: str
    evidence: Evidence
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def consent_at(self) -> datetime:
        """When the person consented; every row that was read has it."""
        if self.evidence.at is None:
            raise ValueError(f"Line {self.line} was taken without a moment of consent.")
        return self.evidence.at


class _BadCell(ValueError):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


@dataclass(frozen=True)
class RowReader:
    """Reads rows of one file: `region` and `zone` are those of numbers and times that do not say their own."""

    region: str
    zone: ZoneInfo
    language: str
    fallback: Evidence
    now: datetime

    def read(self, row: Row) -> ReadRow | RowProblem:
        """Return what the row says, or the first thing that is wrong with it."""
        if row.problem:
            return RowProblem(row.line, "", "", row.problem)
        try:
            return self._read(row)
        except _BadCell as error:
            return RowProblem(row.line, error.column, row.cells.get(error.column, ""), str(error))

    def _read(self, row: Row) -> ReadRow:
        cells = row.cells
        attributes = {name: _short(cells, name) for name in ATTRIBUTE_COLUMNS if cells.get(name)}
        return ReadRow(
            row.line, self._address(cells), self._language(cells), self._evidence(cells), attributes
        )

    def _address(self, cells: Mapping[str, str]) -> Address:
        try:
            return parse_phone(cells.get("number", ""), self.region)
        except BadAddress as error:
            raise _BadCell("number", str(error)) from error

    def _language(self, cells: Mapping[str, str]) -> str:
        language = cells.get("language", "").lower() or self.language
        if not (len(language) == 2 and language.isascii() and language.isalpha()):
            raise _BadCell("language", "A language is a code of two letters, such as en or de.")
        return language

    def _evidence(self, cells: Mapping[str, str]) -> Evidence:
        source = cells.get("consent_source") or self.fallback.source
        if not source:
            raise _BadCell("consent_source", "Nothing says where and how this person consented.")
        text = cells.get("consent_text", "") or self.fallback.text
        if len(source) > MAX_EVIDENCE or len(text) > MAX_EVIDENCE:
            raise _BadCell("consent_text", f"Evidence may have {MAX_EVIDENCE} characters.")
        return Evidence(source, self._consent_at(cells), text)

    def _consent_at(self, cells: Mapping[str, str]) -> datetime:
        written = cells.get("consent_at", "")
        at = read_moment(written, self.zone) if written else self.fallback.at
        if at is None:
            reason = "is no date; write 2026-03-31 or 2026-03-31T14:05" if written else "is empty"
            raise _BadCell("consent_at", f"The moment of consent {reason}.")
        if at > self.now:
            raise _BadCell("consent_at", "The moment of consent lies in the future.")
        return at


def read_moment(written: str, zone: ZoneInfo) -> datetime | None:
    """Return an ISO 8601 date or time as aware UTC in whole milliseconds, or None when it is none.

    A time without an offset is meant in `zone`.
    """
    try:
        moment = datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return aware.astimezone(UTC).replace(microsecond=aware.microsecond // 1000 * 1000)


def _short(cells: Mapping[str, str], column: str) -> str:
    value = cells[column]
    if len(value) > MAX_ATTRIBUTE:
        raise _BadCell(column, f"This is longer than {MAX_ATTRIBUTE} characters.")
    return value
