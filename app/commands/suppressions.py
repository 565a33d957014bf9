"""`tidings suppressions`: who must never be written to, as counts, for one address, and as files."""

from pathlib import Path

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.commands.subscribers import write_lines
from app.runtime import runtime
from app.services import import_rejects, suppression_files
from app.services.import_file import DELIMITERS
from app.services.import_rows import RowProblem

SHOWN_PROBLEMS = 20

suppressions = AppGroup("suppressions", help="Addresses that must never be written to.")

_channel = click.option("--channel", default="sms", show_default=True, help="Where the addresses are.")


@suppressions.command("list")
@json_option
def list_them(as_json: bool) -> None:
    """Count the suppressions in force, by reason; addresses are not kept, so none can be shown.

    \b
    Example:
      tidings suppressions list
    """
    found = suppression_files.summary()
    rows = [(row.count, row.reason, row.newest) for row in found]
    say(found, as_json, lambda: table(("count", "reason", "newest"), rows, empty="Nobody is suppressed."))


@suppressions.command("check")
@click.argument("address")
@_channel
@json_option
def check(address: str, channel: str, as_json: bool) -> None:
    """Tell whether ADDRESS is suppressed, in any spelling, known to us or not.

    \b
    Example:
      tidings suppressions check "+1 202 555 0101"
    """
    found = suppression_files.check(address, channel=channel, controller=runtime().controller)
    words = "Suppressed: nothing is sent to it, and no import brings it in." if found else "Not suppressed."
    say({"suppressed": found}, as_json, lambda: words)


@suppressions.command("export")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@json_option
def export(out: Path, as_json: bool) -> None:
    """Write the suppressions in force as CSV: keyed hashes with their reasons, no address.

    \b
    Example:
      tidings suppressions export --out suppressions.csv
    """
    count = write_lines(out, suppression_files.export(runtime().controller)) - 1
    say({"file": str(out), "rows": count}, as_json, lambda: f"{count} suppressions written to {out}")


@suppressions.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reason", default="", help="Why, for rows that do not say; 40 characters at most.")
@click.option("--encoding", help="How the file is written, such as cp1252; else UTF-8 or its own mark.")
@click.option("--delimiter", type=click.Choice(list(DELIMITERS)), help="What stands between cells.")
@click.option("--region", help="Country of numbers without +, such as DE; else TIDINGS_REGION.")
@_channel
@json_option
def take(
    file: Path,
    reason: str,
    encoding: str | None,
    delimiter: str | None,
    region: str | None,
    channel: str,
    as_json: bool,
) -> None:
    """Suppress everybody in a CSV: a column address (or number), or hmac from our own export; and reason.

    It adds to the list and never takes from it. Running it again is safe.

    \b
    Example:
      tidings suppressions import deactivated.csv --reason "deactivated by the carrier"
    """
    shown: list[RowProblem] = []
    done = suppression_files.take(
        file,
        reason=reason,
        channel=channel,
        region=region,
        encoding=encoding,
        delimiter=delimiter,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
        on_problem=lambda one: shown.append(one) if len(shown) < SHOWN_PROBLEMS else None,
    )
    say({"done": done, "first_problems": shown}, as_json, lambda: _in_words(done, shown))


def _in_words(done: suppression_files.Taken, shown: list[RowProblem]) -> str:
    lines = [
        f"{done.added} suppressed, {done.already} were so already, {done.bad} rows make no sense",
        *(f"line {problem.line}: {import_rejects.in_words(problem)}" for problem in shown),
    ]
    return "\n".join(lines)
