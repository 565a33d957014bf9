"""`tidings subscribers`: import people with evidence, look one up, export a list, record a revocation."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import cell, json_option, operator, say, table
from app.commands.subscribers_import import import_people
from app.commands.subscribers_set import set_known
from app.runtime import runtime
from app.services import link_people, manage_subscribers
from app.services.controller import Refused
from app.services.import_rows import read_moment
from app.services.manage_subscribers import Person, Way

subscribers = AppGroup("subscribers", help="Import, look up, export and opt out people.")

subscribers.add_command(import_people)
subscribers.add_command(set_known)

_channel = click.option("--channel", default="sms", show_default=True, help="Where the address is.")


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
    count = write_lines(out, lines) - 1
    say({"file": str(out), "rows": count}, as_json, lambda: f"{count} people written to {out}")


@subscribers.command("opt-out")
@click.argument("address")
@click.option("--reason", required=True, help="The person's words, or who took the call: the evidence.")
@click.option(
    "--received-by",
    type=click.Choice([way.value for way in Way]),
    default=Way.OTHER.value,
    show_default=True,
    help="How it reached us.",
)
@click.option("--received-at", default="", help="When it reached us, if not now: 2026-03-31T14:05 (UTC).")
@click.option("--list", "list_name", help="Only this list; every list without it.")
@_channel
@json_option
def opt_out(
    address: str,
    reason: str,
    received_by: str,
    received_at: str,
    list_name: str | None,
    channel: str,
    as_json: bool,
) -> None:
    """Record that somebody revoked consent by a call, a letter or an e-mail.

    \b
    Example:
      tidings subscribers opt-out "+1 202 555 0101" --received-by call --reason "spoke to Ms Ross"
    """
    moment = read_moment(received_at, ZoneInfo("UTC")) if received_at else None
    if received_at and moment is None:
        raise click.UsageError(f"--received-at {received_at} is no date; write 2026-03-31T14:05")
    person = manage_subscribers.opt_out(
        address,
        reason=reason,
        received_by=Way(received_by),
        received_at=moment,
        list_name=list_name,
        channel=channel,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    say(person, as_json, lambda: in_words(person))


@subscribers.command("link")
@click.argument("address")
@click.argument("preferred")
@click.option("--channel", default="sms", show_default=True, help="Where ADDRESS is.")
@click.option("--preferred-channel", required=True, help="Where PREFERRED is.")
@click.option("--evidence", required=True, help="How you know that both are theirs.")
@json_option
def link_addresses(
    address: str, preferred: str, channel: str, preferred_channel: str, evidence: str, as_json: bool
) -> None:
    """Link two addresses of one person, so that one broadcast goes to PREFERRED alone.

    \b
    Example:
      tidings subscribers link "+1 202 555 0101" 7000001 --preferred-channel telegram --evidence "call of 3 March"
    """
    link_people.link(
        address,
        preferred,
        channel=channel,
        second_channel=preferred_channel,
        evidence=evidence,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    say({"linked": [address, preferred]}, as_json, lambda: "linked; broadcasts go to the second one")


@subscribers.command("unlink")
@click.argument("address")
@_channel
@json_option
def unlink_address(address: str, channel: str, as_json: bool) -> None:
    """Take an address out of its person; consent stays as it is.

    \b
    Example:
      tidings subscribers unlink 7000001 --channel telegram
    """
    link_people.unlink(address, channel=channel, by=operator(), controller=runtime().controller, now=utcnow())
    say({"unlinked": address}, as_json, lambda: "unlinked")


@subscribers.command("remove")
@click.argument("address")
@click.option("--reason", required=True, help="Why we end it: closed list, court order, wrong entry.")
@click.option("--list", "list_name", help="Only this list; every list without it.")
@_channel
@json_option
def remove(address: str, reason: str, list_name: str | None, channel: str, as_json: bool) -> None:
    """End somebody's consent at our own wish; only the person can come back, by texting START.

    \b
    Example:
      tidings subscribers remove "+1 202 555 0101" --list NEWS --reason "moved out of the area"
    """
    person = manage_subscribers.remove(
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
    lines += [f"Town: {person.place}"] if person.place else []
    lines += [f"Nothing is sent: {name} since {cell(at)}" for name, at in person.overlays.items()]
    rows = [
        (row.list_name, row.state, row.granted_at, row.granted_seq, row.stopped_at, row.stopped_seq)
        for row in person.lists
    ]
    headings = ("list", "state", "consented", "entry", "stopped", "entry")
    return "\n".join([*lines, "", table(headings, rows, empty="On no list.")])


def write_lines(path: Path, lines: Iterator[str]) -> int:
    """Write a file and return how many lines it has; raises `Refused` where it cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            return sum(1 for line in lines if stream.write(line))
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
