"""`tidings broadcasts templates` and `create --template`: written from, with gaps filled."""

import pytest

from app.factory import create_core
from app.services import manage_templates
from tests.cli.conftest import Shell
from tests.support.world import NOON

TEXT = "Riverside News: no water in [[place]]. Reply STOP to leave."


@pytest.fixture
def kept(newsdesk: Shell) -> Shell:
    """A shell of an installation with one template."""
    made = newsdesk.json("broadcasts", "create", "--title", "Water", "--text", TEXT, "--list", "NEWS")
    with create_core().app_context():
        manage_templates.keep(made["id"], "Outage", by="ada", now=NOON)
    return newsdesk


def test_templates_are_listed_with_their_gaps(kept: Shell) -> None:
    row = kept.json("broadcasts", "templates")[0]

    assert (row["name"], row["lists"], row["gaps"]) == ("Outage", ["News"], ["place"])
    assert len(kept.json("broadcasts", "list")) == 1


def test_a_draft_is_written_from_a_template(kept: Shell) -> None:
    made = kept.json("broadcasts", "create", "--template", "Outage", "--fill", "place=Riverside")

    shown = kept.json("broadcasts", "show", str(made["id"]))
    assert shown["text"] == "Riverside News: no water in Riverside. Reply STOP to leave."
    assert (shown["title"], shown["state"]) == ("Outage", "draft")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--template", "Storm"), "There is no template “Storm”. There are: “Outage”."),
        (("--template", "Outage", "--text", "x"), "--template brings text, lists and buttons along"),
        (("--template", "Outage", "--fill", "when=now"), "has no such gap. Its gaps: place."),
        (("--template", "Outage", "--fill", "place"), "--fill place is not GAP=WORDS"),
        (("--title", "x", "--text", "x", "--list", "NEWS", "--fill", "a=b"), "--fill goes with --template."),
        (("--text", "x"), "Give --title and --list, or --template."),
    ],
)
def test_what_does_not_fit_is_said(options: tuple[str, ...], problem: str, kept: Shell) -> None:
    result = kept.run("broadcasts", "create", *options)

    assert result.exit_code != 0
    assert problem in " ".join(result.output.replace("│", " ").split())
