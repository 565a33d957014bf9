"""`tidings lists notice`: show a list's notices, or write a new version of one."""

from pathlib import Path
from typing import Any

import click

from app.clock import utcnow
from app.commands.lists import lists
from app.commands.output import json_option, operator, progress, say, table
from app.runtime import runtime
from app.services import ask_again, list_notices, manage_lists, notices
from app.services.ask_again import AskedAgain
from app.services.controller import Refused
from app.services.notices import Draft
from app.storage.database import db
from app.storage.models import Notice

__all__ = ["lists"]


@lists.command("notice")
@click.argument("name", metavar="LIST")
@click.option("--language", type=click.Choice(list_notices.NOTICE_LANGUAGES), help="Else the list's own.")
@click.option("--set", "file", type=click.Path(path_type=Path), help="Text of a new version, UTF-8.")
@click.option("--purpose", help="What people get from now on, where that changes.")
@click.option("--ask-again", is_flag=True, help="People who agreed to another purpose will be asked again.")
@json_option
def notice(
    name: str, language: str | None, file: Path | None, purpose: str | None, ask_again: bool, as_json: bool
) -> None:
    """Show every version of the notice of LIST, or with --set write a new one.

    A notice names brand, list, frequency, HELP, STOP and the privacy page, and fits two parts of an SMS. What
    people agreed to stays as it was.

    \b
    Example:
      tidings lists notice NEWS --language de --set hinweis.txt
    """
    row = manage_lists.find_list(db.session(), name)
    spoken = language or (row.language if row.language in list_notices.NOTICE_LANGUAGES else "en")
    list_id, old_purpose = row.id, row.purpose
    found = notices.versions(list_id, spoken)
    if file is None:
        say([_as_data(one) for one in found], as_json, lambda: _versions(list(found)))
        return
    given = {"text": _read(file), "purpose": purpose or old_purpose}
    controller = runtime().controller
    draft = notices.look_at(list_id, spoken, given["text"], given["purpose"], controller=controller)
    version = notices.write(
        list_id,
        spoken,
        **given,
        after_version=found[0].version,
        confirmed=ask_again,
        by=operator(),
        controller=controller,
        now=utcnow(),
    )
    written = {"version": version, "language": spoken, "asks_again": draft.asks_again} | _size(draft)
    say(written, as_json, lambda: _written_in_words(version, spoken, draft))


@lists.command("ask-again")
@click.argument("name", metavar="LIST")
@json_option
def ask_people_again(name: str, as_json: bool) -> None:
    """Ask those on LIST again who agreed to another purpose or sender than it has now.

    Write the notice in every language before. Each gets one question, within the hours of the list and of their
    place, and nothing of the list until they answer YES; without an answer in 72 hours they are off it. Run it
    again for those who could not be asked.

    \b
    Example:
      tidings lists ask-again NEWS
    """
    list_id = manage_lists.find_list(db.session(), name).id
    with progress("people") as moved:
        done = ask_again.ask_again(
            list_id,
            link=f"{runtime().settings.public_url}/confirm",
            by=operator(),
            controller=runtime().controller,
            now=utcnow(),
            progress=moved,
        )
    say(done, as_json, lambda: _asked_in_words(done))


def _asked_in_words(done: AskedAgain) -> str:
    left = (
        f"\n{done.left} cannot be asked now (held, unreachable, or asked three times this month); run it again later."
        if done.left
        else ""
    )
    return f"{done.asked} people of “{done.list_name}” are asked again.{left}"


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{file} is not UTF-8: byte {error.start} cannot be read. Save it as UTF-8.") from error


def _size(draft: Draft) -> dict[str, Any]:
    return {"encoding": draft.parts.encoding, "units": draft.parts.units, "parts": draft.parts.count}


def _as_data(row: Notice) -> dict[str, Any]:
    names = ("id", "language", "version", "text", "sha256", "created_at", "written_by")
    return {name: getattr(row, name) for name in names}


def _versions(rows: list[Notice]) -> str:
    lines = table(
        ("version", "written", "by", "sha256"),
        [
            (row.version, row.created_at, row.written_by or "Tidings, from the list", row.sha256)
            for row in rows
        ],
        empty="",
    )
    return f"{lines}\n\nVersion {rows[0].version}, shown to whoever joins now:\n{rows[0].text}"


def _written_in_words(version: int, language: str, draft: Draft) -> str:
    size = f"{draft.parts.encoding}, {draft.parts.units} units, {draft.parts.count} parts"
    warnings = "".join(f"\nLook again: {one.advice}" for one in draft.findings)
    again = (
        f"\n{draft.active} people agreed to something else and must be asked again: "
        "when all languages are written, tidings lists ask-again."
        if draft.asks_again
        else ""
    )
    return f"Version {version} ({language}) is written: {size}.{again}{warnings}"
