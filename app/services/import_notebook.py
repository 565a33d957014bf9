"""What an import has met and refused so far, on disk, so that memory stays flat for any file."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Final

from app.domain.addresses import Address
from app.services.import_file import Table
from app.services.import_rows import RowProblem

_TABLES: Final = (
    "met (address TEXT PRIMARY KEY, row INTEGER) WITHOUT ROWID",
    "refused (line INTEGER PRIMARY KEY, problem TEXT)",
    "about (header TEXT, delimiter TEXT)",
    "kept (row INTEGER)",
)


class Notebook:
    """Remembers at which row each address was met first, and which rows were refused.

    Without a path it is nameless and gone when closed. With one it outlives the process, so that an import worked
    in many short turns need not read its beginning again. To note the same rows twice changes nothing, so it does
    no harm when the notebook and the database were kept at different rows.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._db = sqlite3.connect(path or "", isolation_level=None)
        self._db.execute(f"PRAGMA journal_mode={'WAL' if path else 'OFF'}")
        self._db.execute("PRAGMA synchronous=NORMAL")
        for table in _TABLES:
            self._db.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        self._db.execute("BEGIN")
        self.kept: int = self._db.execute("SELECT coalesce(max(row), 0) FROM kept").fetchone()[0]
        """The last row up to which everything is on disk."""

    def first_time(self, address: Address, row: int) -> bool:
        """Tell whether no row before this one had the address, and remember it."""
        if self._db.execute("INSERT OR IGNORE INTO met VALUES (?, ?)", (address.value, row)).rowcount:
            return True
        found = self._db.execute("SELECT row FROM met WHERE address = ?", (address.value,)).fetchone()
        return bool(found[0] == row)

    def describe(self, table: Table) -> None:
        """Note how the file is written, for the CSV of refused rows: it is made when the file is gone."""
        if self._db.execute("SELECT 1 FROM about").fetchone() is None:
            self._db.execute("INSERT INTO about VALUES (?, ?)", (json.dumps(table.header), table.delimiter))

    def refuse(self, problem: RowProblem) -> None:
        """Note a row that was not taken."""
        written = json.dumps(astuple(problem), ensure_ascii=False)
        self._db.execute("INSERT OR REPLACE INTO refused VALUES (?, ?)", (problem.line, written))

    def keep(self, row: int) -> None:
        """Put everything up to this row on disk."""
        self._db.execute("INSERT INTO kept VALUES (?)", (row,))
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")
        self.kept = max(self.kept, row)

    def forget_the_taken(self) -> None:
        """Leave nothing but the refused rows, in the file as well: the others are no business of a report."""
        self._db.execute("DELETE FROM met")
        self._db.execute("COMMIT")
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA journal_mode=DELETE")
        self._db.execute("BEGIN")

    def close(self) -> None:
        """Close it; a nameless one is gone, and so is what was not kept."""
        self._db.close()


def read_about(path: Path) -> tuple[tuple[str, ...], str]:
    """Return the header of the file and what divides its cells."""
    with closing(_reader(path)) as db:
        header, delimiter = db.execute("SELECT header, delimiter FROM about").fetchone() or ("[]", ",")
    return tuple(json.loads(header)), delimiter


def read_refused(path: Path, most: int = -1) -> Iterator[RowProblem]:
    """Yield the refused rows in the order of the file; `most` of them, or all."""
    with closing(_reader(path)) as db:
        for (written,) in db.execute("SELECT problem FROM refused ORDER BY line LIMIT ?", (most,)):
            line, column, value, reason, cells = json.loads(written)
            yield RowProblem(line, column, value, reason, tuple(cells))


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
