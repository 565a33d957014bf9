"""`tidings broadcasts rehearse`: play a broadcast in full on a stage of its own, with faults, and say what happened."""

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.commands.output import json_option, operator, say
from app.domain.rehearsal import BadFaults, Faults, Report
from app.services import rehearsals
from app.services.controller import Refused


@click.command("rehearse")
@click.argument("broadcast_id", metavar="ID", type=int)
@click.option(
    "--faults",
    "written",
    default="",
    metavar="NAME=NUMBER,...",
    help="throttle (429), errors (503), cut, lost in per cent; slow in milliseconds. Default: a little of each.",
)
@json_option
@click.pass_context
@with_appcontext
def rehearse(context: click.Context, broadcast_id: int, written: str, as_json: bool) -> None:
    """Play the broadcast ID in full against a simulated provider with faults. Nothing leaves this machine.

    Everybody of the audience (of a large one, a sample) has a stand-in. Fails when somebody would get it twice, or
    is lost.

    \b
    Example:
      tidings broadcasts rehearse 7 --faults "throttle=5, errors=5, slow=20"
    """
    from app.rehearsal.run import perform  # the stage takes its time to load

    try:
        faults = Faults.parse(written)
    except BadFaults as error:
        raise click.BadParameter(str(error), param_hint="--faults") from error
    rehearsal_id = rehearsals.ask(broadcast_id, faults, by=operator(), now=utcnow())
    perform(rehearsal_id, now=utcnow())
    (row,) = [one for one in rehearsals.of_broadcast(broadcast_id) if one.id == rehearsal_id]
    if row.report is None:
        raise Refused(row.problem)
    report = row.report
    say(row, as_json, lambda: _in_words(report))
    if not report.passed:
        context.exit(1)


def _in_words(report: Report) -> str:
    head = "Nobody twice, nobody lost." if report.passed else "This rehearsal FAILED."
    part = f", a sample of {report.audience}" if report.is_sample else ""
    lines = [
        head,
        f"People: {report.people}{part}. Twice: {report.doubles}. Lost: {report.losses}.",
        f"Sent: {report.sent}. Unknown: {report.unknown}, of which {report.unknown_arrived} arrived.",
        f"Left out: {_counts(report.skipped)}. Failed: {_counts(report.failed)}. Waiting: {report.waiting}.",
        f"Refused by the provider: {_counts(report.refused)}; {report.tries} parts were handed over.",
        f"For the whole audience, {report.parts} parts of SMS arrived, {report.files} with the file beside the text.",
        f"At the senders' pace it takes about {report.would_take:.0f} seconds (the rehearsal took {report.took:.0f}).",
    ]
    if report.last_at:
        lines.append(f"Some wait for a time that suits them; the last one goes at {report.last_at}.")
    return "\n".join(lines)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in counts.items()) or "nobody"
