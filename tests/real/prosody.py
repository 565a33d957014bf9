"""A Prosody of one's own on ports of this machine that are free: accounts of people, and our component."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.real.kannel import free_port

DOMAIN, NEWS, SECRET = "people.localhost", "news.localhost", "prosody-of-tests"

_CONFIG = """
daemonize = false
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ info = "{folder}/prosody.log" }}
interfaces = {{ "127.0.0.1" }}
local_interfaces = {{ "127.0.0.1" }}
component_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {clients} }}
s2s_ports = {{ }}
component_ports = {{ {components} }}
modules_enabled = {{ "roster", "saslauth", "presence", "message", "iq", "offline", "blocklist", "ping" }}
modules_disabled = {{ "s2s", "tls" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"

VirtualHost "{domain}"

Component "{news}"
    component_secret = "{secret}"
"""


def missing() -> str | None:
    """Say what this machine lacks, or None."""
    if find_spec("slixmpp") is None:
        return "there is no XMPP client here: pip install slixmpp"
    return None if shutil.which("prosody") else "Prosody is not installed: apt-get install prosody"


@dataclass(frozen=True)
class Prosody:
    """A running server. `clients` and `components` are ports."""

    clients: int
    components: int
    folder: Path

    def register(self, name: str, password: str) -> str:
        """Make an account; returns its address."""
        command = ["prosodyctl", "--root", "--config", str(self.folder / "prosody.cfg.lua")]
        subprocess.run(
            [*command, "register", name, DOMAIN, password], check=True, capture_output=True, timeout=30
        )
        return f"{name}@{DOMAIN}"


@contextmanager
def running_prosody(folder: Path, components: int | None = None) -> Iterator[Prosody]:
    """Start Prosody in `folder`, and stop it."""
    found = Prosody(free_port(), components or free_port(), folder)
    config = folder / "prosody.cfg.lua"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            clients=found.clients,
            components=found.components,
            domain=DOMAIN,
            news=NEWS,
            secret=SECRET,
        )
    )
    with (folder / "out.log").open("a") as output:
        process = subprocess.Popen(
            [str(shutil.which("prosody")), "-F", "--root", "--config", str(config)],
            stdout=output,
            stderr=output,
        )
        try:
            _wait(process, found.components)
            yield found
        finally:
            process.terminate()
            process.wait(10)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, f"Prosody ended with {process.returncode}"
        time.sleep(0.05)
    raise AssertionError(f"Prosody did not open port {port} in ten seconds")
