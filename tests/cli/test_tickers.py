"""`tidings tickers` from opening an event to its end, and `tidings broadcasts rehearse`."""

from datetime import timedelta

import pytest

from app.clock import utcnow
from tests.cli.conftest import Shell


def test_a_live_event_from_opening_to_its_end(newsdesk: Shell) -> None:
    end = f"{utcnow() + timedelta(hours=3):%Y-%m-%d %H:%M}"
    words = ("--keyword", "VOTE", "--purpose", "Results as they come", "--end", end, "--most", "2")
    made = newsdesk.json("tickers", "create", "Election night", *words)
    nobody = newsdesk.run("tickers", "post", "VOTE", "First count: a tie.")
    (listed,) = newsdesk.json("tickers", "list")
    ended = newsdesk.json("tickers", "end", "VOTE")

    assert (made["keyword"], made["stage"], made["most"]) == ("vote", "on", 2)
    assert (nobody.exit_code, nobody.stderr) == (1, "Nobody on these lists can be reached now.\n")
    assert (listed["name"], listed["sent"], listed["people"]) == ("Election night", 0, 0)
    assert ended["stage"] == "closing"
    assert "is over" in newsdesk.run("tickers", "post", "VOTE", "Too late.").stderr
    assert newsdesk.ok("tickers", "show", "VOTE") == "Nothing was said yet.\n"
    assert (
        "There is no live event “X”. Events: “Election night”." in newsdesk.run("tickers", "end", "X").stderr
    )


@pytest.mark.slow
def test_a_broadcast_is_rehearsed_and_the_report_says_zero_and_zero(newsdesk: Shell) -> None:
    newsdesk.ok(
        "broadcasts", "create", "--title", "Flood", "--text", "The bridge is closed.", "--list", "NEWS"
    )
    said = newsdesk.ok(
        "broadcasts", "rehearse", "1", "--faults", "throttle=0, errors=0, cut=0, lost=0, slow=0"
    )

    assert said.startswith("Nobody twice, nobody lost.\nPeople: 2. Twice: 0. Lost: 0.\nSent: 2. Unknown: 0,")
    assert "“fire” is no fault" in newsdesk.run("broadcasts", "rehearse", "1", "--faults", "fire=1").stderr
