"""Runs the simulator as a process of its own: `python -m app.simulator --port 8001 --state-file phones.json`."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

from app.simulator.application import create_app
from app.simulator.later import Soon
from app.simulator.records import is_loopback_host
from app.simulator.server import Server
from app.simulator.snapshot import BadSnapshot, load, save
from app.simulator.streams import StreamServer, signal_daemon, smpp_centre, xmpp_server
from app.simulator.world import World

Made = TypeVar("Made")
STREAMS: Mapping[str, Callable[..., StreamServer]] = {
    "smpp_port": smpp_centre,
    "xmpp_port": xmpp_server,
    "signal_port": signal_daemon,
}


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return 0, or 1 with one line that says why it did not start."""
    options = _parse(arguments)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    world = World(pauses=(options.receipt_delay / 4, options.receipt_delay))
    try:
        _remember(world, options.state_file)
        streams = _streams(world, options)
        server = _listening("port", options, lambda port: _web(world, options, port))
    except (BadSnapshot, PortTaken, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    _serve(world, [server, *streams], stop, f"http://{options.host}:{server.port}/")
    return 0


class PortTaken(Exception):
    """A port cannot be used; the text says which and what to do."""


def _listening(name: str, options: argparse.Namespace, make: Callable[[int], Made]) -> Made:
    """Make the server whose port is this option. Raises `PortTaken`."""
    port = getattr(options, name)
    try:
        return make(port)
    except OSError as error:
        option = f"--{name.replace('_', '-')}"
        raise PortTaken(f"port {port} cannot be used ({error}); choose another with {option}") from error


def _web(world: World, options: argparse.Namespace, port: int) -> Server:
    return Server(options.host, port, create_app(world, options.desk_url))


def _streams(world: World, options: argparse.Namespace) -> list[StreamServer]:
    """Return the servers of other protocols that are asked for, and say where they listen. Raises `PortTaken`."""
    found: list[StreamServer] = []
    for name, make in STREAMS.items():
        if getattr(options, name) is not None:
            here = partial(make, world, options.host, later=Soon(options.receipt_delay))
            server = _listening(name, options, here)
            found.append(server)
            _say(f"{type(server).__name__}: port {server.port}")
    return found


def _serve(world: World, servers: Sequence[Server | StreamServer], stop: Event, address: str) -> None:
    world.start()
    for server in servers:
        server.start()
    _say(f"Simulator ready: {address}")
    stop.wait()
    left = world.stop()
    for server in servers:
        server.stop()
    world.remember()
    _say(f"Simulator stopped; {left} messages had receipts to come." if left else "Simulator stopped.")


def _remember(world: World, path: Path | None) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        load(world, path)
        world.remember = lambda: save(world, path)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", type=_loopback, help="a loopback address (127.0.0.1)")
    parser.add_argument("--port", default=8001, type=_port, help="0 takes a free one (8001)")
    parser.add_argument("--smpp-port", type=_port, help="where an SMS centre listens (none)")
    parser.add_argument("--xmpp-port", type=_port, help="where an XMPP server listens for components (none)")
    parser.add_argument("--signal-port", type=_port, help="where a daemon of signal-cli listens (none)")
    parser.add_argument("--desk-url", default="", help="where the editors' site is, for the link on the page")
    parser.add_argument(
        "--state-file", type=Path, help="keeps senders, blocks and conversations over a restart"
    )
    parser.add_argument(
        "--receipt-delay", default=0.3, type=float, help="seconds from `sent` to `delivered` (0.3)"
    )
    return parser.parse_args(arguments)


def _loopback(host: str) -> str:
    if not is_loopback_host(host) or ":" in host:
        raise argparse.ArgumentTypeError(
            f"{host}: the simulator listens on IPv4 loopback only; use 127.0.0.1"
        )
    return host


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
