"""`tidings subscribers import`: what the file means, who vouches for it, and what became of each row."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.commands.output import json_option, operator, progress, say, table
from app.runtime import runtime
from app.services import import_rejects
from app.services.controller import Refused
from app.services.import_columns import ADDRESS, FIELDS
from app.services.import_file import DELIMITERS, Table
from app.services.import_plan import Ears, ImportOptions, ImportReport
from app.services.import_rejects import RejectsFile
from app.services.import_rows import Evidence, ReadRow, RowProblem, read_moment
from app.services.import_subscribers import import_subscribers
from app.services.import_verdicts import REASONS, Verdict

SHOWN_PROBLEMS: Final = 20

_WORDS: Final = {
    Verdict.IMPORTED: "imported",
    Verdict.ASKED: "asked, and subscribed only when they say yes",
    Verdict.ALREADY_ACTIVE: "on the list already, left as they are",
    Verdict.DUPLICATE: "more than once in the file",
    Verdict.STOPPED: "refused: said STOP before",
    Verdict.SUPPRESSED: "refused: suppressed number",
    Verdict.UNREACHABLE: "refused: messages came back or were blocked",
    Verdict.NOT_ASKED: "refused: asked already, or must not be asked now",
    Verdict.INVALID: "refused: the row makes no sense",
}


def _meanings(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Read `FIELD=HEADER`, as often as it is given."""
    pairs = [value.partition("=") for value in given]
    for field, equals, _ in pairs:
        if not equals or field.strip() not in FIELDS:
            raise click.BadParameter(
                f"write FIELD=HEADER, such as {ADDRESS}=Phone. Fields: {', '.join(FIELDS)}"
            )
    return {field.strip(): header.strip() for field, _, header in pairs}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--list", "list_name", required=True, help="Name or keyword of the list.")
@click.option(
    "--map",
    "mapping",
    metavar="FIELD=HEADER",
    multiple=True,
    callback=_meanings,
    help="What a column holds: address=Phone. As often as needed.",
)
@click.option("--ignore-others", is_flag=True, help="Leave out columns that are not named.")
@click.option("--evidence-source", default="", help="Where and how they consented, for rows that do not say.")
@click.option("--evidence-at", default="", help="When they did, for rows that do not say: 2026-03-31 (UTC).")
@click.option("--evidence-words", default="", help="The words they agreed to, for rows that do not say.")
@click.option("--evidence-by", default="", help="Who vouches for that; you, if nobody is named.")
@click.option(
    "--evidence-document",
    type=click.Path(path_type=Path),
    help="The paper or form, as a file; its SHA-256 is kept in the ledger.",
)
@click.option(
    "--ask", is_flag=True, help="Subscribe nobody: ask each by one text, which must be answered YES."
)
@click.option("--dry-run", is_flag=True, help="Change nothing, say the same numbers.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Write the rows not taken to this CSV.")
@click.option("--encoding", help="How the file is written, such as cp1252; else UTF-8 or its own mark.")
@click.option("--delimiter", type=click.Choice(list(DELIMITERS)), help="What stands between cells.")
@click.option("--region", help="Country of numbers without +, such as DE; else TIDINGS_REGION.")
@json_option
@with_appcontext
def import_people(
    file: Path,
    list_name: str,
    mapping: dict[str, str],
    ignore_others: bool,
    rejects: Path | None,
    encoding: str | None,
    delimiter: str | None,
    region: str | None,
    dry_run: bool,
    ask: bool,
    as_json: bool,
    **evidence: Any,
) -> None:
    """Import people from a CSV with the evidence of their consent.

    Fields: address; first_name, last_name, city, language; and for each row consent_at, consent_source and
    consent_text, unless --evidence-... speaks for the whole file. Columns of exactly these names (or number)
    are known; say others with --map. Broken off, it goes on where it was when it is run again.

    \b
    Example:
      tidings subscribers import fair.csv --list NEWS --dry-run --map address=Phone --rejects refused.csv \\
        --evidence-source "Paper form 2, town fair" --evidence-at 2026-05-01 \\
        --evidence-words "Yes, text me the news" --evidence-document form.pdf
    """
    options = ImportOptions(
        by=operator(),
        evidence=_evidence(**evidence),
        mapping=mapping,
        ignore_others=ignore_others,
        encoding=encoding,
        delimiter=delimiter,
        region=region,
        dry_run=dry_run,
        ask_link=f"{runtime().settings.public_url}/confirm" if ask else "",
    )
    shown: list[RowProblem] = []
    with progress(f"Reading {file.name}") as told, _ears(rejects, shown, told) as ears:
        report = import_subscribers(
            file,
            list_name=list_name,
            options=options,
            controller=runtime().controller,
            clock=utcnow,
            ears=ears,
        )
    say(_as_data(report, shown), as_json, lambda: _in_words(report, shown, rejects))


def _evidence(
    evidence_source: str,
    evidence_at: str,
    evidence_words: str,
    evidence_by: str,
    evidence_document: Path | None,
) -> Evidence:
    moment = read_moment(evidence_at, ZoneInfo("UTC")) if evidence_at else None
    if evidence_at and moment is None:
        raise click.UsageError(
            f"--evidence-at {evidence_at} is no date; write 2026-03-31 or 2026-03-31T14:05"
        )
    given = (evidence_source, evidence_words, evidence_by, evidence_document, moment)
    by = (evidence_by.strip() or operator()) if any(given) else ""
    return Evidence(
        evidence_source.strip(), moment, evidence_words.strip(), by, document_hash(evidence_document)
    )


def document_hash(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


@contextlib.contextmanager
def _ears(rejects: Path | None, shown: list[RowProblem], told: Any) -> Iterator[Ears]:
    """Yield who takes the rows that were refused: the first ones are kept to show, all go to the file."""
    with contextlib.ExitStack() as stack:
        files: list[RejectsFile] = []

        def opened(file: Table) -> None:
            if rejects is not None:
                stream = stack.enter_context(_writable(rejects))
                files.append(RejectsFile(stream, file.header, file.delimiter))

        def problem(found: RowProblem) -> None:
            if len(shown) < SHOWN_PROBLEMS:
                shown.append(found)
            for file in files:
                file.write(found)

        yield Ears(opened, problem, told)


def _writable(path: Path) -> Any:
    try:
        return path.open("w", encoding=import_rejects.ENCODING, newline="")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error


def _as_data(report: ImportReport, shown: list[RowProblem]) -> dict[str, Any]:
    return {
        "import_id": report.import_id,
        "file": report.file,
        "encoding": report.encoding,
        "delimiter": report.delimiter,
        "columns": report.columns.mapping,
        "ignored_columns": report.columns.ignored,
        "dry_run": report.dry_run,
        "continued_at": report.continued_at,
        "rows": report.rows,
        "counts": {verdict.value: report.counts[verdict] for verdict in Verdict},
        "repaired": report.repaired,
        "first_rows": [_as_read(row) for row in report.first_rows],
        "first_problems": shown,
    }


def _as_read(row: ReadRow) -> dict[str, Any]:
    return {
        "line": row.line,
        "address": row.address.value,
        "language": row.language,
        **row.attributes,
        "consent_at": row.consent_at,
        "consent_source": row.evidence.source,
        "consent_text": row.evidence.text,
    }


def _in_words(report: ImportReport, shown: list[RowProblem], rejects: Path | None) -> str:
    lines = [f"{report.file.name}: {report.rows} rows" + _what_it_was(report)]
    lines += [f"  {report.counts[verdict]:>8}  {words}" for verdict, words in _WORDS.items()]
    if report.repaired:
        lines.append(
            f"{report.repaired} numbers stood in a spreadsheet's =\"...\" or behind ' and were read."
        )
    lines += [f"line {problem.line}: {import_rejects.in_words(problem)}" for problem in shown]
    refused = sum(report.counts[one] for one in (*REASONS, Verdict.INVALID))
    if refused > len(shown):
        lines.append(
            f"... and {refused - len(shown)} more" + ("" if rejects else "; --rejects FILE writes them all")
        )
    if report.dry_run:
        lines += ["", *_understood(report)]
    return "\n".join(lines)


def _what_it_was(report: ImportReport) -> str:
    if report.dry_run:
        return ", dry run: nothing was changed"
    again = f", gone on with after row {report.continued_at}" if report.continued_at else ""
    return f", import {report.import_id}{again}"


def _understood(report: ImportReport) -> list[str]:
    """Say how the file was read: encoding, delimiter, columns, and the first rows."""
    named = next(word for word, sign in DELIMITERS.items() if sign == report.delimiter)
    columns = ", ".join(f"{field} = “{header}”" for field, header in report.columns.mapping.items())
    lines = [f"Read as {report.encoding}, divided at {named}. {columns}"]
    if report.columns.ignored:
        lines.append(f"Left out: {', '.join(report.columns.ignored)}")
    rows = [
        (
            row.line,
            row.address.value,
            row.language,
            " ".join(row.attributes.values()),
            row.consent_at,
            row.evidence.source,
        )
        for row in report.first_rows
    ]
    return [
        *lines,
        table(("line", "address", "language", "person", "consented", "where and how"), rows, empty="No row."),
    ]
