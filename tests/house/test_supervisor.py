"""What `tidings demo` and `tidings up` promise about processes: all run, all stop, none survives."""

import importlib.util
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from app.supervisor.lock import AlreadyRunningError, hold_lock, running, stop_running
from app.supervisor.ports import free_ports
from app.supervisor.processes import load_procfile
from app.supervisor.redis import RedisUnavailableError, embedded_redis

ROOT = Path(__file__).resolve().parents[2]
WEB = "exec python -m http.server --bind 127.0.0.1 $PORT"
SLEEPER = "exec python -c 'import time; time.sleep(60)'"
DEAF = "exec python -c 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); time.sleep(60)'"


class Supervisor:
    """A `serve` in a process of its own, and how to look at it."""

    def __init__(self, home: Path, **options: object) -> None:
        self.home = home
        self.port = free_ports(start=18000 + os.getpid() % 2000)[0]
        arguments = json.dumps({"port": self.port} | options)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.house.serve_fake", str(home), arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=os.environ | {"TIDINGS_TEST_MARK": str(home), "HOME": str(home.parent)},
        )

    def wait_for(self, words: str) -> str:
        assert self.process.stdout is not None
        seen = ""
        for line in self.process.stdout:
            seen += line
            if words in line:
                return seen
        pytest.fail(f"it ended without saying {words!r}:\n{seen}")

    def rest(self) -> str:
        return self.process.communicate(timeout=30)[0]

    def descendants(self) -> list[int]:
        """Every process that was started from ours, by the mark in its environment."""
        mark = f"TIDINGS_TEST_MARK={self.home}".encode()
        return [pid for pid in _pids() if mark in _environment(pid) and pid != self.process.pid]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    started = []

    def begin(**options: object) -> Supervisor:
        supervisor = Supervisor(tmp_path / "home", **options)
        started.append(supervisor)
        return supervisor

    yield begin
    for supervisor in started:
        # Asked first: killed between starting a command and naming it to its watchman, it would leave it behind.
        supervisor.process.terminate()
        try:
            supervisor.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            supervisor.process.kill()
            supervisor.process.communicate(timeout=20)


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="looks for processes in /proc"
)


@needs_proc
def test_ctrl_c_stops_everything_and_says_so(start):
    supervisor = start(commands={"web": WEB, "worker": SLEEPER})
    supervisor.wait_for("ready http://127.0.0.1")
    while_it_ran = len(supervisor.descendants())

    supervisor.process.send_signal(signal.SIGINT)

    assert supervisor.rest().endswith("stopped cleanly\n")
    assert supervisor.process.returncode == 0
    assert while_it_ran >= 4  # web, worker, Redis, the watchman
    assert supervisor.descendants() == []


@needs_proc
def test_killing_the_supervisor_leaves_no_process(start):
    supervisor = start(commands={"web": WEB, "worker": SLEEPER})
    supervisor.wait_for("ready")

    supervisor.process.kill()

    assert eventually(lambda: supervisor.descendants() == [])


@needs_proc
@pytest.mark.slow
def test_killing_the_supervisor_ends_even_what_ignores_the_request_to_stop(start):
    supervisor = start(commands={"web": WEB, "deaf": DEAF})
    supervisor.wait_for("ready")

    supervisor.process.kill()

    assert eventually(lambda: supervisor.descendants() == [])


@needs_proc
@pytest.mark.slow
def test_a_command_that_ignores_the_request_to_stop_is_killed(start):
    supervisor = start(commands={"deaf": DEAF, "deafer": DEAF}, echo=True)
    for _ in range(2):
        supervisor.wait_for("| 1")

    supervisor.process.terminate()
    supervisor.rest()

    assert supervisor.process.returncode == 0
    assert supervisor.descendants() == []


def test_the_environment_is_prepared_before_anything_starts(start):
    supervisor = start(commands={"web": WEB}, answer=0)

    said = supervisor.rest()

    first, second, last = said.splitlines()
    assert first.startswith("prepared unix://")
    assert second.startswith("ready")
    assert last == "stopped cleanly"


def test_a_number_from_on_ready_is_the_exit_code(start):
    supervisor = start(commands={"web": WEB}, answer=3)

    supervisor.rest()

    assert supervisor.process.returncode == 3


def test_a_command_that_ends_by_itself_is_named_with_its_last_words(start):
    supervisor = start(commands={"web": WEB, "worker": "echo no such table; exit 7"})

    said = supervisor.rest()

    assert supervisor.process.returncode == 1
    assert "worker ended by itself with exit code 7, so the rest was stopped." in said
    assert "The last that worker printed:\n  no such table" in said


def test_an_address_that_never_answers_is_given_up(start):
    supervisor = start(commands={"web": "echo thinking; exec sleep 60"}, ready_seconds=0.3)

    said = supervisor.rest()

    assert supervisor.process.returncode == 1
    assert "did not answer within 0.3 seconds" in said
    assert "  thinking" in said


def test_what_commands_print_is_shown_with_their_name(start):
    supervisor = start(commands={"web": WEB, "worker": "echo hello; exec sleep 60"}, echo=True)

    assert "worker | hello" in supervisor.wait_for("worker | hello")


def test_a_second_start_says_which_one_runs(start):
    first = start(commands={"web": WEB})
    first.wait_for("ready")

    second = start(commands={"web": WEB})
    said = second.rest()

    assert second.process.returncode == 1
    assert f"`tidings demo` is already running at http://127.0.0.1:{first.port}/" in said
    assert f"(process {first.process.pid})" in said


def test_a_running_one_can_be_stopped_by_its_lock(start):
    supervisor = start(commands={"web": WEB})
    supervisor.wait_for("ready")

    stopped = stop_running(supervisor.home, "demo")

    assert stopped is not None
    assert stopped.pid == supervisor.process.pid
    assert supervisor.rest().endswith("stopped cleanly\n")
    assert running(supervisor.home, "demo") is None


def test_the_web_server_of_the_procfile_answers_and_opens_nothing_else(start):
    web = load_procfile(ROOT / "Procfile")["web"].replace(
        "app.factory:create_app", "tests.house.hello:create_app"
    )

    supervisor = start(commands={"web": web}, answer=0)

    assert supervisor.rest().endswith("stopped cleanly\n")
    assert {path.name for path in supervisor.home.parent.iterdir()} == {"home"}


def test_every_process_of_the_procfile_is_a_module_that_is_there():
    commands = load_procfile(ROOT / "Procfile")
    modules = [words[2] for words in map(shlex.split, commands.values()) if words[1] == "-m"]

    assert list(commands) == ["release", "web", "worker", "replies", "clock", "connectors"]
    assert all(importlib.util.find_spec(module) for module in modules)
    assert modules == ["app.web_server", "workers", "workers", "workers", "workers"]


def test_stopping_when_nothing_runs_is_no_error(tmp_path):
    assert stop_running(tmp_path, "demo") is None


def test_a_lock_left_by_a_killed_process_is_free(tmp_path):
    (tmp_path / "demo.lock").write_text('{"pid": 1, "url": "http://127.0.0.1:8000/"}')

    with hold_lock(tmp_path, "demo") as lock:
        lock.announce("http://127.0.0.1:8001/")
        with (
            pytest.raises(AlreadyRunningError, match=r"at http://127\.0\.0\.1:8001/") as refusal,
            hold_lock(tmp_path, "demo"),
        ):
            pytest.fail("the second got the lock too")

    assert refusal.value.holder.pid == os.getpid()


def test_a_port_in_use_is_stepped_over():
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]

        first, second = free_ports(2, start=taken)

    assert taken < first < second


def test_redis_keeps_its_data_between_starts(tmp_path):
    env = {"PATH": os.environ["PATH"]}

    with embedded_redis(tmp_path, env) as url, redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
    with embedded_redis(tmp_path, env) as url, redis.Redis.from_url(url) as client:
        assert client.get("kept") == b"yes"


def test_a_socket_left_by_a_crash_does_not_matter(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "redis.sock"))

    with embedded_redis(tmp_path, {"PATH": os.environ["PATH"]}) as url, redis.Redis.from_url(url) as client:
        assert client.ping()


def test_a_second_redis_in_the_same_folder_is_refused(tmp_path):
    env = {"PATH": os.environ["PATH"]}

    with embedded_redis(tmp_path, env) as url, redis.Redis.from_url(url) as client:
        pid = client.info("server")["process_id"]
        with pytest.raises(RedisUnavailableError, match=f"process {pid}"), embedded_redis(tmp_path, env):
            pytest.fail("two servers write into the same files")


@pytest.mark.slow
def test_a_path_too_long_for_a_socket_means_a_port_with_a_password(tmp_path):
    home = tmp_path / ("long" * 25)

    with embedded_redis(home, {"PATH": os.environ["PATH"]}) as url, redis.Redis.from_url(url) as client:
        assert url.startswith("redis://:")
        assert client.ping()
        port = client.connection_pool.connection_kwargs["port"]
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_redis_url_is_used_when_it_answers(valkey_url, tmp_path):
    with embedded_redis(tmp_path, {"REDIS_URL": valkey_url}) as url:
        assert url == valkey_url

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [("redis://127.0.0.1:1/0", "does not answer"), ("localhost:6379", "not a Redis address")],
)
def test_a_redis_url_that_does_not_work_is_named(tmp_path, url, words):
    with (
        pytest.raises(RedisUnavailableError, match=f"REDIS_URL.*{words}"),
        embedded_redis(tmp_path, {"REDIS_URL": url}),
    ):
        pytest.fail("it cannot have been reached")
