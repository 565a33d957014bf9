"""`tidings subscribers`: import people with evidence, look one up, export a list, record a revocation."""

import contextlib
import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import cell, json_option, operator, progress, say, table
from app.runtime import runtime
from app.services import manage_subscribers
from app.services.controller import Refused
from app.services.import_rows import Evidence, RowProblem, read_moment
from app.services.import_subscribers import ImportOptions, ImportReport, import_subscribers
from app.services.import_verdicts import Verdict
from app.services.manage_subscribers import Person

SHOWN_PROBLEMS: Final = 20

_WORDS: Final = {
    Verdict.IMPORTED: "imported",
    Verdict.ALREADY_ACTIVE: "subscribed already, left as they are",
    Verdict.DUPLICATE: "more than once in the file",
    Verdict.STOPPED: "refused: said STOP before",
    Verdict.SUPPRESSED: "refused: suppressed number",
    Verdict.INVALID: "refused: the row makes no sense",
}

subscribers = AppGroup("subscribers", help="Import, look up, export and opt out people.")

_channel = click.option("--channel", default="sms", show_default=True, help="Where the address is.")


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--list", "list_name", required=True, help="Name or keyword of the list.")
@click.option(
    "--evidence", default="", help="Where and how these people consented, for rows that do not say."
)
@click.option("--consented-at", default="", help="When they did, for rows that do not say: 2026-03-31 (UTC).")
@click.option("--dry-run", is_flag=True, help="Change nothing, say the same numbers.")
@click.option(
    "--encoding", default="utf-8", show_default=True, help="How the file is written, such as cp1252."
)
@click.option("--region", help="Country of numbers without +, such as DE; else TIDINGS_REGION.")
@click.option(
    "--errors", type=click.Path(path_type=Path), help="Write the rows that were not taken to this CSV."
)
@json_option
def import_people(
    file: Path,
    list_name: str,
    evidence: str,
    consented_at: str,
    dry_run: bool,
    encoding: str,
    region: str | None,
    errors: Path | None,
    as_json: bool,
) -> None:
    """Import people from a CSV with the evidence of their consent.

    Columns: number; first_name, last_name, city, language; and for each row consent_at, consent_source and
    consent_text, unless --evidence and --consented-at speak for the whole file. Running it again is safe.

    \b
    Example:
      tidings subscribers import fair.csv --list NEWS --dry-run \\
        --evidence "Paper form, town fair, form version 2" --consented-at 2026-05-01
    """
    options = ImportOptions(
        by=operator(),
        evidence=Evidence(evidence.strip(), _moment(consented_at)),
        encoding=encoding,
        region=region,
        dry_run=dry_run,
    )
    shown: list[RowProblem] = []
    with progress(f"Reading {file.name}") as told, _problems(errors, shown) as on_problem:
        report = import_subscribers(
            file,
            list_name=list_name,
            options=options,
            controller=runtime().controller,
            now=utcnow(),
            on_problem=on_problem,
            on_progress=told,
        )
    say(_as_data(report, shown), as_json, lambda: _in_words(report, shown, errors))


@subscribers.command("show")
@click.argument("address")
@_channel
@json_option
def show_person(address: str, channel: str, as_json: bool) -> None:
    """Show one person's lists and what stands in the way of sending.

    \b
    Example:
      tidings subscribers show "+1 202 555 0101"
    """
    person = manage_subscribers.show(address, channel=channel, controller=runtime().controller)
    say(person, as_json, lambda: in_words(person))


@subscribers.command("export")
@click.argument("list_name", metavar="LIST")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; stdout without it.")
@click.option("--json", "as_json", is_flag=True, help="Say what was written as JSON; needs --out.")
def export_people(list_name: str, out: Path | None, as_json: bool) -> None:
    """Write everybody who was ever on LIST as CSV: number, state, since when, language.

    \b
    Example:
      tidings subscribers export NEWS --out news.csv
    """
    lines = manage_subscribers.export_list(list_name)
    if out is None:
        if as_json:
            raise click.UsageError("--json needs --out: without it the CSV itself goes to stdout.")
        for line in lines:
            click.echo(line, nl=False)
        return
    count = _write(out, lines) - 1
    say({"file": str(out), "rows": count}, as_json, lambda: f"{count} people written to {out}")


@subscribers.command("opt-out")
@click.argument("address")
@click.option("--reason", required=True, help="How the person told us, and when.")
@click.option("--list", "list_name", help="Only this list; every list without it.")
@_channel
@json_option
def opt_out(address: str, reason: str, list_name: str | None, channel: str, as_json: bool) -> None:
    """Record that somebody revoked consent by a call, a letter or an e-mail.

    \b
    Example:
      tidings subscribers opt-out "+1 202 555 0101" --reason "called on 3 March"
    """
    person = manage_subscribers.opt_out(
        address,
        reason=reason,
        list_name=list_name,
        channel=channel,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    say(person, as_json, lambda: in_words(person))


@subscribers.command("suppress")
@click.argument("address")
@click.option("--reason", required=True, help="Why, in a few words; no personal data.")
@_channel
@json_option
def suppress(address: str, reason: str, channel: str, as_json: bool) -> None:
    """Never send to ADDRESS again, whatever lists and imports say.

    \b
    Example:
      tidings subscribers suppress "+1 202 555 0101" --reason "number was reassigned"
    """
    manage_subscribers.suppress(
        address,
        reason=reason,
        channel=channel,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    say({"suppressed": True}, as_json, lambda: "Suppressed: nothing will be sent to this address.")


@subscribers.command("unsuppress")
@click.argument("address")
@_channel
@json_option
def unsuppress(address: str, channel: str, as_json: bool) -> None:
    """Lift a suppression that was made by mistake; consent stays as it was.

    \b
    Example:
      tidings subscribers unsuppress "+1 202 555 0101"
    """
    manage_subscribers.unsuppress(
        address, channel=channel, by=operator(), controller=runtime().controller, now=utcnow()
    )
    say({"suppressed": False}, as_json, lambda: "The suppression is lifted.")


def in_words(person: Person) -> str:
    """Return a person's standings as a table, the overlays above it."""
    lines = [
        f"{person.address} ({person.channel}), language {person.language}, known since {cell(person.since)}"
    ]
    lines += [f"Nothing is sent: {name} since {cell(at)}" for name, at in person.overlays.items()]
    rows = [
        (row.list_name, row.state, row.granted_at, row.granted_seq, row.stopped_at, row.stopped_seq)
        for row in person.lists
    ]
    headings = ("list", "state", "consented", "entry", "stopped", "entry")
    return "\n".join([*lines, "", table(headings, rows, empty="On no list.")])


def _moment(written: str) -> datetime | None:
    if not written:
        return None
    moment = read_moment(written, ZoneInfo("UTC"))
    if moment is None:
        raise click.UsageError(f"--consented-at {written} is no date; write 2026-03-31 or 2026-03-31T14:05")
    return moment


@contextlib.contextmanager
def _problems(errors: Path | None, shown: list[RowProblem]) -> Iterator[Callable[[RowProblem], None]]:
    """Yield what takes the rows that were refused: the first ones are kept to show, all go to the file."""
    with contextlib.ExitStack() as stack:
        writer = None
        if errors is not None:
            try:
                stream = stack.enter_context(errors.open("w", encoding="utf-8", newline=""))
            except OSError as error:
                raise Refused(f"{errors} cannot be written: {error.strerror}.") from error
            writer = csv.writer(stream)
            writer.writerow(("line", "column", "value", "reason"))

        def take(problem: RowProblem) -> None:
            if len(shown) < SHOWN_PROBLEMS:
                shown.append(problem)
            if writer is not None:
                writer.writerow((problem.line, problem.column, problem.value, problem.reason))

        yield take


def _as_data(report: ImportReport, shown: list[RowProblem]) -> dict[str, Any]:
    return {
        "file": report.file,
        "dry_run": report.dry_run,
        "rows": report.rows,
        "counts": {verdict.value: report.counts[verdict] for verdict in Verdict},
        "first_problems": shown,
    }


def _in_words(report: ImportReport, shown: list[RowProblem], errors: Path | None) -> str:
    lines = [
        f"{report.file.name}: {report.rows} rows"
        + (", dry run: nothing was changed" if report.dry_run else "")
    ]
    lines += [f"  {report.counts[verdict]:>8}  {words}" for verdict, words in _WORDS.items()]
    for problem in shown:
        where = f"line {problem.line}" + (f", {problem.column} “{problem.value}”" if problem.column else "")
        lines.append(f"{where}: {problem.reason}")
    refused = sum(report.counts[one] for one in (Verdict.STOPPED, Verdict.SUPPRESSED, Verdict.INVALID))
    if refused > len(shown):
        lines.append(
            f"... and {refused - len(shown)} more" + ("" if errors else "; --errors FILE writes them all")
        )
    return "\n".join(lines)


def _write(path: Path, lines: Iterator[str]) -> int:
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            return sum(1 for line in lines if stream.write(line))
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
