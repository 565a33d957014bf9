"""How commands speak: tables for people, JSON for programs, progress on stderr, and who is asking."""

import dataclasses
import getpass
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def json_option(command: AnyFunction) -> AnyFunction:
    """Give a command `--json`; it is called with `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")(command)


def say(data: Any, as_json: bool, human: Callable[[], str]) -> None:
    """Write `data` as one JSON document, or what `human` makes of it."""
    click.echo(to_json(data) if as_json else human())


def to_json(data: Any) -> str:
    """Return JSON: days and moments as ISO 8601, spans in seconds, sets as sorted lists, letters as they are."""
    return json.dumps(data, default=_plain, ensure_ascii=False, indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # and every moment
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form here.")


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> str:
    """Return rows under headings in columns as wide as their widest cell, or `empty` when there is none."""
    if not rows:
        return empty
    lines = [list(headings), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def cell(value: object) -> str:
    """Return a value as people read it in a table: moments to the minute in UTC, nothing as a dash."""
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that is told done and total, and draws a bar on stderr where somebody watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def operator() -> str:
    """Return the name of the person at this machine, for the audit log and the ledger."""
    asked_by = os.environ.get("SUDO_USER")
    try:
        return asked_by or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
