"""`tidings keywords`: ask how a text would be read. Needs no database and no settings."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from app.domain.keywords import LANGUAGES, Decision, classify, squeeze

STATES = ("unknown", "pending", "active", "paused", "stopped")


@click.group(help="What a texted word means to us.", context_settings={"help_option_names": ["-h", "--help"]})
def keywords() -> None:
    pass


@keywords.command("classify")
@click.argument("text", required=False)
@click.option(
    "--file", "path", type=click.Path(path_type=Path, allow_dash=True), help="One text a line; - is stdin."
)
@click.option(
    "--jsonl", is_flag=True, help="The file has one JSON string a line, so that a text may span lines."
)
@click.option("--lang", "languages", multiple=True, help="A language in use besides English, such as de.")
@click.option("--state", type=click.Choice(STATES), default="unknown", help="The subscription before.")
@click.option("--list", "lists", multiple=True, help="A list's own word, such as SPORT.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each text.")
def classify_texts(
    text: str | None,
    path: Path | None,
    jsonl: bool,
    languages: tuple[str, ...],
    state: str,
    lists: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what TEXT, or each line of a file, asks for: STOP, START, HELP, a list, or NONE.

    Blank lines count as texts, so line 7 of the answer is about line 7 of the file.

    \b
    Example:
      tidings keywords classify "Stop!"
      tidings keywords classify --file inbox.txt --lang de --list SPORT --json
    """
    words = {squeeze(word): word for word in lists}
    _check_languages(languages)
    for one in _texts(text, path, jsonl):
        decision = classify(one, languages=("en", *languages), state=state, lists=words)
        click.echo(_as_json(one, decision) if as_json else _in_words(one, decision))


def _texts(text: str | None, path: Path | None, jsonl: bool) -> Iterator[str]:
    if (text is None) == (path is None):
        raise click.UsageError("Give either a TEXT or --file.")
    if path is None:
        if jsonl:
            raise click.UsageError("--jsonl says how --file is written; a TEXT is taken as it is.")
        yield text or ""
        return
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as stream:
            yield from _lines(stream, str(path), jsonl)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error


def _lines(stream: Iterable[bytes], name: str, jsonl: bool) -> Iterator[str]:
    """Lines end at a newline only: a text may hold other separators, such as U+2028."""
    for number, raw in enumerate(stream, start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise click.ClickException(
                f"{name}, line {number}: this is not UTF-8. Save the file as UTF-8."
            ) from error
        yield _json_string(line, name, number) if jsonl and line.strip() else line


def _json_string(line: str, name: str, number: int) -> str:
    try:
        value: Any = json.loads(line)
    except ValueError as error:
        raise click.ClickException(
            f'{name}, line {number}: this is no JSON ({error}). Write each text as "...".'
        ) from error
    if not isinstance(value, str):
        raise click.ClickException(
            f'{name}, line {number}: this is no JSON string. Write each text as "...".'
        )
    return value


def _check_languages(languages: Iterable[str]) -> None:
    for language in languages:
        if language.replace("_", "-").partition("-")[0].lower() not in LANGUAGES:
            raise click.UsageError(
                f"There are no keywords in “{language}”. Languages: {', '.join(LANGUAGES)}."
            )


def _as_json(text: str, decision: Decision) -> str:
    found = {
        "text": text,
        "outcome": _outcome(decision),
        "tier": decision.tier,
        "rule": decision.rule,
        "list": decision.list_key,
        "days": decision.days,
        "why": decision.explain(),
        "matcher_version": decision.matcher_version,
    }
    # Escaped, because U+2028 and its like in a text would look like the end of a line to some readers.
    return json.dumps(found)


def _in_words(text: str, decision: Decision) -> str:
    return f"{_outcome(decision)}: {' '.join(text.split())[:60]}\n    {decision.explain()}"


def _outcome(decision: Decision) -> str:
    """As the known texts in tests/data write it: a list is a topic, and follows after a colon."""
    name = decision.outcome.value.replace("_LIST", "_TOPIC")
    return f"{name}:{decision.list_key}" if decision.list_key else name
