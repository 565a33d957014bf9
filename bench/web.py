"""The web process of the product, and a provider that posts to it over connections that stay open."""

import contextlib
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from app.supervisor.guard import Guard
from app.supervisor.ports import free_ports
from bench.running import ROOT, RunFailed, environment, wait_until

CONNECTIONS = 32
SENDER_PATH = "/hooks/city-desk"
SHIPPED = "app.factory:create_app()"


def signed_post(url: str, form: dict[str, str], token: str, query: str = "") -> bytes:
    """One request as Twilio posts it to the sender's hook at `url`, with a signature of its own."""
    path, body = f"{SENDER_PATH}{query}", urlencode(form)
    signature = RequestValidator(token).compute_signature(url + path, form)
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def text_from(phone: str, words: str, *, to: str, account: str) -> dict[str, str]:
    """The form that says somebody texted."""
    sid = "SM" + secrets.token_hex(16)
    return {"MessageSid": sid, "AccountSid": account, "From": phone, "To": to, "Body": words}


def ask(line: socket.socket, one: bytes) -> bytes:
    """Post one request over an open connection and return the answer."""
    line.sendall(one)
    return _answer(line)


def connected(port: int) -> socket.socket:
    """Open a connection that sends at once."""
    line = socket.create_connection(("127.0.0.1", port), timeout=30)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def fire(port: int, requests: Sequence[bytes]) -> list[float]:
    """Post everything over some connections that stay open; returns how long each waited. Raises `RunFailed`."""
    waits: list[float] = []
    todo, door = iter(requests), threading.Lock()
    faults: list[str] = []

    def work() -> None:
        with connected(port) as line:
            while not faults:
                with door:
                    one = next(todo, None)
                if one is None:
                    return
                began = time.monotonic()
                answer = ask(line, one)
                waits.append(time.monotonic() - began)
                if b" 200 " not in answer[:20]:
                    faults.append(answer[:300].decode(errors="replace"))

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults or len(waits) != len(requests):
        raise RunFailed(f"Of {len(requests)} posts {len(waits)} were answered. {faults[:1]}")
    return waits


def _answer(line: socket.socket) -> bytes:
    """Read one answer with a Content-Length; shorter when the other side hangs up."""
    read = b""
    while True:
        head, end, body = read.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        if end and length and len(body) >= int(length[1]):
            return read
        more = line.recv(65536)
        if not more:
            return read
        read += more


@contextlib.contextmanager
def web(
    target: str, env: dict[str, str], token: str, guard: Guard, log: Path
) -> Iterator[tuple[int, int, str]]:
    """Run one web process with the shipped settings; yields port, process id and public address."""
    (port,) = free_ports(1, start=23000)
    url = f"http://127.0.0.1:{port}"
    own = {"PORT": str(port), "WEB_CONCURRENCY": "1", "PUBLIC_URL": url, "BENCH_TOKEN": token}
    with log.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "python:app.web_server", target],
            env=environment(env | own),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
    guard.watch(process.pid)
    try:
        wait_until(lambda: _listens(port), 30, process, log)
        yield port, process.pid, url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
