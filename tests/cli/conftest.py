"""The command line as an operator uses it: settings in the environment, one command after another."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.commands.root import root
from tests.support.application import MASTER_KEY, SECRET_KEY
from tests.support.databases import SqliteDatabases


class Shell:
    """Runs commands; an unexpected exception fails the test with its traceback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, given: str | None = None) -> Result:
        result = CliRunner().invoke(root, list(words), input=given, prog_name="tidings")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *words: str, given: str | None = None) -> str:
        """Run a command that must succeed, and return what it printed."""
        result = self.run(*words, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str, given: str | None = None) -> Any:
        return json.loads(self.ok(*words, "--json", given=given))

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@pytest.fixture
def shell(
    sqlite_databases: SqliteDatabases, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    """An installation with a schema and nothing else."""
    with sqlite_databases.fresh() as url:
        settings = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey_url,
            "SECRET_KEY": SECRET_KEY,
            "MASTER_KEY": MASTER_KEY,
            "PUBLIC_URL": "http://localhost",
            "TIDINGS_HOME": str(tmp_path),
            "TIDINGS_BRAND": "Riverside News",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield Shell(tmp_path)


@pytest.fixture
def newsdesk(shell: Shell) -> Shell:
    """An installation with a sender, a list that may be sent to at any hour, and two people on it."""
    token = shell.write("token.txt", "a-token-of-tests\n")
    shell.ok(
        "senders", "add", "news-us", "--gateway", "twilio", "--set", "account_sid=AC" + "0" * 32,
        "--set", f"auth_token=@{token}", "--set", "from=+12025550199",
    )  # fmt: skip
    shell.ok(
        "lists", "create", "News", "--keyword", "NEWS", "--purpose", "The day's news",
        "--from-hour", "0", "--until-hour", "24", "--any-hour", "tests",
    )  # fmt: skip
    people = shell.write("people.csv", "number,first_name\n+12025550101,Anna\n+12025550102,Bert\n")
    shell.ok(
        "subscribers", "import", people, "--list", "NEWS", "--evidence-source", "Paper form",
        "--evidence-at", "2026-01-01", "--evidence-words", "Yes, text me the news.",
    )  # fmt: skip
    return shell
