"""`tidings lists`: change one, close one, and its links as QR codes in files."""

from tests.cli.conftest import Shell


def test_a_list_is_changed_and_what_was_not_given_stays(newsdesk: Shell) -> None:
    changed = newsdesk.json(
        "lists", "change", "NEWS", "--name", "Daily", "--until-hour", "21", "--fresh-for", "480"
    )
    (row,) = newsdesk.json("lists", "list")

    assert changed == {"id": 1, "name": "Daily", "notices": 2}
    assert (row["name"], row["until_hour"], row["language"]) == ("Daily", 21, "en")
    wider = newsdesk.run("lists", "change", "Daily", "--until-hour", "23")
    assert wider.stderr.startswith("2 people agreed to at most 3 a day between 0 and 21 h (UTC).")
    assert newsdesk.run("lists", "change", "Daily").exit_code == 2


def test_a_list_sends_what_was_missed_until_it_is_told_not_to(newsdesk: Shell) -> None:
    newsdesk.ok("lists", "change", "NEWS", "--send-missed")
    newsdesk.ok("lists", "change", "NEWS", "--max-per-day", "2")
    newsdesk.ok("lists", "change", "NEWS", "--no-send-missed")

    noted = newsdesk.json("audit", "list", "--what", "list.change")
    assert [one["details"].get("sends_missed") for one in noted] == [[True, False], None, [False, True]]


def test_a_list_is_not_closed_while_a_broadcast_waits_and_the_broadcast_is_named(newsdesk: Shell) -> None:
    words = ("--title", "Bridge", "--text", "Open. Reply STOP to leave.", "--list", "NEWS")
    draft = newsdesk.json("broadcasts", "create", *words)["id"]
    newsdesk.ok("broadcasts", "schedule", str(draft), "--at", "2099-03-02T12:00")

    refused = newsdesk.run("lists", "archive", "NEWS")
    newsdesk.ok("broadcasts", "cancel", str(draft))
    closed = newsdesk.json("lists", "archive", "NEWS")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("“Bridge” goes to this list and is not out yet.")
    assert closed == {"closed": "NEWS", "ended": 2}


def test_the_codes_of_a_lists_links_are_written_as_files_that_are_named(newsdesk: Shell) -> None:
    folder = newsdesk.folder / "codes"

    given = ("lists", "links", "NEWS", "--source", "poster-7", "--svg", str(folder), "--png", str(folder))
    said = newsdesk.ok(*given)
    again = newsdesk.json(*given)

    svg, png = folder / "news-sms-poster-7.svg", folder / "news-sms-poster-7.png"
    assert f"2 QR codes in {folder}, {folder}:\n{svg}\n{png}\n" in said
    assert again["files"] == [str(svg), str(png)]
    assert b"<svg" in svg.read_bytes()
    assert png.read_bytes().startswith(b"\x89PNG")
    (newsdesk.folder / "file").write_text("x")
    refused = newsdesk.run("lists", "links", "NEWS", "--svg", str(newsdesk.folder / "file" / "codes"))
    assert "cannot be written" in refused.stderr
