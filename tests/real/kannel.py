"""A Kannel of one's own: bearerbox, smsbox and its own fake SMS centre, on ports of this machine that are free."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote_to_bytes

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
USER, PASSWORD = "tidings", "kannel-of-tests"

_CONFIG = """
group = core
admin-port = {admin}
admin-password = {password}
admin-interface = 127.0.0.1
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
store-type = file
store-location = {folder}/store

{centre}

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log

group = sendsms-user
username = {user}
password = {password}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = yes
max-messages = 0
get-url = "{hook}&id=%I&sender=%p&to=%P&text=%a&coding=%c"
"""

_FAKE = """
group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
port = {port}
connect-allow-ip = 127.0.0.1
"""
_SMPP = """
group = smsc
smsc = smpp
smsc-id = smpp
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = {user}
smsc-password = {password}
system-type = ""
"""


def missing() -> str | None:
    """Say what this machine lacks, or None."""
    if not shutil.which("bearerbox", path="/usr/sbin:/usr/bin:/bin"):
        return "Kannel is not installed: apt-get install kannel kannel-extras"
    return (
        None
        if FAKESMSC.exists()
        else "Kannel's fake SMS centre is not installed: apt-get install kannel-extras"
    )


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Kannel:
    """A running Kannel. `url` is where it takes messages."""

    url: str
    folder: Path
    _centre: "subprocess.Popen[str]"

    def text(self, sender: str, receiver: str, words: str) -> None:
        """Somebody texts us, over the SMS centre."""
        assert self._centre.stdin is not None
        self._centre.stdin.write(f"{sender} {receiver} text {words}\n")
        self._centre.stdin.flush()

    def holds(self, words: str, encoding: str = "ascii") -> bool:
        """Tell whether the SMS centre was given these words, written in an encoding of the network."""
        seen = unquote_to_bytes((self.folder / "centre.log").read_text(errors="replace").replace("+", " "))
        return words.encode(encoding) in seen


@contextmanager
def running_kannel(folder: Path, hook: str) -> Iterator[Kannel]:
    """Start Kannel in `folder` with its fake centre; texts of people are brought to the address `hook`."""
    port = free_port()
    with _boxes(folder, hook, _FAKE.format(port=port)) as url, (folder / "centre.log").open("w") as seen:
        command = [str(FAKESMSC), "-H", "127.0.0.1", "-r", str(port)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=seen, stderr=seen, text=True)
        try:
            yield Kannel(url, folder, process)
        finally:
            _stop(process)


@contextmanager
def kannel_over_smpp(folder: Path, hook: str, port: int, user: str, password: str) -> Iterator[str]:
    """Start Kannel in `folder` as a client of the SMS centre at `port`; gives the address where it takes messages."""
    with _boxes(folder, hook, _SMPP.format(port=port, user=user, password=password)) as url:
        yield url


@contextmanager
def _boxes(folder: Path, hook: str, centre: str) -> Iterator[str]:
    ports = {name: free_port() for name in ("admin", "boxes", "sendsms")}
    config = folder / "kannel.conf"
    config.write_text(
        _CONFIG.format(folder=folder, hook=hook, user=USER, password=PASSWORD, centre=centre, **ports)
    )
    with ExitStack() as stack:
        quiet = stack.enter_context((folder / "out.log").open("w"))
        _start(stack, ["/usr/sbin/bearerbox", str(config)], ports["boxes"], quiet)
        _start(stack, ["/usr/sbin/smsbox", str(config)], ports["sendsms"], quiet)
        yield f"http://127.0.0.1:{ports['sendsms']}"


def _start(stack: ExitStack, command: list[str], port: int, output: IO[str]) -> None:
    process = subprocess.Popen(command, stdout=output, stderr=output)
    stack.callback(_stop, process)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
        time.sleep(0.05)
    raise AssertionError(f"{command[0]} did not open port {port} in ten seconds")


def _stop(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
