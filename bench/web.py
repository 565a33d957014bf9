"""The web process of the product, and a provider that posts to it over connections that stay open."""

import contextlib
import itertools
import re
import secrets
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from app.supervisor.guard import Guard
from app.supervisor.ports import free_ports
from bench.running import ROOT, RunFailed, environment, wait_until

CONNECTIONS = 32
SENDER_PATH = "/hooks/city-desk"
SHIPPED = "app.factory:create_app"


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
    """Post everything over some connections that stay open; returns how long each waited. Raises `RunFailed`.

    One thread for all of them: so the provider takes as little as possible of the machine that the server runs on.
    """
    waits: list[float] = []
    todo = iter(requests)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as ready:
        for one in itertools.islice(todo, CONNECTIONS):
            line = stack.enter_context(connected(port))
            ready.register(line, selectors.EVENT_READ, _Waiting.for_answer_to(one, line))
        while ready.get_map():
            for key, _ in ready.select(30) or _nobody_answers(len(waits), len(requests)):
                waiting: _Waiting = key.data
                if not waiting.read(waits):
                    continue
                following = next(todo, None)
                if following is None:
                    ready.unregister(key.fileobj)
                else:
                    waiting.post(following)
    return waits


def _nobody_answers(count: int, of: int) -> list[tuple[selectors.SelectorKey, int]]:
    raise RunFailed(f"Of {of} posts {count} were answered, and then nothing came for 30 seconds.")


@dataclass
class _Waiting:
    """A connection with one request on its way."""

    line: socket.socket
    began: float = 0.0
    seen: bytes = b""

    @classmethod
    def for_answer_to(cls, request: bytes, line: socket.socket) -> Self:
        made = cls(line)
        made.post(request)
        return made

    def post(self, request: bytes) -> None:
        self.seen, self.began = b"", time.monotonic()
        self.line.sendall(request)

    def read(self, waits: list[float]) -> bool:
        """Read what there is; tells whether the answer is complete."""
        more = self.line.recv(65536)
        self.seen += more
        if not _is_complete(self.seen) and more:
            return False
        if b" 200 " not in self.seen[:20]:
            raise RunFailed(f"A post was answered with {self.seen[:300]!r}")
        waits.append(time.monotonic() - self.began)
        return True


def _is_complete(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(end and length and len(body) >= int(length[1]))


def _answer(line: socket.socket) -> bytes:
    """Read one answer with a Content-Length; shorter when the other side hangs up."""
    read = b""
    while not _is_complete(read):
        more = line.recv(65536)
        if not more:
            break
        read += more
    return read


@contextlib.contextmanager
def web(
    target: str, env: dict[str, str], token: str, guard: Guard, log: Path
) -> Iterator[tuple[int, int, str]]:
    """Run one web process with the shipped settings; yields port, process id and public address."""
    # Each looks from a place of its own: two that start at once would find the same port free, and both may have it.
    (port,) = free_ports(1, start=23_000 + secrets.randbelow(6_000))
    url = f"http://127.0.0.1:{port}"
    own = {"PORT": str(port), "WEB_CONCURRENCY": "1", "PUBLIC_URL": url, "BENCH_TOKEN": token}
    with log.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.web_server", target],
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
