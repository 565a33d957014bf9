"""Read a CSV row by row. Encoding and delimiter are asked for wherever they would have to be guessed."""

import codecs
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from app.domain.spreadsheets import unwrap
from app.services.controller import NotFound, Refused

DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t"}
UTF_8: Final = "utf-8"

_BLOCK: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZIP: Final = b"PK\x03\x04"  # .xlsx and .ods are such archives
_FIELD_LIMIT: Final = 100_000


@dataclass(frozen=True)
class FileFacts:
    """What identifies a file as evidence, and how many text lines it has, for a progress bar."""

    name: str
    sha256: str
    lines: int


@dataclass(frozen=True)
class RawRow:
    """One row: its number below the header (from 1), the line of the file it ends on, and its cells."""

    number: int
    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A file that can be read as CSV: its facts, how it is written, and its header."""

    path: Path
    facts: FileFacts
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    _skip: int

    def rows(self) -> Iterator[RawRow]:
        """Yield the rows below the header; blank ones are passed over. Raises `Refused` where CSV is broken."""
        with _open(self.path, self.encoding) as stream:
            for _ in range(self._skip):
                stream.readline()
            reader = csv.reader(stream, delimiter=self.delimiter, strict=True)
            try:
                next(reader)
                number = 0
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        number += 1
                        yield RawRow(number, reader.line_num + self._skip, cells)
            except csv.Error as error:
                raise _broken(self.facts.name, reader.line_num + self._skip, error) from error


def open_table(
    path: Path,
    *,
    name: str = "",
    encoding: str | None = None,
    delimiter: str | None = None,
    facts: FileFacts | None = None,
) -> Table:
    """Read the file once, changing nothing: hash, count of lines, encoding, delimiter, header.

    A byte order mark tells the encoding; without one it is UTF-8 or what `encoding` says, never a guess. The
    delimiter is the only one of comma, semicolon and tab that divides the first line, or the one given by name.
    `name` is what the file is called in messages and records. `facts` of an earlier look spare the reading of all of
    it. Raises `NotFound` for a missing file and `Refused` for one that is written otherwise.
    """
    name = facts.name if facts else name or path.name
    try:
        written = _encoding(path, encoding, name)
        facts = facts or _inspect(path, name, written)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    skip, between = _delimiter(path, written, delimiter, name)
    header = _header(path, written, between, skip, name)
    return Table(path, facts, written, between, header, skip)


def _encoding(path: Path, asked: str | None, name: str) -> str:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == _ZIP:
        raise Refused(
            f"{name} is a workbook or another packed file, no CSV. "
            "Save it in the spreadsheet program as “CSV UTF-8”."
        )
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    if asked is None:
        return marked or UTF_8
    try:
        found = codecs.lookup(asked).name
    except LookupError as error:
        raise Refused(
            f"There is no encoding “{asked}”. Usual ones: utf-8, cp1252, iso-8859-1, utf-16."
        ) from error
    return marked if marked and found == UTF_8 else found


def _inspect(path: Path, name: str, encoding: str) -> FileFacts:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    digest, lines = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while True:
            block = stream.read(_BLOCK)
            digest.update(block)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError as error:
                raise _misread(error, name, encoding, lines) from error
            if "\x00" in text:
                line = lines + text[: text.index("\x00")].count("\n") + 1
                raise Refused(
                    f"{name}, line {line}: there are zero bytes, as in UTF-16 without its mark. "
                    "Save it as UTF-8, or say how it is written (--encoding utf-16-le)."
                )
            lines += text.count("\n")
            if not block:
                return FileFacts(name, digest.hexdigest(), lines)


def _misread(error: UnicodeError, name: str, encoding: str, lines: int) -> Refused:
    line, sample, offer = lines + 1, "", "cp1252: most files from Excel in Western Europe"
    if isinstance(error, UnicodeDecodeError):
        line += error.object[: error.start].count(b"\n")
        around = error.object[max(0, error.start - 12) : error.start + 12]
        words = around.decode("cp1252", "replace").split("\n")
        if b"\x00" in around:
            offer, words = "utf-16-le", [around.replace(b"\x00", b"").decode("cp1252", "replace")]
        sample = f" Read so, this place is “{max(words, key=len).strip()}”."
    return Refused(
        f"{name}, line {line}: the file is not written in {encoding}. Save it as UTF-8, or say how it is written "
        f"(--encoding {offer}).{sample}"
    )


def _open(path: Path, encoding: str) -> TextIO:
    csv.field_size_limit(_FIELD_LIMIT)
    return path.open(encoding=encoding, newline="", errors="strict")


def _delimiter(path: Path, encoding: str, asked: str | None, name: str) -> tuple[int, str]:
    """Return how many lines stand before the header (Excel's own `sep=;`), and what divides cells."""
    with _open(path, encoding) as stream:
        first = stream.readline()
        said = first.strip().removeprefix("sep=") if first.startswith("sep=") else ""
        if said in DELIMITERS.values():
            return 1, said
        if asked is not None:
            return 0, DELIMITERS[asked]
    dividing = [word for word, sign in DELIMITERS.items() if len(_cells(first, sign)) > 1]
    if len(dividing) > 1:
        raise Refused(
            f"{name}: the first line can be divided at {' and at '.join(dividing)}. Say which "
            f"(--delimiter {dividing[0]})."
        )
    return 0, DELIMITERS[dividing[0]] if dividing else ","


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _header(path: Path, encoding: str, delimiter: str, skip: int, name: str) -> tuple[str, ...]:
    with _open(path, encoding) as stream:
        for _ in range(skip):
            stream.readline()
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        try:
            header = tuple(unwrap(cell) for cell in next(reader, []))
        except csv.Error as error:
            raise _broken(name, 1 + skip, error) from error
    if not any(header):
        raise Refused(f"{name} is empty: the first line must name the columns.")
    for column in header:
        if header.count(column) > 1:
            raise Refused(f"{name} has the column “{column}” twice. Rename or remove one of them.")
    return header


def _broken(name: str, line: int, error: csv.Error) -> Refused:
    return Refused(
        f"{name}, line {line}: this is no CSV ({error}). "
        "Close every quote, and double a quote inside a value."
    )
