"""`tidings senders`: add, list, pace, pause and resume the numbers, bots and accounts that we send from."""

from pathlib import Path

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.gateways.base import BadSetting, GatewayClass
from app.gateways.registry import GATEWAYS, build, gateway_class
from app.queue import LANE, REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import manage_senders
from app.services.controller import Refused
from app.services.manage_senders import SenderRow

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
    row = manage_senders.set_rate(name, rate, by=operator(), now=utcnow())
    say(row, as_json, lambda: _table([row]))


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
