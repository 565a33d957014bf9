"""The root of the command line: which commands there are, and how a refusal or a missing setting is told."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click
from flask.cli import FlaskGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.commands.settings_file import BadSettingsFile, load_home_settings
from app.config import BadSettings
from app.domain.sealing import BadKey
from app.services.controller import Refused

if TYPE_CHECKING:
    from flask import Flask

# Command -> where it is, and its line in the help. Modules are loaded when they are called, so that each command
# starts as fast as its own needs allow.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("app.commands.run:demo", "Show the whole product on this machine, with phones on the screen."),
    "up": ("app.commands.run:up", "Run web, worker and clock on this machine."),
    "init": ("app.commands.run:init", "Make keys, settings and the database for a new installation."),
    "test": ("app.commands.run:test", "Run the tests of this version."),
    "gateways": ("app.commands.gateways:gateways", "The providers and platforms that senders can be on."),
    "senders": ("app.commands.senders_followers:senders", "Numbers, bots and accounts that we send from."),
    "lists": ("app.commands.notices:lists", "What people subscribe to."),
    "subscribers": ("app.commands.rights:subscribers", "Import, look up, export, opt out and erase people."),
    "suppressions": (
        "app.commands.suppressions:suppressions",
        "Addresses that must never be written to.",
    ),
    "consent": ("app.commands.consent:consent", "Show, prove, verify and rebuild consent."),
    "retention": ("app.commands.rights:retain", "How long personal data is kept, and what has gone."),
    "records": ("app.commands.rights:records", "Records that a supervisory authority asks for."),
    "broadcasts": ("app.commands.broadcasts:broadcasts", "Write, schedule, stop and report broadcasts."),
    "tickers": ("app.commands.tickers:tickers", "Live events that end by themselves."),
    "reports": (
        "app.commands.reports:reports",
        "What became of broadcasts and lists, as tables, CSV or JSON.",
    ),
    "feeds": ("app.commands.feeds:feeds", "Web sites that the news of a list comes from."),
    "moves": ("app.commands.moves:moves", "Moves of a list's people from one channel to another."),
    "rules": ("app.commands.rules:rules", "Broadcasts that repeat: show, pause, end, leave one out."),
    "segments": (
        "app.commands.segments:segments",
        "Rules that choose part of a list: how many people, and whom.",
    ),
    "users": ("app.commands.users:users", "People who sign in at the desk."),
    "words": ("app.commands.words:words", "What people can text, and words of your own."),
    "keywords": ("app.commands.keywords:keywords", "What a texted word means to us."),
    "hooks": ("app.commands.hooks:hooks", "What providers posted to us, kept to be read again."),
    "reconcile": (
        "app.commands.health:reconcile",
        "Bring back what a crash left behind, and wake the workers.",
    ),
    "doctor": ("app.commands.health:doctor", "Check this installation and say what to do."),
    "audit": ("app.commands.audit:audit", "Who did what at the desk and on the command line."),
    "keys": ("app.commands.keys:keys", "The master key: make one, take a new one into use."),
    "db": ("app.commands.database:database", "The schema of the database."),
}

_COMMAND: Final = "tidings.command"
# These make the settings that the others load.
_OWN_SETTINGS: Final = frozenset({"demo", "up", "init", "test"})


class Refusal(click.ClickException):
    """A reason told in one line (or one for each setting) on stderr; exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(self.message, file=file or sys.stderr)


class Root(FlaskGroup):
    """A Flask group without Flask's own options and commands, which loads our commands one by one."""

    def __init__(self, **extra: Any) -> None:
        super().__init__(
            create_app=_create_app,
            add_default_commands=False,
            add_version_option=False,
            load_dotenv=False,
            set_debug_flag=False,
            context_settings={"auto_envvar_prefix": None, "help_option_names": ["-h", "--help"]},
            **extra,
        )
        self.params = []

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_COMMAND] = args[0] if args else ""
        return click.Group.parse_args(self, ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it cannot do for a reason that people can mend becomes a `Refusal`."""
        try:
            if ctx.meta.get(_COMMAND) not in _OWN_SETTINGS:
                load_home_settings()
            return super().invoke(ctx)
        except BadSettings as error:
            raise Refusal(f"{error}\nOr run: tidings init") from error
        except (Refused, BadSettingsFile, BadKey) as error:
            raise Refusal(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            reason = str(error.orig).partition("\n")[0]
            raise Refusal(f"The database cannot do that: {reason}. Try: tidings doctor") from error
        except _redis_error() as error:
            raise Refusal(f"Redis cannot be reached: {error}. Try: tidings doctor") from error


def _create_app() -> "Flask":
    from app.factory import create_core

    return create_core()


def _redis_error() -> type[Exception]:
    """Only what went wrong otherwise comes here; few commands need Redis, and loading it takes its time."""
    from redis.exceptions import RedisError

    return RedisError


root = Root(
    name="tidings",
    help="Consent-managed broadcasts over messengers. Every command has --help with an example; "
    "those that tell something have --json.",
)
