"""Keeps one connector process running for each sender whose gateway has a connection of its own."""

import signal
import subprocess
import sys
import threading

import click
import structlog
from sqlalchemy import select

from app.gateways.registry import GATEWAYS
from app.storage.database import transaction
from app.storage.models import Sender

LOOK_SECONDS = 5.0
GRACE_SECONDS = 10.0

log = structlog.get_logger(__name__)


def run() -> None:
    """Look every five seconds which connectors are missing, until SIGTERM or SIGINT; then end them all."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        while not stop.is_set():
            _look_after(running, senders_with_connection())
            stop.wait(LOOK_SECONDS)
    finally:
        _end(running)


def senders_with_connection() -> list[str]:
    """Return the names of the senders that need a connector."""
    streaming = [name for name, found in GATEWAYS.items() if found.capabilities().connection == "stream"]
    with transaction() as session:
        rows = select(Sender.name).where(Sender.gateway.in_(streaming)).order_by(Sender.name)
        return list(session.scalars(rows))


def sender_named(name: str) -> int:
    """Return the id of a sender that needs a connector; raises a usage error naming those that there are."""
    names = senders_with_connection()
    if name not in names:
        raise click.UsageError(f"{name} needs no connector. Senders that do: {', '.join(names) or 'none'}.")
    with transaction() as session:
        return session.scalars(select(Sender.id).where(Sender.name == name)).one()


def _look_after(running: dict[str, "subprocess.Popen[bytes]"], wanted: list[str]) -> None:
    for name, process in list(running.items()):
        if process.poll() is not None:
            log.warning("a connector has ended", sender=name, code=process.returncode)
            del running[name]
    for name in wanted:
        if name not in running:
            # The name is a sender's: small letters, digits and hyphens.
            running[name] = subprocess.Popen([sys.executable, "-m", "workers", "connector", name])  # noqa: S603


def _end(running: dict[str, "subprocess.Popen[bytes]"]) -> None:
    for process in running.values():
        process.terminate()
    for process in running.values():
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
