"""Has the number of a large send confirmed on the command line, as the review does: typed, or given beforehand."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from app.commands.broadcast_words import check
from app.domain.big_sends import is_big, is_near, is_typed
from app.runtime import runtime
from app.services.controller import Refused

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def number_options(command: AnyFunction) -> AnyFunction:
    """Give a command `--people` and `--yes`, which answer before it asks."""
    command = click.option(
        "--people",
        type=click.IntRange(0),
        metavar="N",
        help="It goes to about N people (1 in 100 more or fewer); refused where it would not.",
    )(command)
    return click.option("--yes", is_flag=True, help="Do not ask for the number of a large send.")(command)


def confirm_number(
    broadcast_id: int,
    *,
    people: int | None,
    yes: bool,
    at: datetime | None,
    local_at: datetime | None = None,
    zone: str = "UTC",
) -> None:
    """Ask how many people get it then, where they are many. Raises `Refused` for another number than there are."""
    threshold = runtime().settings.big_send
    if people is None and (yes or not threshold):
        return
    there = check(broadcast_id, at, local_at, zone).reachable
    if people is not None:
        if not is_near(people, there):
            raise Refused(f"It would go to {there} people, not {people}. Nothing was changed.")
    elif is_big(there, threshold):
        typed = click.prompt(f"Type how many people get it ({there:,})", err=True)
        if not is_typed(typed, there):
            raise Refused(f"That is not the number. It would go to {there} people. Nothing was changed.")
