"""Understand one row of an import: the address, the person's attributes and the evidence of consent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.addresses import PHONE_CHANNELS, Address, BadAddress, canonical
from app.domain.languages import is_language
from app.domain.spreadsheets import number_damage, unwrap
from app.services.import_columns import ADDRESS, ATTRIBUTES, Columns
from app.services.import_file import RawRow

MAX_ATTRIBUTE: Final = 100
MAX_EVIDENCE: Final = 2000


@dataclass(frozen=True)
class RowProblem:
    """Why one row was not taken: the line of the file, the column, the value found there, and the reason.

    `cells` is the whole row, so that it can be written out, corrected and imported again.
    """

    line: int
    column: str
    value: str
    reason: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Proof that somebody consented: where and how, at which moment, in answer to which words.

    For a whole file, `by` is who vouches for it and `document` the SHA-256 of the paper or form that shows it.
    """

    source: str = ""
    at: datetime | None = None
    text: str = ""
    by: str = ""
    document: str = ""

    def as_data(self) -> dict[str, str]:
        """Return it as JSON can keep it."""
        at = self.at.isoformat() if self.at else ""
        return {
            "source": self.source,
            "at": at,
            "text": self.text,
            "by": self.by,
            "document": self.document,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> "Evidence":
        """Return what `as_data` kept."""
        at = datetime.fromisoformat(data["at"]) if data["at"] else None
        return cls(data["source"], at, data["text"], data["by"], data["document"])


@dataclass(frozen=True)
class ReadRow:
    """A row that makes sense. `repaired` tells that a spreadsheet's wrapping was taken off the address."""

    number: int
    line: int
    cells: tuple[str, ...]
    address: Address
    language: str
    evidence: Evidence
    consent_at: datetime
    attributes: Mapping[str, str] = field(default_factory=dict)
    repaired: bool = False


class _BadCell(ValueError):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


@dataclass(frozen=True)
class RowReader:
    """Reads rows of one file: `region` and `zone` are those of numbers and times that do not say their own."""

    columns: Columns
    channel: str
    region: str
    zone: ZoneInfo
    language: str
    fallback: Evidence
    now: datetime

    def read(self, row: RawRow) -> ReadRow | RowProblem:
        """Return what the row says, or the first thing that is wrong with it."""
        try:
            return self._read(row)
        except _BadCell as error:
            column = self.columns.name(error.column) if error.column else ""
            value = self.columns.cell(row.cells, error.column)
            return RowProblem(row.line, column, value, str(error), tuple(row.cells))

    def _read(self, row: RawRow) -> ReadRow:
        self._check_shape(row.cells)
        written = self.columns.cell(row.cells, ADDRESS)
        bare = unwrap(written)
        address, language = self._address(bare), self._language(row.cells)
        evidence = self._evidence(row.cells)
        if evidence.at is None:  # `_evidence` gives every row its moment
            raise _BadCell("consent_at", "The moment of consent is missing.")
        attributes = {name: value for name in ATTRIBUTES if (value := self._attribute(row.cells, name))}
        return ReadRow(
            row.number,
            row.line,
            tuple(row.cells),
            address,
            language,
            evidence,
            evidence.at,
            attributes,
            bare != written,
        )

    def _check_shape(self, cells: list[str]) -> None:
        many, most = len(cells), len(self.columns.header)
        if many > most and any(cell.strip() for cell in cells[most:]):
            raise _BadCell(
                "",
                f"has {many} cells under {most} columns; put values that hold the delimiter in quotes",
            )

    def _address(self, text: str) -> Address:
        if self.channel in PHONE_CHANNELS and (damage := number_damage(text, self.region)):
            raise _BadCell(ADDRESS, damage)
        try:
            return canonical(self.channel, text, self.region)
        except BadAddress as error:
            raise _BadCell(ADDRESS, str(error)) from error

    def _language(self, cells: list[str]) -> str:
        language = self.columns.cell(cells, "language").lower() or self.language
        if not is_language(language):
            raise _BadCell(
                "language", "This is no language; a language is a code of two letters, such as en or de."
            )
        return language

    def _attribute(self, cells: list[str], column: str) -> str:
        value = unwrap(self.columns.cell(cells, column))
        if len(value) > MAX_ATTRIBUTE:
            raise _BadCell(column, f"This is longer than {MAX_ATTRIBUTE} characters.")
        return value

    def _evidence(self, cells: list[str]) -> Evidence:
        given = self.fallback
        source = unwrap(self.columns.cell(cells, "consent_source")) or given.source
        text = unwrap(self.columns.cell(cells, "consent_text")) or given.text
        if not source:
            raise _BadCell("consent_source", "Nothing says where and how this person consented.")
        if not text:
            raise _BadCell("consent_text", "Nothing says to which words this person agreed.")
        for column, words in (("consent_source", source), ("consent_text", text)):
            if len(words) > MAX_EVIDENCE:
                raise _BadCell(column, f"Evidence may have {MAX_EVIDENCE} characters.")
        return Evidence(source, self._consent_at(cells), text, given.by, given.document)

    def _consent_at(self, cells: list[str]) -> datetime:
        written = unwrap(self.columns.cell(cells, "consent_at"))
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
