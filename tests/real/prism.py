"""A Prism of one's own on a free port: it answers as an OpenAPI description says, and refuses what does not fit it."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.gateways.base import Call, Reply
from app.gateways.transport import CurlTransport
from tests.real.kannel import free_port

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "tests" / "data" / "specs"
HERE = ROOT / ".venv" / "prism" / "node_modules" / ".bin" / "prism"
"""Prism is a program for Node. `TEST_PRISM` names another."""


def program() -> str:
    """Return the program that is to be run."""
    return os.environ.get("TEST_PRISM") or str(HERE)


def missing() -> str | None:
    """Say what this machine lacks, or None."""
    if Path(program()).exists():
        return None
    return "Prism is not installed: npm install --prefix .venv/prism @stoplight/prism-cli@5"


@dataclass(frozen=True)
class Answer:
    """What came of a request: the reply, and what in the request does not fit the description."""

    reply: Reply
    faults: Sequence[str]


@dataclass(frozen=True)
class Prism:
    """A running server for one description."""

    url: str

    def ask(self, call: Call) -> Answer:
        """Send a call of a gateway over the transport that lanes use."""
        transport = CurlTransport(1)
        try:
            transport.submit(call)
            while not (done := transport.poll(1.0)):
                pass
        finally:
            transport.close()
        ((_, reply),) = done
        return Answer(reply, [str(one) for one in _violations(reply) if not _is_its_own(one)])


def _is_its_own(fault: dict[str, Any]) -> bool:
    """Its made-up answers do not always fit; and of a form it takes one value of a list for no list."""
    one_of_a_list = fault["location"] == ["body", "MediaUrl"] and fault["message"].endswith("must be array")
    return one_of_a_list or fault["location"][:1] == ["response"]


def _violations(reply: Reply) -> list[dict[str, Any]]:
    """A request that does not fit is told in the body, one whose made-up answer does not fit in a header."""
    told: list[dict[str, Any]] = json.loads(reply.headers.get("sl-violations") or "[]")
    if reply.status >= 400:
        problem = json.loads(reply.body or b"{}")
        told += problem.get("validation") or [{"location": ["request"], **problem}]
    return told


@contextmanager
def running_prism(spec: str) -> Iterator[Prism]:
    """Yield a server for one of our extracts; it ends with the block."""
    port = free_port()
    process = subprocess.Popen(
        [program(), "mock", "--port", str(port), str(SPECS / spec)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait(process)
        yield Prism(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _wait(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    deadline, words = time.monotonic() + 60, ""
    for line in process.stdout:
        words += line
        if "is listening" in line:
            return
        if time.monotonic() > deadline:
            break
    raise AssertionError(f"Prism did not start:\n{words}")
