"""`tidings senders`: add, list, pace, pause and resume the numbers, bots and accounts that we send from."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.connecting import by_hand, carry_on, register
from app.commands.output import json_option, operator, say, table
from app.gateways.base import BadSetting, GatewayClass
from app.gateways.connect import conversation
from app.gateways.connect.quota import quota
from app.gateways.given_back import CannotRead
from app.gateways.registry import GATEWAYS, build, gateway_class
from app.queue import LANE, REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import connect_senders, hear_platform, manage_senders, sender_limits
from app.services.close_given_back import GivenBack
from app.services.controller import Refused
from app.services.manage_senders import SenderRow
from app.services.sender_limits import AccountRow
from workers.given_back import read_day

senders = AppGroup("senders", help="Numbers, bots and accounts that we send from.")

_setting = click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the gateway; NAME=@FILE reads a secret from a file. Give it once for each.",
)


@senders.command("add")
@click.argument("name")
@click.option("--gateway", required=True, help=f"One of: {', '.join(sorted(GATEWAYS))}.")
@_setting
@click.option("--base-url", help="Where the gateway's API is, when not at its usual address.")
@click.option("--rate", type=float, help="Messages (SMS: parts) per second that this sender may send.")
@json_option
def add_sender(
    name: str, gateway: str, pairs: tuple[str, ...], base_url: str | None, rate: float | None, as_json: bool
) -> None:
    """Add the sender NAME. Its provider posts everything to PUBLIC_URL/hooks/NAME.

    \b
    Example:
      tidings senders add news-us --gateway twilio --set account_sid=AC... \\
        --set auth_token=@token.txt --set from=+12025550100
    """
    kind = _gateway(gateway)
    row = manage_senders.add(
        name=name,
        gateway=kind,
        settings=_settings(pairs, kind),
        base_url=base_url,
        rate=rate,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    hook = manage_senders.hook_of(row.name, runtime().settings.public_url)
    say(
        {"sender": row, "hook": hook},
        as_json,
        lambda: f"{_table([row])}\nTell the provider to post messages and receipts to {hook}",
    )


@senders.command("list")
@json_option
def list_senders(as_json: bool) -> None:
    """List the senders; secrets are never shown.

    \b
    Example:
      tidings senders list
    """
    rows = manage_senders.list_senders()
    say(rows, as_json, lambda: _table(rows))


@senders.command("registration")
@click.argument("name")
@json_option
def print_registration(name: str, as_json: bool) -> None:
    """Print the file that your own server needs to know the sender NAME (Matrix). It holds the secrets: keep it so.

    \b
    Example:
      tidings senders registration city-matrix > /etc/matrix-synapse/tidings-city.yaml
    """
    found = manage_senders.registration(
        name,
        public_url=runtime().settings.public_url,
        registry=build,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    say({"registration": found}, as_json, lambda: found.rstrip())


@senders.command("connect")
@click.argument("name")
@json_option
def connect_sender(name: str, as_json: bool) -> None:
    """Tell the provider of the sender NAME by its API where our webhook is, and check that it knows.

    Says what was done and what is left to do by hand. To run it again is harmless.

    \b
    Example:
      tidings senders connect city-telegram
    """
    begun = connect_senders.begin(
        name,
        opening=conversation,
        public_url=runtime().settings.public_url,
        controller=runtime().controller,
    )
    found = register(name, begun.talk, begun.hook) if begun.talk else by_hand(name, begun.gateway, begun.hook)
    lines = [*(f"Done: {one}" for one in found.done), *(f"Left to do: {one}" for one in found.left)]
    say({"hook": begun.hook, "done": found.done, "left": found.left}, as_json, lambda: "\n".join(lines))


@senders.command("quota")
@click.argument("name")
@json_option
def show_quota(name: str, as_json: bool) -> None:
    """Ask the platform of the sender NAME how much it still takes: LINE's month, a WhatsApp number's tier and quality.

    \b
    Example:
      tidings senders quota city-line
    """
    begun = connect_senders.begin(
        name,
        opening=quota,
        public_url=runtime().settings.public_url,
        controller=runtime().controller,
    )
    if begun.talk is None:
        raise Refused(f"{begun.gateway} tells no such numbers by an API that we know.")
    told = carry_on(begun.talk)
    say({"sender": name, "told": told}, as_json, lambda: "\n".join(told))


@senders.command("told")
@click.argument("name")
@click.option("--forget", is_flag=True, help="Forget it, where the platform never said that it is over.")
@json_option
def show_told(name: str, forget: bool, as_json: bool) -> None:
    """Show what the platform told last of the sender NAME: templates, limits, complaints.

    \b
    Example:
      tidings senders told city-whatsapp
    """
    rows = hear_platform.told(name)
    found = [{"subject": row.subject, "news": row.news, "why": row.why, "at": row.at} for row in rows]
    lines = [f"{row.at:%Y-%m-%d %H:%M}  {row.news}  {row.subject}  {row.why}" for row in rows]
    if forget:
        lines.append(f"Forgotten: {hear_platform.forget(name, by=operator(), now=utcnow())}")
    say({"sender": name, "told": found}, as_json, lambda: "\n".join(lines) or "Nothing was told.")


@senders.command("rate")
@click.argument("name")
@click.argument("rate", type=float)
@json_option
def set_rate(name: str, rate: float, as_json: bool) -> None:
    """Let the sender NAME send RATE messages (SMS: parts) per second.

    \b
    Example:
      tidings senders rate news-us 10
    """
    row = manage_senders.set_rate(
        name, rate, registry=build, by=operator(), controller=runtime().controller, now=utcnow()
    )
    say(row, as_json, lambda: _table([row]))


@senders.command("set")
@click.argument("name")
@click.option("--account", required=True, help="The provider's account; empty for the one in its settings.")
@json_option
def set_account(name: str, account: str, as_json: bool) -> None:
    """Say which account at the provider the sender NAME belongs to: the account's senders share its limit.

    \b
    Example:
      tidings senders set city-whatsapp --account riverside-portfolio
    """
    found = sender_limits.set_account(
        name, account, registry=build, by=operator(), controller=runtime().controller, now=utcnow()
    )
    said = f"{name} belongs to {found}" if found else f"{name} shares no account's limit"
    say({"name": name, "account": found}, as_json, lambda: said)


@senders.command("accounts")
@json_option
def list_accounts(as_json: bool) -> None:
    """List the accounts of the senders, and how fast the senders of each may go together.

    \b
    Example:
      tidings senders accounts
    """
    rows = sender_limits.accounts(registry=build, controller=runtime().controller)
    say(rows, as_json, lambda: _accounts(rows))


@senders.command("account-rate")
@click.argument("account")
@click.argument("rate")
@json_option
def set_account_rate(account: str, rate: str, as_json: bool) -> None:
    """Let all senders of ACCOUNT send RATE messages (SMS: parts) per second together; `none` for no such limit.

    \b
    Example:
      tidings senders account-rate riverside-portfolio 80
    """
    try:
        number = None if rate == "none" else float(rate)
    except ValueError as error:
        raise click.UsageError(f"“{rate}” is no number of messages a second. Example: 80, or none") from error
    row = sender_limits.set_rate(
        account, number, registry=build, by=operator(), controller=runtime().controller, now=utcnow()
    )
    say(row, as_json, lambda: _accounts([row]))


@senders.command("pause")
@click.argument("name")
@click.option("--reason", default="", help="Why; shown to everybody who wonders.")
@json_option
def pause_sender(name: str, reason: str, as_json: bool) -> None:
    """Let nothing more go out of the sender NAME; what is due waits.

    \b
    Example:
      tidings senders pause news-us --reason "the provider has an outage"
    """
    row = manage_senders.pause(name, reason=reason, by=operator(), now=utcnow())
    say(row, as_json, lambda: _table([row]))


@senders.command("resume")
@click.argument("name")
@json_option
def resume_sender(name: str, as_json: bool) -> None:
    """Let messages go out of the sender NAME again.

    \b
    Example:
      tidings senders resume news-us
    """
    row = manage_senders.resume(name, by=operator(), now=utcnow())
    for queue in (REPLIES, LANE):
        enqueue_lane(row.id, queue)
    say(row, as_json, lambda: _table([row]))


@senders.command("pause-all")
@json_option
def pause_all(as_json: bool) -> None:
    """Let nothing more go out of any sender, answers included; what is due waits.

    \b
    Example:
      tidings senders pause-all
    """
    count = manage_senders.pause_all(by=operator(), now=utcnow())
    say(
        {"paused": count},
        as_json,
        lambda: f"{count} sender(s) paused. Go on with: tidings senders resume-all",
    )


@senders.command("resume-all")
@json_option
def resume_all(as_json: bool) -> None:
    """Let the senders go on that `pause-all` paused; those paused for a reason of their own stay so.

    \b
    Example:
      tidings senders resume-all
    """
    ids = manage_senders.resume_all(by=operator(), now=utcnow())
    for sender_id in ids:
        for queue in (REPLIES, LANE):
            enqueue_lane(sender_id, queue)
    say({"resumed": len(ids)}, as_json, lambda: f"{len(ids)} sender(s) go on.")


@senders.command("price")
@click.argument("name")
@click.argument("price", type=str)
@click.argument("currency", default="")
@json_option
def price(name: str, price: str, currency: str, as_json: bool) -> None:
    """Say what a message (SMS: a part) of the sender NAME costs, for the reports; `none` when nobody knows.

    \b
    Example:
      tidings senders price news-us 0.0079 USD
    """
    try:
        amount = None if price == "none" else Decimal(price)
    except InvalidOperation as error:
        raise click.UsageError(f"“{price}” is no number. Example: 0.0079 USD") from error
    row = manage_senders.set_price(name, amount, currency.upper(), by=operator(), now=utcnow())
    said = {"name": row, "price": price, "currency": currency.upper()}
    say(said, as_json, lambda: f"{row}: {price} {currency.upper()}".strip())


@senders.command("rotate")
@click.argument("name")
@_setting
@json_option
def rotate_secrets(name: str, pairs: tuple[str, ...], as_json: bool) -> None:
    """Replace the settings given of the sender NAME, such as a new token; the others stay.

    \b
    Example:
      tidings senders rotate news-us --set auth_token=@token.txt
    """
    kind = _gateway(manage_senders.gateway_name(name))
    row = manage_senders.rotate_secrets(
        name,
        gateway=kind,
        settings=_settings(pairs, kind),
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    say(row, as_json, lambda: _table([row]))


@senders.command("deactivations")
@click.argument("name")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day of the list; else yesterday.")
@click.option("--dry-run", is_flag=True, help="Only count who of ours is on it.")
@json_option
def deactivations(name: str, day: datetime | None, dry_run: bool, as_json: bool) -> None:
    """Ask the provider of the sender NAME which US numbers were given back, and end what was agreed to there.

    The clock does it each day for senders with deactivations=yes. Reading a day again is harmless.

    \b
    Example:
      tidings senders deactivations news-us --date 2026-11-27 --dry-run
    """
    now = utcnow()
    wanted = (day or now - timedelta(days=1)).date()
    sender_id = manage_senders.id_of(name)
    try:
        found = read_day(sender_id, wanted, dry_run=dry_run, by=operator(), now=now)
    except CannotRead as error:
        raise Refused(f"The list of {wanted} could not be read: {error}") from error
    say(found, as_json, lambda: _given_back(found, dry_run))


def _accounts(rows: list[AccountRow]) -> str:
    return table(
        ("account", "per second together", "senders"),
        [(row.account, "no limit" if row.rate is None else row.rate, ", ".join(row.senders)) for row in rows],
        empty="No sender belongs to an account. Name one with: tidings senders set --help",
    )


def _given_back(found: GivenBack, dry_run: bool) -> str:
    would = "would be closed" if dry_run else "closed"
    odd = f", {found.unread} lines make no sense" if found.unread else ""
    return f"{found.day}: {found.numbers} numbers were given back{odd}; people of ours there: {found.people} {would}"


def _gateway(name: str) -> GatewayClass:
    try:
        return gateway_class(name)
    except BadSetting as error:
        raise Refused(str(error)) from error


def _settings(pairs: tuple[str, ...], gateway: GatewayClass) -> dict[str, str]:
    """Read what was given. `@` begins the name of a file only where a secret is due: some platforms have such names."""
    plain = {spec.name for spec in gateway.settings if not spec.secret}
    settings = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError("--set takes NAME=VALUE, such as --set from=+12025550100")
        settings[name] = _secret(value[1:]) if value.startswith("@") and name not in plain else value
    return settings


def _secret(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


def _table(rows: list[SenderRow]) -> str:
    return table(
        ("name", "gateway", "address", "per second", "base URL", "paused"),
        [(row.name, row.gateway, row.address, row.rate, row.base_url, row.paused_reason) for row in rows],
        empty="There is no sender yet. Add one with: tidings senders add --help",
    )
