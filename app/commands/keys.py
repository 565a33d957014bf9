"""`tidings keys`: make a master key, take a new one into use, see what stands under which."""

from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, progress, say, table
from app.config import make_master_key
from app.runtime import runtime
from app.services import rotate_keys
from app.services.rotate_keys import KeyCounts, Rotated

keys = AppGroup("keys", help="The master key: make one, take a new one into use.")


@keys.command("new")
@json_option
def new_key(as_json: bool) -> None:
    """Print a fresh master key. Nothing is changed.

    \b
    Example:
      tidings keys new
    """
    key = make_master_key()
    say({"master_key": key}, as_json, lambda: key)


@keys.command("show")
@json_option
def show_keys(as_json: bool) -> None:
    """Say what stands under which key; no key is shown.

    \b
    Example:
      tidings keys show
    """
    rows = rotate_keys.show(controller=runtime().controller)
    say(rows, as_json, lambda: _table(rows))


@keys.command("rotate")
@json_option
def rotate(as_json: bool) -> None:
    """Move everything to the present MASTER_KEY; may be interrupted and run again.

    \b
    Before: set MASTER_KEY to a new key, put the old one first in MASTER_KEY_PREVIOUS, restart all processes.
    Example:
      tidings keys rotate
    """
    with progress("people") as moved:
        done = rotate_keys.rotate(
            by=operator(), controller=runtime().controller, now=utcnow(), progress=moved
        )
    say(done, as_json, lambda: _in_words(done))


def _in_words(done: Rotated) -> str:
    said = (
        f"Moved {done.data_keys} data keys, {done.suppressions} suppressions and the settings of "
        f"{done.senders} senders to the present key."
    )
    if not done.left_hashes:
        return f"{said}\nNothing stands under an older key. Heads of the ledger signed before need its public key only."
    return (
        f"{said}\n{done.left_hashes} suppressions are of addresses that are gone, and can be found by their old key "
        "only: keep it in MASTER_KEY_PREVIOUS, or these people could be imported again."
    )


def _table(rows: list[KeyCounts]) -> str:
    headings = ("key", "public key", "data keys", "suppressions")
    cells = [(row.version, row.public_key or "thrown away", row.data_keys, row.hashes) for row in rows]
    return table(headings, cells, empty="")
