"""`tidings lists`: make, show and close what people subscribe to."""

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.lists_change import archive, change
from app.commands.lists_links import links
from app.commands.output import json_option, operator, say, table
from app.domain.short_links import Clicks
from app.domain.statuses import OnUnknown
from app.runtime import runtime
from app.services import approval, manage_lists, manage_senders, senders_of_lists, short_links
from app.services.controller import Refused
from app.services.manage_lists import ListRow
from app.storage.database import db

lists = AppGroup("lists", help="What people subscribe to.")

for command in (change, archive, links):
    lists.add_command(command)


@lists.command("create")
@click.argument("name")
@click.option("--keyword", required=True, help="The word that joins it, such as NEWS.")
@click.option("--purpose", required=True, help="What people get, in the words shown before they agree.")
@click.option("--sender", help="The sender it goes out of; may be left out when there is only one.")
@click.option("--language", default="en", show_default=True, help="Language of the list, such as de.")
@click.option(
    "--max-per-day", type=int, default=3, show_default=True, help="Promise: messages a day at most."
)
@click.option("--from-hour", type=int, default=7, show_default=True, help="Promise: not before this hour.")
@click.option("--until-hour", type=int, default=21, show_default=True, help="Promise: not after this hour.")
@click.option(
    "--zone", default="UTC", show_default=True, help="Time zone of these hours, such as Europe/Berlin."
)
@click.option(
    "--any-hour",
    "any_hour_reason",
    default="",
    metavar="REASON",
    help="Send within the promised hours even when it is night where people are, for this reason, which is kept.",
)
@click.option("--default", "is_default", is_flag=True, help="A bare START joins this list.")
@json_option
def create_list(
    name: str,
    keyword: str,
    purpose: str,
    sender: str | None,
    language: str,
    max_per_day: int,
    from_hour: int,
    until_hour: int,
    zone: str,
    any_hour_reason: str,
    is_default: bool,
    as_json: bool,
) -> None:
    """Make the list NAME with its notice in English and German.

    \b
    Example:
      tidings lists create "Morning news" --keyword NEWS --zone Europe/Berlin \\
        --purpose "the day's most important news from Riverside"
    """
    list_id = manage_lists.create_list(
        name=name,
        keyword=keyword,
        purpose=purpose,
        language=language,
        max_per_day=max_per_day,
        from_hour=from_hour,
        until_hour=until_hour,
        zone=zone,
        sender_id=sender_id_of(sender),
        is_default=is_default,
        any_hour_reason=any_hour_reason,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    (row,) = [row for row in manage_lists.list_lists() if row.id == list_id]
    say(row, as_json, lambda: _table([row]))


@lists.command("list")
@click.option("--all", "archived", is_flag=True, help="Closed lists, too.")
@json_option
def list_lists(archived: bool, as_json: bool) -> None:
    """List the lists with their promise and the number of people on them.

    \b
    Example:
      tidings lists list --all
    """
    rows = manage_lists.list_lists(archived=archived)
    say(rows, as_json, lambda: _table(rows))


@lists.command("any-hour")
@click.argument("name")
@click.option("--reason", help="Why people of this list may be written to at any hour that it promised.")
@click.option("--off", is_flag=True, help="Quiet hours hold again.")
@json_option
def any_hour(name: str, reason: str | None, off: bool, as_json: bool) -> None:
    """Let the hours that the list NAME promised stand for the quiet hours of the places where people are.

    \b
    Example:
      tidings lists any-hour Floods --reason "Flood warnings: people signed up to be woken"
    """
    if bool(reason and reason.strip()) == off:
        raise click.UsageError("Give either --reason or --off.")
    row = manage_lists.set_any_hour(name, reason or "", by=operator(), now=utcnow())
    say(row, as_json, lambda: _table([row]))


@lists.command("approval")
@click.argument("name")
@click.argument("wanted", type=click.Choice(["on", "off"]))
@json_option
def change_approval(name: str, wanted: str, as_json: bool) -> None:
    """Let nothing go to the list NAME before a second person has said yes to it, or let whoever writes send.

    \b
    Example:
      tidings lists approval "Morning news" on
    """
    row = approval.set_approval(name, wanted == "on", by=operator(), now=utcnow())
    say({"name": row, "approval": wanted == "on"}, as_json, lambda: f"“{row}”: approval {wanted}")


@lists.command("on-unknown")
@click.argument("name")
@click.argument("policy", type=click.Choice([one.value for one in OnUnknown]))
@json_option
def on_unknown(name: str, policy: str, as_json: bool) -> None:
    """Say what becomes of a message of the list NAME that left without an answer and that the provider does not have.

    hold leaves it `unknown`; resend sends it while it is fresh. Nothing is sent again of which the provider cannot
    be asked, or whose answer leaves a doubt.

    \b
    Example:
      tidings lists on-unknown "Flood alarm" resend
    """
    row = manage_lists.set_on_unknown(name, OnUnknown(policy), by=operator(), now=utcnow())
    say({"name": row, "on_unknown": policy}, as_json, lambda: f"“{row}”: {policy}")


@lists.command("clicks")
@click.argument("name")
@click.argument("what", type=click.Choice([one.value for one in Clicks]))
@json_option
def clicks(name: str, what: str, as_json: bool) -> None:
    """Count how often the links in messages of the list NAME are opened; `off` is how every list begins.

    links counts each link by the hour and names nobody. people also keeps who opened what, of those who agreed to a
    notice that says so. From the next broadcast on, https links go out as short ones under PUBLIC_URL.

    \b
    Example:
      tidings lists clicks "Morning news" links
    """
    public_url = runtime().settings.public_url
    row = short_links.set_clicks(name, Clicks(what), public_url=public_url, by=operator(), now=utcnow())
    say({"name": row, "clicks": what}, as_json, lambda: f"“{row}”: {what}")


@lists.command("sender")
@click.argument("name")
@click.argument("sender")
@click.option("--remove", is_flag=True, help="Take the list off this sender's channel again.")
@json_option
def list_sender(name: str, sender: str, remove: bool, as_json: bool) -> None:
    """Let the list NAME go out of SENDER too, for people on its channel: one sender for each channel.

    \b
    Example:
      tidings lists sender "Morning news" news-telegram
    """
    change = senders_of_lists.remove_sender if remove else senders_of_lists.add_sender
    list_id = change(name, sender, by=operator(), now=utcnow()).id
    (row,) = [row for row in manage_lists.list_lists(archived=True) if row.id == list_id]
    say(row, as_json, lambda: _table([row]))


def sender_id_of(name: str | None) -> int:
    """Return the id of a sender by name, or of the only one; raises `Refused` naming those that exist."""
    rows = manage_senders.list_senders()
    db.session.rollback()  # what is read after the change shall be the change
    found = [row for row in rows if name in (None, row.name)]
    if len(found) == 1:
        return found[0].id
    names = ", ".join(row.name for row in rows) or "none yet; make one with: tidings senders add"
    said = f"There is no sender “{name}”" if name else "Say which sender with --sender NAME"
    raise Refused(f"{said}. Senders: {names}.")


def _promise(row: ListRow) -> str:
    if row.ends_at is not None:
        return f"{row.most} until {row.ends_at:%Y-%m-%d %H:%M} UTC"
    any_hour = ", also at night" if row.any_hour_reason else ""
    return f"{row.max_per_day} a day, {row.from_hour}-{row.until_hour} h {row.zone}{any_hour}"


def _table(rows: list[ListRow]) -> str:
    return table(
        ("name", "keyword", "people", "promise", "language", "sender", "START", "archived"),
        [
            (
                row.name,
                row.keyword.upper(),
                row.active,
                _promise(row),
                row.language,
                row.sender,
                "default" if row.is_default else None,
                row.archived_at,
            )
            for row in rows
        ],
        empty="There is no list yet. Make one with: tidings lists create --help",
    )
