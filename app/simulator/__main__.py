"""Runs the simulator as a process of its own: `python -m app.simulator --port 8001 --state-file phones.json`."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from app.simulator.application import create_app
from app.simulator.later import Soon
from app.simulator.records import is_loopback_host
from app.simulator.server import Server
from app.simulator.snapshot import BadSnapshot, load, save
from app.simulator.streams import StreamServer, signal_daemon, smpp_centre, xmpp_server
from app.simulator.world import World


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
        server = Server(options.host, options.port, create_app(world, options.desk_url))
    except (BadSnapshot, OSError) as error:
        return _complain(options, error)
    _serve(world, [server, *streams], stop, f"http://{options.host}:{server.port}/")
    return 0


def _streams(world: World, options: argparse.Namespace) -> list[StreamServer]:
    """Return the servers of other protocols that are asked for."""
    found: list[StreamServer] = []
    for port, make in (
        (options.smpp_port, smpp_centre),
        (options.xmpp_port, xmpp_server),
        (options.signal_port, signal_daemon),
    ):
        if port is not None:
            found.append(make(world, options.host, port, Soon(options.receipt_delay)))
    for one in found:
        _say(f"{type(one).__name__}: port {one.port}")
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


def _complain(options: argparse.Namespace, error: Exception) -> int:
    taken = isinstance(error, OSError) and error.filename is None
    reason = (
        f"port {options.port} cannot be used ({error}); choose another with --port" if taken else str(error)
    )
    sys.stderr.write(f"simulator: {reason}\n")
    return 1


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
