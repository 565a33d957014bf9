"""`tidings broadcasts create --button` writes buttons, and `broadcasts show` prints them as they were written."""

import pytest

from tests.cli.conftest import Shell

WORDS = ("broadcasts", "create", "--title", "Vote", "--text", "Shall we build it?", "--list", "NEWS")
PLAN = "The plan=https://news.example.org/plan?page=2"


def test_answers_links_and_words_are_written_and_shown(newsdesk: Shell) -> None:
    draft = newsdesk.json(*WORDS, "--button", "Yes", "--button", PLAN, "--button", "No more=STOP")

    shown = newsdesk.json("broadcasts", "show", str(draft["id"]))
    said = newsdesk.ok("broadcasts", "show", str(draft["id"]))

    assert shown["buttons"][""] == [
        {"kind": "reply", "label": "Yes", "value": ""},
        {"kind": "link", "label": "The plan", "value": "https://news.example.org/plan?page=2"},
        {"kind": "reply", "label": "No more", "value": "STOP"},
    ]
    assert (shown["text"], shown["lists"], shown["files"]) == ("Shall we build it?", ["News"], {})
    assert f"Button: Yes\nButton: {PLAN}\nButton: No more=STOP\n" in said


def test_buttons_that_an_sms_cannot_show_count_as_words_of_it(newsdesk: Shell) -> None:
    plain = newsdesk.json(*WORDS)
    link = f"Plan=https://news.example.org/{'a' * 200}"

    assert plain["review"]["parts"] == 1
    assert newsdesk.json(*WORDS, "--button", link)["review"]["parts"] == 2


@pytest.mark.parametrize(
    ("button", "code", "said"),
    [
        ("=STOP", 2, "'=STOP' has no label. Write LABEL for an answer"),
        ("Yes=", 2, "does not say what a press does"),
        ("Site=http://news.example.org", 1, "Button 1: a link begins with https:// and has 300 characters"),
        ("More=BANANA", 1, "“BANANA” is no word that people can text. Write STOP, HELP, PAUSE, START"),
        ("7", 1, "Button 1: a label that is a number reads like the number of an answer"),
    ],
)
def test_a_button_that_nobody_could_use_is_refused_with_what_to_write(
    newsdesk: Shell, button: str, code: int, said: str
) -> None:
    result = newsdesk.run(*WORDS, "--button", button)

    assert (result.exit_code, newsdesk.json("broadcasts", "list")) == (code, [])
    assert said in result.stderr
