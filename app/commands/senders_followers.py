"""`tidings senders followers`: take out who left a sender without our hearing of it, or see who that would be."""

import click

from app.clock import utcnow
from app.commands.output import json_option, operator, say
from app.commands.senders import senders
from app.domain.followers import Outcome
from app.gateways.followers import CannotList
from app.services import manage_senders
from app.services.controller import Refused
from app.services.reconcile_followers import Reading
from workers.followers import read_list

__all__ = ["senders"]


@senders.command("followers")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only count who is not among them.")
@click.option("--anyway", is_flag=True, help="Believe the list, however many people are not on it.")
@json_option
def followers(name: str, dry_run: bool, anyway: bool, as_json: bool) -> None:
    """Read who follows the sender NAME, and stop sending to people of its lists who do not any more.

    The clock does it each day where the platform lists followers (LINE, WeChat: of verified accounts). Nobody is
    added by it.

    \b
    Example:
      tidings senders followers city-line --dry-run
    """
    sender_id = manage_senders.id_of(name)
    try:
        found = read_list(sender_id, dry_run=dry_run, anyway=anyway, by=operator(), now=utcnow())
    except CannotList as error:
        raise Refused(f"The followers of {name} cannot be read: {error}.") from error
    if found.outcome is Outcome.HELD and not dry_run:
        raise Refused(f"{_counted(found)}. {_unbelieved(name)}")
    say(found, as_json, lambda: _said(name, found, dry_run))


def _said(name: str, found: Reading, dry_run: bool) -> str:
    if not dry_run:
        return f"{_counted(found)}. Taken out: {found.left:,}"
    if found.outcome is Outcome.HELD:
        return f"{_counted(found)}. {_unbelieved(name)}"
    return f"{_counted(found)}{' and would be taken out' if found.missing else ''}"


def _counted(found: Reading) -> str:
    return f"{found.followers:,} followers; of {found.ours:,} people of ours, {found.missing:,} are not among them"


def _unbelieved(name: str) -> str:
    return (
        "That is too many to be believed; nothing was changed. "
        f"If it is true: tidings senders followers {name} --anyway"
    )
