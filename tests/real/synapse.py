"""A Synapse of one's own on a port of this machine that is free: accounts of people, and our application service."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.real.kannel import free_port

DOMAIN = "people.localhost"
HERE = Path(__file__).parents[2] / ".venv" / "synapse" / "bin" / "python"
"""Synapse has requirements of its own, so it lives in an environment of its own. `TEST_SYNAPSE` names another."""


def python() -> str:
    """Return the interpreter that has Synapse."""
    return os.environ.get("TEST_SYNAPSE") or str(HERE)


def missing() -> str | None:
    """Say what this machine lacks, or None."""
    if Path(python()).exists():
        return None
    return "Synapse is not installed: python3 -m venv .venv/synapse && .venv/synapse/bin/pip install matrix-synapse"


@dataclass(frozen=True)
class Synapse:
    """A running server; `url` is where clients and application services find it."""

    url: str
    folder: Path

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """Call the client API; returns the JSON, and fails on anything but a yes."""
        status, found = self.ask(method, path, body, token)
        assert status == 200, (method, path, status, found)
        return found

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """Call the client API; returns status and JSON."""
        request = urllib.request.Request(
            f"{self.url}/_matrix/client/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


class Person:
    """Somebody with an account, who opens chats with a bot."""

    def __init__(self, server: Synapse, name: str) -> None:
        made = server.call(
            "POST",
            "v3/register",
            {"username": name, "password": "secret-of-tests", "auth": {"type": "m.login.dummy"}},
        )
        self.address, self._token, self._server = made["user_id"], made["access_token"], server
        self._count = 0

    def invite(self, bot: str, *, direct: bool = True) -> str:
        """Open a room with the bot; returns its id."""
        content = {"invite": [bot], "is_direct": direct, "preset": "trusted_private_chat"}
        return str(self._call("POST", "v3/createRoom", content)["room_id"])

    def say(self, room: str, words: str) -> None:
        self.put(room, "m.room.message", {"msgtype": "m.text", "body": words})

    def put(self, room: str, kind: str, content: dict[str, Any]) -> None:
        self._count += 1
        self._call("PUT", f"v3/rooms/{quote(room)}/send/{kind}/{self._count}", content)

    def leave(self, room: str) -> None:
        self._call("POST", f"v3/rooms/{quote(room)}/leave", {})

    def read(self, room: str, sender: str) -> list[str]:
        """The words that `sender` said in a room, oldest first."""
        found = self._call("GET", f"v3/rooms/{quote(room)}/messages?dir=b&limit=100")["chunk"]
        mine = [one for one in reversed(found) if one["sender"] == sender and one["type"] == "m.room.message"]
        return [one["content"]["body"] for one in mine]

    def membership(self, room: str, user: str) -> str:
        """How somebody stands to a room: invite, join, leave, ban."""
        found = self._call("GET", f"v3/rooms/{quote(room)}/state/m.room.member/{quote(user)}")
        return str(found["membership"])

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return self._server.call(method, path, body, self._token)


@contextmanager
def running_synapse(folder: Path, registration: str, port: int | None = None) -> Iterator[Synapse]:
    """Start Synapse in `folder` with one application service, and stop it."""
    port = port or free_port()
    (folder / "registration.yaml").write_text(registration)
    (folder / "log.json").write_text(json.dumps(_log(folder)))
    (folder / "homeserver.json").write_text(json.dumps(_settings(folder, port)))
    command = [python(), "-m", "synapse.app.homeserver", "--config-path", str(folder / "homeserver.json")]
    with (folder / "out.log").open("a") as output:
        subprocess.run([*command, "--generate-keys"], check=True, stdout=output, stderr=output, timeout=60)
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            server = Synapse(f"http://127.0.0.1:{port}", folder)
            _wait(process, server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _settings(folder: Path, port: int) -> dict[str, Any]:
    plenty = {"per_second": 1000, "burst_count": 1000}
    return {
        "server_name": DOMAIN,
        "report_stats": False,
        "pid_file": str(folder / "pid"),
        "log_config": str(folder / "log.json"),
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "key"),
        "listeners": [
            {
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "type": "http",
                "resources": [{"names": ["client"]}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "registration_shared_secret": "synapse-of-tests",
        "macaroon_secret_key": "synapse-of-tests",
        "form_secret": "synapse-of-tests",
        "trusted_key_servers": [],
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "rc_registration": plenty,
        "rc_message": plenty,
        "app_service_config_files": [str(folder / "registration.yaml")],
    }


def _log(folder: Path) -> dict[str, Any]:
    file = {"class": "logging.FileHandler", "filename": str(folder / "synapse.log")}
    return {
        "version": 1,
        "handlers": {"file": file},
        "root": {"level": "INFO", "handlers": ["file"]},
        "disable_existing_loggers": False,
    }


def _wait(process: "subprocess.Popen[bytes]", server: Synapse) -> None:
    for _ in range(600):
        assert process.poll() is None, f"Synapse ended with {process.returncode}"
        try:
            server.call("GET", "versions")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Synapse did not answer in a minute")
