"""Buttons as commands write and show them: `Yes` is an answer, `Read on=https://…` a link, `No more=STOP` a word."""

from collections.abc import Callable, Sequence

import click

from app.commands.output import AnyFunction
from app.domain.buttons import Button, ButtonKind

_FORMS = "Write LABEL for an answer, LABEL=https://… for a link, or LABEL=WORD for a word such as STOP."


def button_option(command: AnyFunction) -> AnyFunction:
    """Give a command `--button`, any number of times; it is called with `buttons`."""
    option: Callable[[AnyFunction], AnyFunction] = click.option(
        "--button",
        "buttons",
        multiple=True,
        callback=_read_all,
        metavar="LABEL[=LINK|WORD]",
        help="A button: an answer; with =https://... a link; with =WORD what texting it does, such as STOP.",
    )
    return option(command)


def said_of_buttons(buttons: Sequence[Button]) -> list[str]:
    """Return buttons as `--button` takes them."""
    return [f"{one.label}={one.value}" if one.value else one.label for one in buttons]


def _read_all(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> tuple[Button, ...]:
    return tuple(_read(one) for one in written)


def _read(written: str) -> Button:
    """Whether it can be used is checked where every button is; here it is only told which of the forms it has."""
    label, equals, does = (part.strip() for part in written.partition("="))
    if not label:
        raise click.BadParameter(f"{written!r} has no label. {_FORMS}")
    if equals and not does:
        raise click.BadParameter(f"{written!r} does not say what a press does. {_FORMS}")
    # Written like an address it is one, so that http:// is refused as a link and not as a word.
    return Button(ButtonKind.LINK if "://" in does else ButtonKind.REPLY, label, does)
