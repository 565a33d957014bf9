"""`demo`, `up`, `init`, `test`: run the product, or its tests, on this machine."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import click
import requests

from app.clock import utcnow
from app.commands.settings_file import DEFAULT_HOME, FILE_NAME, read_settings, write_home_settings
from app.config import Settings, make_master_key
from app.services.controller import Refused
from app.supervisor.lock import AlreadyRunningError, stop_running
from app.supervisor.ports import NoFreePortError, free_ports
from app.supervisor.processes import load_procfile
from app.supervisor.redis import RedisUnavailableError
from app.supervisor.run import OnReady, serve

ROOT = Path(__file__).parents[2]
CLI = ROOT / "cli.py"
PROGRAM = "python3 cli.py" if Path(sys.argv[0]).name == "cli.py" else "tidings"
_NAMES = tuple(item.metadata["name"] for item in fields(Settings))


@click.command()
@click.option(
    "--smoke", is_flag=True, help="Walk the whole story without a person, then stop; 0 if all held."
)
@click.option("--stop", is_flag=True, help="Stop a demo that runs.")
@click.option("--port", default=8000, show_default=True, help="First port to try.")
@click.option("--logs", is_flag=True, help="Show what the processes print.")
def demo(smoke: bool, stop: bool, port: int, logs: bool) -> None:
    """Show the whole product on this machine, with phones on the screen.

    Needs no account anywhere; nothing leaves this machine. Data lies in var/demo.

    Example: python3 cli.py demo
    """
    home = Path(os.environ.get("TIDINGS_HOME") or Path(DEFAULT_HOME) / "demo").absolute()
    if stop:
        holder = stop_running(home, "demo")
        click.echo("stopped" if holder else "No demo is running.")
        return
    desk_port, phones_port = _ports(2, port)
    desk, phones = f"http://127.0.0.1:{desk_port}", f"http://127.0.0.1:{phones_port}"
    env = _environment(home, desk, TIDINGS_PHONES_URL=phones, TIDINGS_BRAND="City Desk")
    # The demo's senders are on HTTP; a process that waits for others would only take memory.
    commands = {name: command for name, command in _commands().items() if name != "connectors"} | {
        "simulator": f"{sys.executable} -m app.simulator --port {phones_port} --desk-url {desk}"
        f" --state-file {home / 'simulator.json'}"
    }

    def on_ready(_url: str) -> int | None:
        _introduce(home, desk, phones)
        if smoke:
            return _smoke(home, desk, phones, env)
        _greet(home, desk, phones)
        return None

    _serve(
        "demo",
        commands,
        home,
        env | {"PORT": str(desk_port)},
        desk,
        on_ready,
        logs=logs,
        simulator_url=phones,
    )


@click.command()
@click.option("--port", default=8000, show_default=True, help="First port to try.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 16), help="Processes that send."
)
@click.option(
    "--public-url", help="Address under which providers reach this machine; kept for the next start."
)
def up(port: int, workers: int, public_url: str | None) -> None:
    """Run web, worker and clock on this machine, with everything they need, until Ctrl-C.

    Keys and settings are made at the first start and kept in TIDINGS_HOME (var). What is exported wins.

    Example: tidings up --port 8080 --workers 2 --public-url https://news.example.org
    """
    home = _home()
    (desk_port,) = _ports(1, port)
    desk = f"http://127.0.0.1:{desk_port}"
    env = _environment(home, public_url, default_url=desk)
    commands = _commands()
    for extra in range(2, workers + 1):
        commands[f"worker{extra}"] = commands["worker"]

    def on_ready(url: str) -> None:
        click.echo(f"Tidings runs: {url}  (providers reach it at {env['PUBLIC_URL']})")
        click.echo(
            f'First time? Make a sign-in: {PROGRAM} users create EMAIL --name "Your name" --role admin'
        )
        click.echo("Ctrl-C stops everything.")

    _serve("tidings", commands, home, env | {"PORT": str(desk_port)}, desk, on_ready, logs=True)


@click.command()
@click.option(
    "--public-url", default="http://127.0.0.1:8000", show_default=True, help="Address for providers."
)
@click.option("--database-url", help="postgresql://… for service; without it a SQLite file in TIDINGS_HOME.")
@click.option("--redis-url", help="redis://… or unix://…; without it `up` starts its own.")
@click.option("--brand", help="Who is sending: named in every notice and reply.")
@click.option("--contact", help="Where people reach a human.")
@click.option("--privacy-url", help="Your privacy page.")
def init(public_url: str, **given: str | None) -> None:
    """Make keys, settings and the database for a new installation. Keeps what is there.

    Example: tidings init --public-url https://news.example.org --brand "Riverside News"
    """
    home = _home()
    names = {"brand": "TIDINGS_BRAND", "contact": "TIDINGS_CONTACT", "privacy_url": "TIDINGS_PRIVACY_URL"}
    chosen = {names.get(name, name.upper()): value for name, value in given.items() if value}
    env = _environment(home, public_url, **chosen)
    env.setdefault("REDIS_URL", f"unix://{home / 'redis.sock'}")
    _migrate(env)
    _keep(home, env)
    click.echo(
        f"Settings are in {home / FILE_NAME}; the database is ready. Keep a copy of MASTER_KEY elsewhere."
    )


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests of this version; what follows is passed to pytest.

    Example: python3 cli.py test -k consent
    """
    parallel = () if any(word.startswith("-n") for word in arguments) else ("-n", "auto")
    environment = {name: value for name, value in os.environ.items() if name not in _NAMES}
    code = subprocess.call(  # noqa: S603  (our own interpreter)
        [sys.executable, "-m", "pytest", *parallel, *arguments], cwd=ROOT, env=environment
    )
    sys.exit(code)


def _home() -> Path:
    return Path(os.environ.get("TIDINGS_HOME") or DEFAULT_HOME).absolute()


def _ports(count: int, start: int) -> list[int]:
    try:
        return free_ports(count, start=start)
    except NoFreePortError as error:
        raise Refused(str(error)) from error


def _commands() -> dict[str, str]:
    commands = load_procfile(ROOT / "Procfile")
    return {name: command for name, command in commands.items() if name != "release"}


def _environment(home: Path, public_url: str | None, default_url: str = "", **more: str) -> dict[str, str]:
    """Return the environment of an installation: what is exported, then what was kept, then fresh keys."""
    kept = read_settings(home / FILE_NAME)
    env = dict(os.environ) | {"TIDINGS_HOME": str(home)}
    fresh = {
        "SECRET_KEY": secrets.token_hex(32),
        "MASTER_KEY": make_master_key(),
        "DATABASE_URL": f"sqlite:///{home / 'tidings.db'}",
    }
    for name, value in (fresh | kept).items():
        if name != "REDIS_URL":  # found anew at each start
            env.setdefault(name, value)
    env |= more
    if public_url:
        env["PUBLIC_URL"] = public_url
    env.setdefault("PUBLIC_URL", default_url)
    home.mkdir(parents=True, exist_ok=True)
    return env


def _keep(home: Path, env: Mapping[str, str]) -> None:
    write_home_settings(home / FILE_NAME, {name: env[name] for name in _NAMES if env.get(name)})


def _migrate(env: Mapping[str, str], simulator_url: str | None = None) -> None:
    from flask_migrate import upgrade

    from app.demo.seed import seed
    from app.factory import create_core, init_migrations
    from app.runtime import runtime

    app = create_core(Settings.from_env(env))
    init_migrations(app)
    with app.app_context():
        upgrade()
        if simulator_url:
            home = runtime().settings.home
            seed(home, simulator_url=simulator_url, controller=runtime().controller, now=utcnow())


def _serve(
    name: str,
    commands: Mapping[str, str],
    home: Path,
    env: Mapping[str, str],
    url: str,
    on_ready: OnReady,
    *,
    logs: bool,
    simulator_url: str | None = None,
) -> None:
    def prepare(found: Mapping[str, str]) -> None:
        _migrate(found, simulator_url)
        _keep(home, found)

    try:
        code = serve(
            name,
            commands,
            home=home,
            env=env,
            ready_url=f"{url}/health",
            on_ready=on_ready,
            prepare=prepare,
            cwd=ROOT,
            output=sys.stdout if logs else None,
        )
    except (AlreadyRunningError, RedisUnavailableError) as error:
        raise Refused(str(error)) from error
    sys.exit(code)


def _introduce(home: Path, desk: str, phones: str) -> None:
    """Tell the simulator which number and which accounts are ours, and where their webhooks go."""
    from app.demo.seed import simulator_accounts, simulator_sender

    accounts = [("accounts", account) for account in simulator_accounts(home, desk)]
    for path, ours in [("senders", simulator_sender(home, desk)), *accounts]:
        requests.put(f"{phones}/control/{path}", json=ours, timeout=10).raise_for_status()


def _greet(home: Path, desk: str, phones: str) -> None:
    from app.demo.seed import sign_in

    email, password = sign_in(home)
    click.echo(
        f"""
Tidings runs on this machine, with a simulated provider and a thousand subscribers.

  Phones   {phones}
  Desk     {desk}
           sign in as {email} with {password}

Three things to try
  1. On the phones, text START, by SMS, Telegram, WhatsApp or LINE: you are welcomed, and your consent is in the ledger.
  2. At the desk, write a broadcast to City News and send it now: watch it arrive, and the report fill.
  3. Text STOP from a phone. Then print the proof of its consent:
     python3 cli.py consent prove "+1 202 555 0143" --out proof.html

Ctrl-C stops everything.
"""
    )


def _smoke(home: Path, desk: str, phones: str, env: Mapping[str, str]) -> int:
    from app.demo.front_door import StoryFailed
    from app.demo.stage import Stage
    from app.demo.story import PHONES, play

    bare = {name: value for name, value in env.items() if name not in _NAMES} | {"TIDINGS_HOME": str(home)}
    try:
        play(
            Stage(desk, phones, home, bare, CLI, secrets.choice(PHONES)), lambda line: click.echo(f"  {line}")
        )
    except StoryFailed as failure:
        click.echo(f"FAILED: {failure}", err=True)
        return 1
    click.echo("The whole story held.")
    return 0
