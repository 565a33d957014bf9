"""Reports, the audit log, prices, clicks and the switch for all sending, on the command line."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from app.commands.reports import in_words
from app.services.figures.sheets import Sheet
from tests.cli.conftest import Shell

SHEETS = (
    "broadcasts",
    "days",
    "lists",
    "channels",
    "failures",
    "growth",
    "sources",
    "hours",
    "words",
    "costs",
)


def test_every_sheet_can_be_had_as_a_table_as_csv_and_as_json(newsdesk: Shell) -> None:
    for name in SHEETS:
        assert newsdesk.ok("reports", name, "--list", "NEWS", "--days", "7")
        assert newsdesk.ok("reports", name, "--csv").startswith("\ufeff")
    days = newsdesk.json("reports", "days", "--days", "7")

    assert len(days) == 7
    assert days[0]["sent_to"] == 0
    assert "Nothing in this time." in newsdesk.ok("reports", "broadcasts")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("reports", "days", "--list", "nonsense"), "There is no list “nonsense”"),
        (("senders", "price", "news-us", "200", "USD"), "is no price of a message"),
        (("senders", "price", "news-us", "0.01", "dollars"), "is no price of a message"),
        (("senders", "price", "news-us", "cheap"), "“cheap” is no number"),
        (("broadcasts", "prove", "999"), "There is no broadcast 999"),
        (("lists", "clicks", "NEWS", "people"), "We note which links you open."),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    newsdesk: Shell, words: tuple[str, ...], reason: str
) -> None:
    result = newsdesk.run(*words)

    assert result.exit_code != 0
    assert reason in result.stderr


def test_prices_clicks_and_the_switch_are_set_and_stand_in_the_audit_log(newsdesk: Shell) -> None:
    assert newsdesk.ok("senders", "price", "news-us", "0.0079", "usd") == "news-us: 0.0079 USD\n"
    assert newsdesk.ok("lists", "clicks", "NEWS", "links") == "“News”: links\n"
    assert newsdesk.json("senders", "pause-all") == {"paused": 1}
    assert newsdesk.json("senders", "pause-all") == {"paused": 0}
    assert newsdesk.json("senders", "resume-all") == {"resumed": 1}

    rows = newsdesk.json("audit", "list", "--what", "sender")
    assert [row["what"] for row in rows][:3] == ["sender.resume_all", "sender.pause_all", "sender.pause_all"]
    (price,) = newsdesk.json("audit", "list", "--what", "sender.price", "--days", "1")
    assert price["details"] == {"price": "0.0079", "currency": "USD"}
    assert "list.clicks" in newsdesk.ok("audit", "list", "--subject", "list")
    assert len(newsdesk.ok("audit", "list", "--csv", "--who", "nobody at all").splitlines()) == 1


@pytest.mark.parametrize(
    ("zone", "said"), [("UTC", "09:46 UTC"), ("Europe/Berlin", "09:46 CET"), ("Asia/Dubai", "09:46 UTC+04")]
)
def test_when_a_broadcast_began_is_told_with_its_zone(zone: str, said: str) -> None:
    began = datetime(2026, 11, 29, 9, 46, tzinfo=ZoneInfo(zone))

    assert f"2026-11-29 {said}" in in_words(Sheet("broadcasts", ("began",), [(began,)]))
