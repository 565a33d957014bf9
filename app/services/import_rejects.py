"""The rows that an import did not take, as a CSV that can be corrected and imported again."""

import csv
from typing import Final, TextIO

from app.domain.spreadsheets import wrap
from app.services.import_columns import REJECT_COLUMNS
from app.services.import_file import Table
from app.services.import_rows import RowProblem

ENCODING: Final = "utf-8-sig"  # the mark makes spreadsheets read it rightly, and we accept it back


class RejectsFile:
    """Writes refused rows to `stream`: the line and the problem, then the row under the file's own header."""

    def __init__(self, stream: TextIO, table: Table) -> None:
        self._writer = csv.writer(stream, delimiter=table.delimiter, lineterminator="\n")
        self._places = [n for n, name in enumerate(table.header) if name.lower() not in REJECT_COLUMNS]
        self._writer.writerow([*REJECT_COLUMNS, *(table.header[n] for n in self._places)])

    def write(self, problem: RowProblem) -> None:
        """Add a row; cells that a spreadsheet would calculate get an apostrophe, which an import takes off."""
        cells = [problem.cells[n] if n < len(problem.cells) else "" for n in self._places]
        beyond = problem.cells[max(self._places) + 1 :] if self._places else ()
        self._writer.writerow([problem.line, in_words(problem), *map(wrap, [*cells, *beyond])])


def in_words(problem: RowProblem) -> str:
    """Return what is wrong, with the column and the text that stands there."""
    return f"{problem.column} “{problem.value}”: {problem.reason}" if problem.column else problem.reason
