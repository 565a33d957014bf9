"""A peer: Kannel 1.4 (smsbox, bearerbox), which takes messages over HTTP and hands them to a provider over HTTP."""

import contextlib
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from app.gateways.base import Call
from app.gateways.transport import DEFAULT_CONNECTIONS, CurlTransport
from app.supervisor.guard import Guard
from bench.running import CpuMeter, MemoryMeter, Run, RunFailed, first_to_last, process, wait_until
from bench.sdk import TEXT
from bench.sink import Account, Sink

FOLDER = Path("/usr/sbin")
_SLOWEST_PER_SECOND = 50.0
_START_SECONDS = 15.0
# Kannel waits for ten answers at once by itself; with as many as our own connections it is faster.
_CONFIG = """
group = core
admin-port = {admin}
admin-password = {password}
admin-interface = 127.0.0.1
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 2
store-type = file
store-location = {folder}/store

group = smsc
smsc = http
smsc-id = sink
system-type = generic
port = {receipts}
connect-allow-ip = 127.0.0.1
max-pending-submits = {pending}
send-url = "{send_url}?To=%p&From=%P&Body=%a"
status-success-regex = "queued"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = 2

group = sendsms-user
username = bench
password = {password}
"""


def missing() -> str | None:
    """Say what this machine lacks, or None."""
    if all((FOLDER / name).exists() for name in ("bearerbox", "smsbox")):
        return None
    return f"Kannel is not installed: no bearerbox in {FOLDER} (apt-get install kannel)"


def version() -> str:
    """What Kannel calls itself, as "1.4.5"."""
    done = subprocess.run([FOLDER / "bearerbox", "--version"], capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).partition("version")[2].split()
    return words[0].strip("`'.\"") if words else "of unknown version"


@dataclass(frozen=True)
class KannelPeer:
    """Kannel against the sink."""

    sink: Sink
    account: Account
    number: str
    directory: Path
    guard: Guard

    def measure(self, people: Sequence[tuple[str, str]]) -> Run:
        """Send to `people` (number, token), and time it from the first arrival at the sink to the last.

        What smsbox has accepted counts for nothing before it has left. CPU time and memory are of both boxes.
        """
        with self._boxes() as (url, pids, log):
            self.sink.reset()
            with MemoryMeter(*pids) as memory:
                meter = CpuMeter(*pids)
                self._feed(url, people)
                most = 30 + len(people) / _SLOWEST_PER_SECOND
                wait_until(lambda: self.sink.stats().total >= len(people), most, log=log)
                spent = meter.spent()
        return first_to_last(self.sink.stats(), people, cpu_seconds=spent, memory_mb=memory.most)

    def _feed(self, url: str, people: Sequence[tuple[str, str]]) -> None:
        """Bring every message to smsbox. Raises `RunFailed` when it refuses one."""
        transport, refused, answered = CurlTransport(DEFAULT_CONNECTIONS), 0, 0
        waiting = iter([f"{url}&{urlencode({'to': to, 'text': TEXT.format(token)})}" for to, token in people])
        try:
            while answered < len(people):
                while transport.free and (address := next(waiting, None)) is not None:
                    transport.submit(Call("GET", address, b""))
                replies = transport.poll(0.05)
                answered += len(replies)
                refused += sum(1 for _, reply in replies if reply.status != 202)
        finally:
            transport.close()
        if refused:
            raise RunFailed(f"Kannel did not accept {refused} of {len(people)} messages.")

    @contextlib.contextmanager
    def _boxes(self) -> Iterator[tuple[str, tuple[int, int], Path]]:
        """Start both; gives where messages go, their process ids, and the log of the first."""
        password, ports = secrets.token_hex(8), _free_ports("admin", "boxes", "receipts", "sendsms")
        with tempfile.TemporaryDirectory(dir=self.directory) as folder, contextlib.ExitStack() as stack:
            config, log = Path(folder) / "kannel.conf", Path(folder) / "bearerbox.log"
            config.write_text(self._config(folder, password, ports))
            pids = tuple(
                self._start(
                    stack, [str(FOLDER / name), str(config)], ports[port], Path(folder) / f"{name}.out"
                )
                for name, port in (("bearerbox", "boxes"), ("smsbox", "sendsms"))
            )
            account = urlencode({"username": "bench", "password": password, "from": self.number})
            yield f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms?{account}", (pids[0], pids[1]), log

    def _start(self, stack: contextlib.ExitStack, command: Sequence[str], port: int, log: Path) -> int:
        running = stack.enter_context(process(command, env={}, guard=self.guard, log=log))
        wait_until(lambda: _listens(port), _START_SECONDS, running, log)
        return running.pid

    def _config(self, folder: str, password: str, ports: dict[str, int]) -> str:
        sid, token = self.account.sid, self.account.auth_token
        send_url = (
            f"http://{sid}:{token}@{urlsplit(self.sink.url).netloc}/2010-04-01/Accounts/{sid}/Messages.json"
        )
        return _CONFIG.format(
            folder=folder, password=password, send_url=send_url, pending=DEFAULT_CONNECTIONS, **ports
        )


def _free_ports(*names: str) -> dict[str, int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return {name: int(one.getsockname()[1]) for name, one in zip(names, sockets, strict=True)}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
