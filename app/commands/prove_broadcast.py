"""`tidings broadcasts prove`: check on which consents a broadcast went out."""

import click
from flask.cli import with_appcontext

from app.commands.output import json_option, say
from app.runtime import runtime
from app.services.prove_broadcast import BroadcastProof
from app.services.prove_broadcast import prove as prove_all


@click.command("prove")
@click.argument("broadcast_id", metavar="ID", type=int)
@click.option("--expect", metavar="HASH", help="The hash that an earlier run printed; it must be the same.")
@json_option
@with_appcontext
def prove(broadcast_id: int, expect: str | None, as_json: bool) -> None:
    """Check that each message of a broadcast rests on a consent in the ledger; exit code 1 when one does not.

    The hash says who got it by which entry. It stays the same from the end of the broadcast until its rows are deleted.

    \b
    Example:
      tidings broadcasts prove 7
    """
    found = prove_all(broadcast_id, controller=runtime().controller)
    differs = expect is not None and expect.strip().lower() != found.audience_hash
    say(found, as_json, lambda: _in_words(found))
    if differs:
        click.echo(f"The hash is not the one expected, {expect}: other people or entries.", err=True)
    if found.bad or differs:
        raise click.exceptions.Exit(1)


def _in_words(found: BroadcastProof) -> str:
    good = found.messages - found.bad
    lines = [
        f"Audience frozen by entry {found.basis.seq} of the ledger {found.ledger}, {found.basis.entry_hash}.",
        f"{good} of {found.messages} messages rest on a consent of that person, given before.",
        f"Hash of who got it by which entry: {found.audience_hash}",
        *found.problems,
        f"Whether the ledger itself is whole: tidings consent verify --head {found.basis.seq}:{found.basis.entry_hash}",
    ]
    return "\n".join(lines)
