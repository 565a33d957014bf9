"""The rows that an import did not take, as a CSV that can be corrected and imported again."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from app.domain.spreadsheets import wrap
from app.services.import_columns import REJECT_COLUMNS
from app.services.import_notebook import read_about, read_refused
from app.services.import_rows import RowProblem

ENCODING: Final = "utf-8-sig"  # the mark makes spreadsheets read it rightly, and we accept it back
_MARK: Final = "\ufeff"
_PIECE: Final = 1 << 16


def in_words(problem: RowProblem) -> str:
    """Return what is wrong, with the column and the text that stands there."""
    return f"{problem.column} “{problem.value}”: {problem.reason}" if problem.column else problem.reason


class RejectsFile:
    """Writes refused rows to `stream`: the line and the problem, then the row under the file's own header.

    Whatever a spreadsheet would calculate gets an apostrophe, headers included; an import takes it off again.
    """

    def __init__(
        self,
        stream: TextIO,
        header: Sequence[str],
        delimiter: str,
        say: Callable[[RowProblem], str] = in_words,
    ) -> None:
        self._writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        self._say = say
        self._places = [n for n, name in enumerate(header) if name.lower() not in REJECT_COLUMNS]
        self._writer.writerow([*REJECT_COLUMNS, *(wrap(header[n]) for n in self._places)])

    def write(self, problem: RowProblem) -> None:
        """Add a row."""
        cells = [problem.cells[n] if n < len(problem.cells) else "" for n in self._places]
        beyond = problem.cells[max(self._places) + 1 :] if self._places else ()
        self._writer.writerow([problem.line, wrap(self._say(problem)), *map(wrap, [*cells, *beyond])])


def as_csv(notebook: Path, say: Callable[[RowProblem], str]) -> Iterator[str]:
    """Yield the CSV of a notebook's refused rows in pieces, with `say` for what is wrong with each."""
    out = io.StringIO()
    out.write(_MARK)
    file = RejectsFile(out, *read_about(notebook), say)
    for problem in read_refused(notebook):
        file.write(problem)
        if out.tell() > _PIECE:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
