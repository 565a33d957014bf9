"""`tidings consent heads`: sign what the ledger is, list and export signed heads, show the key that checks them."""

from pathlib import Path

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, say, table
from app.domain.tree_heads import SignedHead
from app.runtime import runtime
from app.services import sign_heads

heads = AppGroup("heads", help="Signed heads of the ledger: proof, kept outside, of what it was.")


@heads.command("list")
@json_option
def show(as_json: bool) -> None:
    """List the heads that were signed, oldest first.

    \b
    Example:
      tidings consent heads list
    """
    found = sign_heads.list_heads(controller=runtime().controller)
    headings = ("signed (UTC)", "entries", "root")
    say(
        [head.as_json() for head in found],
        as_json,
        lambda: table(
            headings,
            [(head.time.replace("T", " ")[:19], head.tree_size, head.root) for head in found],
            empty="No head was signed yet. Sign one: tidings consent heads sign",
        ),
    )


@heads.command("sign")
@json_option
def sign(as_json: bool) -> None:
    """Sign the ledger as it is now, and export the head. The clock does it once a day by itself.

    \b
    Example:
      tidings consent heads sign
    """
    folder = runtime().settings.heads_folder
    head = sign_heads.sign(folder, controller=runtime().controller, now=utcnow())
    say(head.as_json(), as_json, lambda: f"{_in_words(head)}\nIt lies in {folder}.")


@heads.command("export")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder; what is there stays.",
)
@json_option
def export(out: Path, as_json: bool) -> None:
    """Write every signed head that is not there yet into a folder, one file each.

    \b
    Example:
      tidings consent heads export --out /media/usb/heads
    """
    made = sign_heads.export(out, controller=runtime().controller)
    say([str(path) for path in made], as_json, lambda: f"{len(made)} heads written to {out}.")


@heads.command("public-key")
@json_option
def public_key(as_json: bool) -> None:
    """Print the Ed25519 key that checks our heads. Publish it where others find it without asking you.

    \b
    Example:
      tidings consent heads public-key
    """
    key = runtime().controller.keys.public_key
    say({"algorithm": "Ed25519", "public_key": key}, as_json, lambda: key)


def _in_words(head: SignedHead) -> str:
    return (
        f"Signed at {head.time}: {head.tree_size} entries of the ledger “{head.ledger}”.\nRoot: {head.root}"
    )
