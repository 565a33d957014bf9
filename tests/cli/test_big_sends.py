"""The number of a large send on the command line: typed, or given with the command."""

import pytest

from tests.cli.conftest import Shell

AT = ("--at", "2099-05-04 10:00")


@pytest.fixture
def big(newsdesk: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Two people are many here."""
    monkeypatch.setenv("TIDINGS_BIG_SEND", "2")
    newsdesk.ok("broadcasts", "create", "--title", "x", "--text", "Open.", "--list", "NEWS")
    return newsdesk


def test_scheduling_asks_for_the_number(big: Shell) -> None:
    schedule = ("broadcasts", "schedule", "1", *AT)

    unasked = big.run(*schedule)
    mistyped = big.run(*schedule, given="3\n")
    other = big.run(*schedule, "--people", "3")

    assert unasked.exit_code == 1
    assert "That is not the number. It would go to 2 people." in mistyped.output
    assert "It would go to 2 people, not 3." in other.output
    assert big.json("broadcasts", "show", "1")["state"] == "draft"
    assert "goes out" in big.ok(*schedule, given="2\n")


def test_moving_and_repeating_ask_as_well_and_options_answer(big: Shell) -> None:
    big.ok("broadcasts", "schedule", "1", *AT, "--people", "2")
    move = ("broadcasts", "move", "1", "--at", "2099-05-05 10:00")
    repeat = ("broadcasts", "repeat", "1", "--from", "2099-06-01 10:00")

    assert big.run(*move, given="1\n").exit_code == 1
    assert "05 May 2099" in big.ok(*move, "--yes")
    assert big.run(*repeat, given="1\n").exit_code == 1
    assert "FREQ=DAILY" in big.ok(*repeat, given="2\n")
