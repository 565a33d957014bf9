"""Read a CSV of subscribers row by row: encoding, delimiter and header are checked before anything else happens."""

import codecs
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from app.services.controller import NotFound, Refused

REQUIRED: Final = "number"
EVIDENCE_COLUMNS: Final = ("consent_at", "consent_source", "consent_text")
ATTRIBUTE_COLUMNS: Final = ("first_name", "last_name", "city")
COLUMNS: Final = (REQUIRED, *ATTRIBUTE_COLUMNS, "language", *EVIDENCE_COLUMNS)

_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class FileFacts:
    """What identifies a file as evidence, and how many text lines it has, for a progress bar."""

    name: str
    sha256: str
    lines: int


@dataclass(frozen=True)
class Row:
    """One row: the number of the line it ends on, and its cells by column. `problem` says why it cannot be read."""

    line: int
    cells: dict[str, str] = field(default_factory=dict)
    problem: str | None = None


def inspect(path: Path, encoding: str) -> FileFacts:
    """Read the file once, changing nothing: hash, count of lines, and whether it is text in `encoding`.

    Raises `NotFound` for a missing file and `Refused` for one that is written otherwise.
    """
    decoder = _decoder(encoding)
    digest, lines = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                _decode(decoder, block, path, encoding, lines)
                lines += block.count(b"\n")
        _decode(decoder, b"", path, encoding, lines, final=True)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    return FileFacts(path.name, digest.hexdigest(), lines)


def read_header(path: Path, encoding: str) -> tuple[str, ...]:
    """Return the columns of the file. Raises `Refused` for a header without `number` or with a strange column."""
    with _open(path, encoding) as stream:
        return _header(stream, path)[0]


def read_rows(path: Path, encoding: str) -> Iterator[Row]:
    """Yield the rows below the header; blank lines are passed over. Raises `Refused` where CSV itself is broken."""
    with _open(path, encoding) as stream:
        columns, delimiter = _header(stream, path)
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _row(reader.line_num + 1, columns, cells)
        except csv.Error as error:
            raise Refused(
                f"{path.name}, line {reader.line_num + 1}: this is no CSV ({error}). "
                "Close every quote, and double a quote inside a value."
            ) from error


def _open(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=_python_name(encoding), newline="", errors="strict")


def _python_name(encoding: str) -> str:
    """Return `encoding`, with the byte order mark that Excel puts before UTF-8 taken off."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(_python_name(encoding))("strict")
    except LookupError as error:
        raise Refused(
            f"There is no encoding “{encoding}”. Usual ones: utf-8, cp1252, iso-8859-1, utf-16."
        ) from error


def _decode(
    decoder: codecs.IncrementalDecoder,
    block: bytes,
    path: Path,
    encoding: str,
    lines: int,
    *,
    final: bool = False,
) -> None:
    try:
        decoder.decode(block, final)
    except UnicodeError as error:
        end = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = lines + block[:end].count(b"\n") + 1
        raise Refused(
            f"{path.name}, line {line}: the file is not written in {encoding}. Save it as UTF-8, or name its "
            "encoding: --encoding cp1252 for most files from Excel in Western Europe."
        ) from error


def _header(stream: TextIO, path: Path) -> tuple[tuple[str, ...], str]:
    line = stream.readline()
    delimiter = ";" if line.count(";") > line.count(",") else ","
    names = next(csv.reader([line], delimiter=delimiter), [])
    columns = tuple(name.strip().lower() for name in names)
    _check_columns(columns, path)
    return columns, delimiter


def _check_columns(columns: tuple[str, ...], path: Path) -> None:
    known = ", ".join(COLUMNS)
    if REQUIRED not in columns:
        raise Refused(f"{path.name} has no column “{REQUIRED}” in its first line. Columns: {known}.")
    for column in columns:
        if column not in COLUMNS:
            raise Refused(
                f"{path.name}: “{column}” is no column that can be imported. Rename or remove it: {known}."
            )
        if columns.count(column) > 1:
            raise Refused(f"{path.name} has the column “{column}” twice. Remove one of them.")


def _row(line: int, columns: tuple[str, ...], cells: list[str]) -> Row:
    if len(cells) > len(columns):
        return Row(
            line,
            dict(zip(columns, cells, strict=False)),
            f"has {len(cells)} cells under {len(columns)} columns; put values that hold the delimiter in quotes",
        )
    return Row(line, {name: cell.strip() for name, cell in zip(columns, cells, strict=False)})
