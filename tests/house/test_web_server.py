"""The web server: one copy a port, a mistake is said before it serves, and no worker outlives its parent."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.supervisor.ports import free_ports, is_free
from bench import cpu

ROOT = Path(__file__).resolve().parents[2]
HELLO = "tests.house.hello:create_app"


def run(port: int, target: str = HELLO) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "app.web_server", target],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PORT": str(port), "WEB_CONCURRENCY": "2"},
    )


def within(seconds: float, port: int, *, free: bool) -> bool:
    """Wait until a port is free, or is not."""
    deadline = time.monotonic() + seconds
    while is_free(port) is not free and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_free(port) is free


@pytest.fixture
def port() -> int:
    return free_ports(start=20000 + os.getpid() % 2000)[0]


@pytest.fixture
def server(port: int) -> "Iterator[subprocess.Popen[str]]":
    process = run(port)
    assert within(20, port, free=False), "it never listened"
    yield process
    process.kill()
    process.communicate(timeout=10)


def test_it_answers_and_ends_in_an_orderly_way(port: int, server: "subprocess.Popen[str]") -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        assert answer.read() == b"hello"

    server.send_signal(signal.SIGTERM)

    assert server.wait(10) == 0
    assert is_free(port)


def test_a_second_copy_on_the_same_port_says_that_it_is_taken(
    port: int, server: "subprocess.Popen[str]"
) -> None:
    second = run(port)

    words, _ = second.communicate(timeout=20)

    assert second.returncode == 1
    assert words == f"Port {port} of 127.0.0.1 is taken. Stop what listens there, or set PORT to another.\n"


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death"
)
def test_no_worker_outlives_a_killed_server(port: int, server: "subprocess.Popen[str]") -> None:
    assert cpu.children(server.pid)

    server.kill()

    assert within(10, port, free=True), "a worker still listens"


def test_a_mistake_is_said_before_anything_is_served(port: int) -> None:
    broken = run(port, "tests.house.hello:no_such_function")

    words, _ = broken.communicate(timeout=20)

    assert broken.returncode == 1
    assert "no_such_function" in words
