"""`tidings gateways`: which providers and platforms there are, what each can do, and which settings it needs."""

from collections.abc import Mapping
from dataclasses import dataclass

import click

from app.commands.output import json_option, say, table
from app.commands.settings_file import settings_file
from app.domain.media.kinds import kind_of
from app.domain.messages import ErrorKind
from app.gateways.base import Capabilities, GatewayClass, SettingSpec
from app.gateways.code_tables import BadCodes, overrides_of, use_folder, version_of
from app.gateways.registry import GATEWAYS
from app.services.controller import Refused


@dataclass(frozen=True)
class GatewayRow:
    """One gateway: its word for `--gateway`, what it can do, and the settings of a sender on it."""

    name: str
    capabilities: Capabilities
    settings: tuple[SettingSpec, ...]
    codes: "CodesRow"


@dataclass(frozen=True)
class CodesRow:
    """The table of its error codes: of which day, empty where it has none, and what the operator changed."""

    version: str
    changed: Mapping[str, ErrorKind]


@click.command("gateways")
@json_option
def gateways(as_json: bool) -> None:
    """List the gateways that `senders add --gateway` knows, with their settings.

    \b
    Example:
      tidings gateways --json
    """
    try:
        use_folder(settings_file().parent / "codes")
    except BadCodes as error:
        raise Refused(str(error)) from error
    rows = [_row(found) for _, found in sorted(GATEWAYS.items())]
    say(rows, as_json, lambda: _table(rows))


def _row(found: GatewayClass) -> GatewayRow:
    codes = CodesRow(version_of(found.name), overrides_of(found.name))
    return GatewayRow(found.name, found.capabilities(), found.settings, codes)


def _table(rows: list[GatewayRow]) -> str:
    headings = ("gateway", "channel", "text", "per request", "per second", "files", "hears", "settings")
    shown = table(headings, [_cells(row) for row in rows], empty="there is no gateway")
    helped = [(row.name, spec) for row in rows for spec in row.settings if spec.help]
    lines = [f"{name} {spec.name}={spec.example}: {spec.help}" for name, spec in helped]
    changed = [(row.name, *pair) for row in rows for pair in row.codes.changed.items()]
    lines += [f"{name} code {code}: {kind.value}, by a file of yours" for name, code, kind in changed]
    return "\n".join([shown, *lines])


def _files(can: Capabilities) -> str:
    """Kinds of files, in one order."""
    kinds = {kind_of(mime).value for rule in can.media for mime in rule.types}
    return " ".join(sorted(kinds)) or "none"


def _cells(row: GatewayRow) -> tuple[object, ...]:
    can = row.capabilities
    heard = sorted({signal.value for signal in can.signals} | {status.value for status in can.receipts})
    return (
        row.name,
        can.channel,
        f"{can.max_text} {can.text_unit}",
        can.max_batch,
        f"{can.default_rate:g} {can.rate_unit}s",
        _files(can),
        " ".join(heard) or "nothing",
        " ".join(spec.name if spec.required else f"[{spec.name}]" for spec in row.settings),
    )
