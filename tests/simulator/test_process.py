"""The simulator as a process: starts with one line, stops at once and quietly, and remembers over a restart."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from app.simulator.__main__ import main
from app.simulator.records import Bubble
from app.simulator.snapshot import BadSnapshot, load, save
from app.simulator.world import World
from tests.simulator.support import ACCOUNT, ADA, NUMBER, TOKEN, sender

ROOT = Path(__file__).parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def run(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "app.simulator", *options]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ
        )
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Simulator ready: http://127.0.0.1:")
    return line.split(": ")[1].strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_time_even_with_a_silent_connection(start: Start, number: signal.Signals) -> None:
    process = start("--port", "0")
    base = address(process)
    requests.put(
        base + "control/senders",
        json={"number": NUMBER, "account_sid": ACCOUNT, "auth_token": TOKEN},
        timeout=5,
    ).close()
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(
            f"{base}2010-04-01/Accounts/{ACCOUNT}/Messages.json",
            data={"From": NUMBER, "To": "+447700900504", "Body": "Hello"},
            auth=(ACCOUNT, TOKEN),
            timeout=0.3,
        )

    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=10)

    assert time.monotonic() - began < 2
    assert (process.returncode, err) == (0, "")
    assert out.startswith("Simulator stopped")


def test_a_restart_goes_on_where_it_was(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "new" / "phones.json"
    first = start("--port", "0", "--state-file", str(file))
    base = address(first)
    requests.put(
        base + "control/senders",
        json={"number": NUMBER, "account_sid": ACCOUNT, "auth_token": TOKEN},
        timeout=5,
    ).close()
    first.terminate()
    first.communicate(timeout=10)

    second = start("--port", "0", "--state-file", str(file))
    state = requests.get(address(second) + "control/state", timeout=5)

    assert [each["number"] for each in state.json()["senders"]] == [NUMBER]


def test_a_port_that_is_taken_is_said_in_one_line(start: Start) -> None:
    port = address(start("--port", "0")).rstrip("/").rpartition(":")[2]

    _, err = (second := start("--port", port)).communicate(timeout=10)

    assert second.returncode == 1
    assert err.count("\n") == 1
    assert port in err
    assert "--port" in err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--host", "0.0.0.0"), "loopback only"),  # noqa: S104 (that it is refused is the point)
        (("--host", "::1"), "use 127.0.0.1"),
        (("--port", "70000"), "from 0 to 65535"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(
    options: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(list(options))

    assert caught.value.code == 2
    assert reason in capsys.readouterr().err


def test_everything_that_a_file_keeps_comes_back(tmp_path: Path) -> None:
    file, old, new = tmp_path / "phones.json", World(), World()
    old.state.put_sender(sender(rate=3.0, opt_out_mode="default"))
    old.state.opted_out.add((ADA, NUMBER))
    old.block(ADA, NUMBER, True)
    old.conversations.add(ADA, "in", NUMBER, "Grüße", 2)

    save(old, file)
    load(new, file)

    assert new.state.senders == old.state.senders
    assert (new.state.opted_out, new.state.handset_blocks) == ({(ADA, NUMBER)}, {(ADA, NUMBER)})
    kept: list[Bubble] = new.conversations.bubbles(ADA)
    assert kept == old.conversations.bubbles(ADA)
    assert new.conversations.version == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"senders": [{}]}', "\x00"])
def test_a_broken_file_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    file = tmp_path / "phones.json"
    file.write_text(text)

    with pytest.raises(BadSnapshot, match="delete it"):
        load(World(), file)


def test_a_file_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    world = World()

    load(world, tmp_path / "phones.json")

    assert world.state.all_senders() == ()


def test_the_servers_of_other_protocols_are_named_with_their_ports_before_it_is_ready(start: Start) -> None:
    process = start("--port", "0", "--smpp-port", "0", "--xmpp-port", "0", "--signal-port", "0")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]

    assert [one.partition(":")[0] for one in lines[:3]] == ["SmppServer", "XmppServer", "SignalDaemon"]
    assert lines[3].startswith("Simulator ready: ")
    port = int(lines[2].rpartition(" ")[2])
    assert requests.get(f"http://127.0.0.1:{port}/api/v1/check", timeout=5).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0


@pytest.mark.parametrize("option", ["--smpp-port", "--xmpp-port", "--signal-port"])
def test_a_port_that_is_taken_is_named(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", "0", option, str(taken.getsockname()[1])]) == 1
        assert f"choose another with {option}" in capsys.readouterr().err
