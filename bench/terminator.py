"""TLS before the sink: haproxy, or where it is missing Python's own; with a certificate made for the run."""

import contextlib
import shutil
import socket
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.clock import utcnow
from app.supervisor.guard import Guard
from bench.fetched import run_command
from bench.running import RunFailed, process

HAPROXY, PYTHON = "haproxy", "Python's ssl"
_HOST = "127.0.0.1"
_PYTHON_PROCESSES = 2
_START_SECONDS = 10.0
# One thread, so that the other core is the client's. Bytes alone are carried: a connection there for each one here.
_CONFIG = """global
    nbthread 1
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen tls
    bind fd@{fd} ssl crt {certificate}
    server sink {sink}
"""


@dataclass(frozen=True)
class Terminator:
    """A running one: where it is, by what it is done, and the file of the certificate that its clients must trust."""

    url: str
    kind: str
    ca_file: Path


@contextlib.contextmanager
def terminator(
    directory: Path, sink_url: str, guard: Guard, *, haproxy: str = "haproxy"
) -> Iterator[Terminator]:
    """Carry TLS connections on to the sink; end it afterwards. Raises `RunFailed` when it does not start."""
    ca_file, with_key = make_certificate(directory)
    program = shutil.which(haproxy) or shutil.which(haproxy, path="/usr/sbin")
    with socket.create_server((_HOST, 0), backlog=1024) as listener, contextlib.ExitStack() as stack:
        fd, port, sink = listener.fileno(), listener.getsockname()[1], urlsplit(sink_url).netloc
        if program:
            config = directory / "haproxy.cfg"
            config.write_text(_CONFIG.format(fd=fd, certificate=with_key, sink=sink))
            kind, commands = _version(program), [[program, "-db", "-f", str(config)]]
        else:
            command = [sys.executable, "-m", "bench.tls_fallback", str(fd), str(with_key), sink]
            kind, commands = f"{PYTHON}, {_PYTHON_PROCESSES} processes", [command] * _PYTHON_PROCESSES
        logs = [directory / f"terminator{number}.log" for number in range(len(commands))]
        for command, log in zip(commands, logs, strict=True):
            stack.enter_context(process(command, env={}, guard=guard, log=log, keep=[fd]))
        _greet(port, ca_file, logs[0])
        yield Terminator(f"https://{_HOST}:{port}", kind, ca_file)


def _greet(port: int, ca_file: Path, log: Path) -> None:
    """The socket takes connections before anybody serves them; so ask for a handshake."""
    context = ssl.create_default_context(cafile=ca_file)
    try:
        with (
            socket.create_connection((_HOST, port), timeout=_START_SECONDS) as line,
            context.wrap_socket(line, server_hostname=_HOST),
        ):
            pass
    except OSError as error:
        last = log.read_text(errors="replace")[-2000:]
        raise RunFailed(f"The TLS terminator does not answer: {error}. {last}") from error


def _version(program: str) -> str:
    words = run_command([program, "-v"], HAPROXY).split()
    return f"{HAPROXY} {words[2].partition('-')[0]}"


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """Make a key and a certificate for this machine that vouches for itself, good for a day.

    Returns the file of the certificate, and one that has the key, too.
    """
    key, now = ec.generate_private_key(ec.SECP256R1()), utcnow()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tidings benchmark")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(_HOST))]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    ca_file, with_key = directory / "ca.pem", directory / "server.pem"
    ca_file.write_bytes(made)
    with_key.touch(mode=0o600)
    with_key.write_bytes(made + private)
    return ca_file, with_key
