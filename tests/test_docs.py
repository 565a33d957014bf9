"""The pages say what is true: settings, commands, links, files and decisions are held against the code."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from app.commands.root import COMMANDS, root
from app.config import Settings
from app.gateways.registry import GATEWAYS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:[^`\n]|\n(?!\n))+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_PICTURE = re.compile(r'!\[([^\]]*)\]\(([^)\s]+)\)|<img [^>]*alt="([^"]*)" src="([^"]+)"|srcset="([^"]+)"')
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_OWN_FILE = re.compile(r"(?:app|docs|tests|workers|bench)/[\w./-]+")
_PROGRAMS = (("tidings",), ("python3", "cli.py"))
_NO_SHELL = ("json", "mermaid", "python", "sql")

each_doc = pytest.mark.parametrize("doc", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])


def prose(doc: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", doc.read_text(encoding="utf-8"))


def code_spans(doc: Path) -> list[str]:
    return [" ".join(span.split()) for span in _INLINE.findall(prose(doc))]


def shell_lines(doc: Path) -> Iterator[str]:
    """Yield what a reader may type: lines of shell blocks, continued ones joined, and code in the text."""
    for language, block in _FENCE.findall(doc.read_text(encoding="utf-8")):
        if language not in _NO_SHELL:
            yield from block.replace("\\\n", " ").splitlines()
    yield from code_spans(doc)


def our_commands(doc: Path) -> Iterator[list[str]]:
    """Yield the words after `tidings` or `python3 cli.py`, up to what the shell takes for itself."""
    for line in shell_lines(doc):
        if not line.strip().startswith(("tidings ", "python3 cli.py ")):
            continue
        words = shlex.split(line, comments=True)
        for program in _PROGRAMS:
            if tuple(words[: len(program)]) == program:
                rest = words[len(program) :]
                yield rest[: next((i for i, word in enumerate(rest) if word in ("|", ">", "&&")), len(rest))]


def fault_of(words: list[str]) -> str:
    """Walk down the command tree; return what is wrong with `words`, or nothing."""
    command: click.Command = root
    context = click.Context(root)
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(context, word)
            if found is None:
                return f"there is no command {word!r}"
            command = found
        elif word.startswith("--") and not _knows(command, word.partition("=")[0]):
            return f"{command.name} has no option {word}"
    return ""


def _knows(command: click.Command, option: str) -> bool:
    if command.context_settings.get("ignore_unknown_options"):
        return True
    return option == "--help" or any(option in one.opts for one in command.params)


def table_under(heading: str) -> list[str]:
    """Return the rows of the first table under a heading of the README, without its head."""
    section = README.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def in_the_table(default: str | None) -> str:
    """Write a setting's default as the README does."""
    if default is None:
        return "required"
    return f"`{default}`" if default else "empty"


def test_the_settings_table_is_the_settings() -> None:
    metas = [item.metadata for item in fields(Settings)]

    expected = [
        f"| `{meta['name']}` | {meta['about']} | `{meta['example']}` | {in_the_table(meta['default'])} |"
        for meta in metas
    ]

    assert table_under("Settings") == expected


def test_the_commands_table_is_the_command_tree() -> None:
    context = click.Context(root)
    expected = []
    for name, (_, about) in COMMANDS.items():
        command = root.get_command(context, name)
        under = sorted(command.list_commands(context)) if isinstance(command, click.Group) else []
        expected.append((f"tidings {name}", under, about))

    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table_under("Commands")]

    assert [(row[0].strip("`"), sorted(re.findall(r"`(.+?)`", row[1])), row[2]) for row in rows] == expected


@each_doc
def test_every_command_on_a_page_exists_with_its_options(doc: Path) -> None:
    faults = {" ".join(words): fault for words in our_commands(doc) if (fault := fault_of(words))}

    assert not faults


@pytest.mark.parametrize("words", ["launch", "consent forget", "broadcasts schedule 7 --now", "doctor --fix"])
def test_a_command_that_does_not_exist_would_be_found(words: str) -> None:
    assert fault_of(words.split())


def test_the_readme_shows_commands_at_all() -> None:
    assert ["demo"] in list(our_commands(README))


@each_doc
def test_every_link_leads_somewhere(doc: Path) -> None:
    dead = []
    for target in _LINK.findall(prose(doc)):
        path, _, anchor = target.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        file = (doc.parent / path).resolve() if path else doc
        headings = file.read_text(encoding="utf-8") if anchor and file.is_file() else ""
        if not file.exists() or (anchor and anchor not in map(slug, _HEADING.findall(headings))):
            dead.append(target)

    assert not dead


@each_doc
def test_every_picture_is_there_and_has_words_for_those_who_do_not_see_it(doc: Path) -> None:
    for words, target, html_words, html_target, source in _PICTURE.findall(prose(doc)):
        file = doc.parent / (target or html_target or source)
        assert file.is_file(), f"{doc.name} shows {file.name}, which is not in {file.parent}"
        assert source or len(words or html_words) > 20, f"{file.name} needs words in its place"


@each_doc
def test_every_file_that_a_page_names_is_there(doc: Path) -> None:
    named = {span for span in code_spans(doc) if _OWN_FILE.fullmatch(span)}

    missing = [name for name in named if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists()]

    assert not missing


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in _LINK.findall(prose(index))}

    assert {page for page in (ROOT / "docs").glob("*.md") if page != index} <= linked


def test_decisions_are_numbered_without_gap_or_repeat() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("doc", DECISIONS, ids=lambda doc: doc.name[:4])
def test_a_decision_has_its_number_its_parts_and_its_line_in_the_index(doc: Path) -> None:
    title, *parts = _HEADING.findall(doc.read_text(encoding="utf-8"))
    number, _, name = title.partition(" ")

    assert doc.name.startswith(number)
    assert parts == ["Question", "Decision", "What lost", "What follows", "When to think again"]
    assert f"| [{number}]({doc.name}) | {name} |" in (doc.parent / "README.md").read_text(encoding="utf-8")


def test_the_table_of_messengers_names_every_setting_of_their_gateways() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.*) \|$", (ROOT / "docs/operators.md").read_text("utf-8"), re.MULTILINE
    )
    told = {name: settings for name, settings in rows if name in GATEWAYS}

    assert set(told) == {
        "line",
        "messenger",
        "twilio_whatsapp",
        "viber",
        "wechat",
        "wechat_subscription",
        "whatsapp",
    }
    inherited = {spec.name for spec in GATEWAYS["twilio"].settings}
    for name, settings in told.items():
        known = inherited if "as `twilio`" in settings else set()
        assert {spec.name for spec in GATEWAYS[name].settings} - known <= set(
            re.findall(r"`(\w+)`", settings)
        )


def test_what_went_wrong_elsewhere_is_covered_by_tests_that_exist() -> None:
    page = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")
    rows = [
        line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| what happened")
    ]
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page)

    assert len(rows) > 40
    assert [row for row in rows if "---" not in row and "::test_" not in row] == []
    assert [
        f"{file}::{name}"
        for file, name in named
        if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ] == []
