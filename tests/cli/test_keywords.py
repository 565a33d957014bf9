"""`keywords classify`: one answer a text, blank lines included, without a database."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.commands.keywords import keywords
from app.domain.keywords import MATCHER_VERSION


def run(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(keywords, ["classify", *words], input=given)


def outcomes(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["outcome"] for line in result.stdout.splitlines()]


def test_a_text_is_read_and_the_reason_is_told() -> None:
    result = run("Stop!")

    assert result.exit_code == 0
    assert result.stdout == "STOP: Stop!\n    The whole message is the command “stop” (en.stop:stop).\n"


def test_every_line_gets_an_answer_blank_ones_too(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes(b"stop\n\nhello\r\nHELP")

    assert outcomes(run("--file", str(path), "--json")) == ["STOP", "NONE", "NONE", "HELP"]


def test_json_lines_hold_texts_of_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('"stop\\n"\n\n"START SPORT"\n"\\u2028"\n', encoding="utf-8")

    result = run("--file", str(path), "--jsonl", "--list", "SPORT", "--json")

    assert outcomes(result) == ["STOP", "NONE", "START_TOPIC:SPORT", "NONE"]
    assert json.loads(result.stdout.splitlines()[2])["list"] == "SPORT"


def test_texts_may_come_from_stdin() -> None:
    assert outcomes(run("--file", "-", "--json", given="stop\n")) == ["STOP"]


def test_the_state_before_decides_what_yes_and_no_mean() -> None:
    said = [outcomes(run("no", "--state", state, "--json")) for state in ("pending", "active", "stopped")]

    assert said == [["DECLINE"], ["REVIEW"], ["NONE"]]


def test_each_answer_carries_the_evidence() -> None:
    found = json.loads(run("could you stop sending me texts", "--json").stdout)

    assert found["outcome"] == "STOP_FUZZY"
    assert found["rule"].startswith("en.ask:")
    assert found["rule"] in found["why"]
    assert (found["tier"], found["matcher_version"]) == ("phrase", MATCHER_VERSION)


def test_a_language_brings_its_words_into_use() -> None:
    assert outcomes(run("dur", "--json")) == ["NONE"]
    assert outcomes(run("dur", "--lang", "tr", "--json")) == ["STOP"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("stop", "--file", "x"), 2),
        (("stop", "--jsonl"), 2),
        (("stop", "--lang", "xx"), 2),
        (("--file", "/no/such"), 1),
    ],
)
def test_what_cannot_be_done_is_told_with_its_exit_code(words: tuple[str, ...], code: int) -> None:
    assert run(*words).exit_code == code


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('"a"\n7\n', encoding="utf-8")

    result = run("--file", str(path), "--jsonl")

    assert result.exit_code == 1
    assert "line 2" in result.stderr


def test_it_loads_neither_flask_nor_the_database() -> None:
    code = (
        "import sys, cli; sys.argv = ['tidings', 'keywords', 'classify', 'stop']\n"
        "try: cli.main()\n"
        "except SystemExit as end: print(end.code, 'flask' in sys.modules, 'sqlalchemy' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "0 False False"
