"""`python -m workers worker [--queue lane|replies]`, `connectors`, `connector NAME` and `clock`."""

import sys

import click

# structlog loads rich where that is installed (it comes with the desk's limiter) and draws tracebacks with it, which no
# worker does. None says to Python that there is no such module: 4 MB less in each process.
sys.modules["rich"] = None  # type: ignore[assignment]

# ruff: noqa: E402
from app.config import BadSettings
from app.factory import create_core
from app.queue import LANE, QUEUES
from workers import clock as clock_process
from workers import connector as connector_process
from workers import connectors as connectors_process
from workers import worker as worker_process
from workers.connectors import sender_named
from workers.keeper import in_a_kept_process


@click.group()
def main() -> None:
    """Processes behind the desk."""


@main.command()
@click.option(
    "--queue", type=click.Choice(QUEUES), default=LANE, show_default=True, help="Which queue to work."
)
def worker(queue: str) -> None:
    """Hand over broadcasts (queue lane) or answers (queue replies)."""
    app = create_core()
    in_a_kept_process()
    with app.app_context():
        worker_process.run(queue)


@main.command()
@click.argument("name")
def connector(name: str) -> None:
    """Carry everything of the sender NAME, whose gateway keeps a connection (Signal, SMPP, XMPP)."""
    with create_core().app_context():
        connector_process.run(sender_named(name))


@main.command()
def connectors() -> None:
    """Keep a connector running for each sender that needs one."""
    with create_core().app_context():
        connectors_process.run()


@main.command()
def clock() -> None:
    """Open what is due and wake the workers, every second."""
    app = create_core()
    with app.app_context():
        clock_process.run(app)


if __name__ == "__main__":
    try:
        main(prog_name="python -m workers")
    except BadSettings as error:
        sys.exit(str(error))
