"""The web server: `python -m app.web_server app.factory:create_app` serves what that makes, on 127.0.0.1 and PORT.

Granian reads HTTP outside of Python: of a burst of receipts it takes several times as many a second as a server
written in Python, with one process (docs/adr/0020).
"""

import os
import sys
from importlib import import_module
from wsgiref.types import WSGIApplication

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app.supervisor.parents import die_with_parent
from app.supervisor.ports import is_free

HOST = "127.0.0.1"
# A receipt waits for the commit that it shares with others: so many may wait together in each process.
THREADS = 32
# The supervisor waits five seconds for everybody; requests in hand get four of them.
GRACEFUL_SECONDS = 4

_loaded: dict[str, WSGIApplication] = {}


def load(target: str) -> WSGIApplication:
    """Return what the function `module:name` makes. A forked process takes over what its parent has made."""
    if target not in _loaded:
        module, _, name = target.partition(":")
        _loaded[target] = getattr(import_module(module), name)()
    return _loaded[target]


def serve(target: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises `SystemExit` with the reason when the port is taken.

    Granian shares its port with whoever asks: without this look two copies would each get half of the requests.
    """
    if not is_free(port):
        sys.exit(f"Port {port} of {HOST} is taken. Stop what listens there, or set PORT to another.")
    load(target)  # once, and any mistake in the settings is said here; no connection is open before the fork
    Granian(
        target,
        address=HOST,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        websockets=False,
        log_level=LogLevels.error,  # its only warning is that the threads are many for these cores; they wait
        respawn_failed_workers=True,
        workers_kill_timeout=GRACEFUL_SECONDS,
    ).serve(target_loader=_load_in_worker)


def _load_in_worker(target: str) -> WSGIApplication:
    die_with_parent()
    return load(target)


if __name__ == "__main__":
    serve(sys.argv[1], int(os.environ.get("PORT", "8000")), int(os.environ.get("WEB_CONCURRENCY", "2")))
