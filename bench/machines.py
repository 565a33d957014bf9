"""Two worker machines that share PostgreSQL and Redis, and one of them is lost: still nobody twice, nobody lost.

A machine is a network namespace with a host name and process ids of its own; it reaches the servers over TCP only.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import make_url

from bench import verdicts
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.relay import relay
from bench.size import Size

ADDRESS = "10.213.0.1"
_PLANS = {Size.SMOKE: (2_500, 500), Size.NORMAL: (8_000, 500), Size.FULL: (20_000, 500)}
_DELAY_MS = 20
# What an idle worker says to Redis is less; a hundred messages are more.
_BUSY_BYTES = 40_000


def run(database: str, size: Size, seed: int) -> Finding:
    """Send with two machines, lose the first half-way; says so where machines cannot be made. Raises `RunFailed`."""
    people, per_second = _PLANS[size]
    why_not = impossible()
    if why_not:
        return Finding("two machines", database, f"NOT RUN: {why_not}", missed=("running at all",))
    with (
        _network(2) as machines,
        ground(database, people=people, delay_ms=_DELAY_MS, address=ADDRESS) as field,
    ):
        field.pace(per_second)
        with _servers(field) as env:
            broadcast_id = field.schedule()
            for number, machine in enumerate(machines):
                home = {"TIDINGS_HOME": str(field.directory / machine)}
                field.start(f"worker{number}", prefix=_inside(machine), env={**env, **home})
            field.start("clock")
            field.until_arrived(people // 2)
            sent = [_received_bytes(machine) for machine in machines]
            field.kill("worker0")
            field.until_settled(broadcast_id, 180)
            return _finding(field, broadcast_id, sent, database)


def _finding(field: Ground, broadcast_id: int, sent: list[int], database: str) -> Finding:
    arrivals, fates = field.sink.arrivals(), field.fates(broadcast_id)
    people = {number for number, _ in field.room.people}
    faults = verdicts.agreement(arrivals, fates, people)
    faults += [f"machine {at + 1} had no part in it" for at, count in enumerate(sent) if count < _BUSY_BYTES]
    unknown = sum(1 for fate in fates.values() if fate == "unknown")
    silence = verdicts.longest_silence(arrivals)
    facts = f"{len(people):,} people, both at work, one lost half-way; {unknown} unknown, {silence:.1f} s of silence"
    return Finding("two machines", database, facts, tuple(faults))


def impossible() -> str:
    """Why machines cannot be made here; empty when they can."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return "network namespaces need root, ip and unshare"
    tried = f"tidings-try-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", tried], capture_output=True, text=True, check=False)  # noqa: S607
    if done.returncode:
        return f"ip netns add says: {done.stderr.strip()[:150]}"
    _ip("netns", "del", tried)
    return ""


@contextlib.contextmanager
def _network(count: int) -> Iterator[list[str]]:
    """Make machines that reach this one at `ADDRESS`, and take them away again."""
    names = [f"tb{os.getpid()}m{number}" for number in range(1, count + 1)]
    with contextlib.ExitStack() as undo:
        _ip("address", "add", f"{ADDRESS}/32", "dev", "lo")
        undo.callback(_ip, "address", "del", f"{ADDRESS}/32", "dev", "lo")
        for number, name in enumerate(names, start=1):
            _ip("netns", "add", name)
            undo.callback(_ip, "netns", "del", name)
            _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("address", "add", f"10.213.{number}.1/24", "dev", name)
            _ip("link", "set", name, "up")
            _ip("-n", name, "address", "add", f"10.213.{number}.2/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "route", "add", "default", "via", f"10.213.{number}.1")
        yield names


@contextlib.contextmanager
def _servers(field: Ground) -> Iterator[Mapping[str, str]]:
    """Offer the servers' Unix sockets over TCP; yields the settings of a machine."""
    assert field.server is not None
    redis = field.room.env["REDIS_URL"].removeprefix("unix://")
    socket = f"{field.server.query['host']}/.s.PGSQL.5432"
    with relay(ADDRESS, redis) as redis_port, relay(ADDRESS, socket) as database_port:
        url = make_url(field.room.env["DATABASE_URL"]).set(host=ADDRESS, port=database_port, query={})
        yield {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "REDIS_URL": f"redis://{ADDRESS}:{redis_port}/0",
        }


def _inside(machine: str) -> list[str]:
    """The command that runs another on a machine, under its own host name; killed, it takes the other with it."""
    shell = f'hostname {machine} && exec "$@"'
    return [
        *("ip", "netns", "exec", machine),
        *("unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("sh", "-c", shell, "sh"),
    ]


def _received_bytes(machine: str) -> int:
    return int(Path(f"/sys/class/net/{machine}/statistics/rx_bytes").read_text())


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)  # noqa: S607
