"""Everything that the desk says, it says in German too."""

import ast
import io
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.desk.languages import TRANSLATIONS
from app.desk.refusals import is_known
from app.gateways import feed_fetch

APP = TRANSLATIONS.parents[1]
GERMAN = TRANSLATIONS / "de" / "LC_MESSAGES"
METHODS = [("desk/**.py", "python"), ("schemas.py", "python"), ("desk/templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "_l": None, "N_": None, "_n": (1, 2), "n_": (1, 2)}

# Services whose refusals editors can meet at the desk.
SPEAKERS = (
    "send_tests",
    "testers",
    "write_drafts",
    "obstacles",
    "schedule_broadcasts",
    "take_back",
    "own_clocks",
    "move_broadcasts",
    "broadcast_rows",
    "stop_broadcasts",
    "correct_broadcasts",
    "manage_snippets",
    "manage_templates",
    "manage_segments",
    "read_segments",
    "reactions",
    "broadcast_times",
    "repeat_broadcasts",
    "make_editions",
    "manage_lists",
    "list_checks",
    "list_notices",
    "change_list",
    "waiting_for_lists",
    "set_place",
    "manage_users",
    "find_people",
    "person_timeline",
    "read_inbox",
    "notices",
    "rights/erase_subscriber",
    "request_consent",
    "questions",
    "import_file",
    "import_uploads",
    "manage_feeds",
    "short_links",
    "feed_items",
    "media/attach",
    "media/take_in",
    "tickers",
    "post_ticker",
    "rehearsals",
    "rehearsal_cast",
    "comments",
)
# What is wrong with a feed is said where it is read and fetched.
OF_FEEDS = {"BrokenFeed", "BadAddress", "BadTemplate", "TooLong", "FetchFailed"}
# Refusals about names and settings that only the command line or a broken installation can cause.
NOT_AT_THE_DESK = re.compile(
    r"There is no list “X”\. Lists|X Brand and privacy page|X cannot be read|There is no encoding"
    r"|A broadcast is worth sending"
)


def german() -> Catalog:
    with (GERMAN / "messages.po").open("rb") as file:
        return read_po(file, locale="de")


@cache
def said() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(APP, METHODS, keywords=KEYWORDS)
    return {tuple(one[2]) if isinstance(one[2], list | tuple) else one[2] for one in found}


def test_no_text_lacks_its_german() -> None:
    known = {message.id: message for message in german() if message.id}

    assert len(known) > 300
    assert [one for one in said() if one not in known] == []
    assert [message.id for message in known.values() if not all(_strings(message))] == []
    assert [message.id for message in known.values() if message.fuzzy] == []


def test_german_keeps_no_text_that_nobody_says_any_more() -> None:
    assert [message.id for message in german() if message.id and message.id not in said()] == []


def test_german_fills_in_nothing_that_english_does_not_know() -> None:
    for message in german():
        if message.id:
            english = set(re.findall(r"%\((\w+)\)s", "".join(_ids(message))))
            here = set(re.findall(r"%\((\w+)\)s", "".join(_strings(message))))
            assert here <= english, message.id


def test_the_compiled_texts_are_those_of_the_source() -> None:
    fresh = io.BytesIO()
    write_mo(fresh, german())

    assert (GERMAN / "messages.mo").read_bytes() == fresh.getvalue()


@pytest.mark.parametrize("service", SPEAKERS)
def test_the_desk_knows_every_sentence_with_which_a_service_refuses(service: str) -> None:
    spoken = refusals(APP / "services" / f"{service}.py")

    assert [one for one in spoken if not is_known(one) and not NOT_AT_THE_DESK.match(one)] == []


@pytest.mark.parametrize(
    "path", [*(APP / "domain" / "feeds").glob("*.py"), APP / "gateways" / "feed_fetch.py"]
)
def test_the_desk_knows_every_fault_of_a_feed(path: Path) -> None:
    assert [one for one in refusals(path, OF_FEEDS) if not is_known(one)] == []


def test_the_desk_knows_every_reason_why_a_host_gave_no_feed() -> None:
    assert [one for one in feed_fetch.REASONS.values() if not is_known(one)] == []


def refusals(path: Path, kinds: Collection[str] = ("Refused", "NotFound", "Conflict")) -> list[str]:
    """The sentences given to `Refused` and its kin in a file, and to `found.append`, with X for what varies."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [_sentence(call.args[0]) for call in calls if _refuses(call, kinds) and _is_text(call.args[0])]


def _refuses(call: ast.Call, kinds: Collection[str]) -> bool:
    match call.func:
        case ast.Name(id=name) if name in kinds:
            return True
        case ast.Attribute(value=ast.Name(id="found"), attr="append"):
            return True
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _sentence(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
    return text.replace("”X ", "” ").replace("”X.", "”.")  # an optional “ (archived)” behind a name


def _ids(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, list | tuple) else (message.id,)


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)
