"""`tidings feeds` from adding one to removing it, against a site on this machine."""

from tests.cli.conftest import Shell
from tests.support.feed_site import feed_site


def test_a_feed_from_adding_to_removing(newsdesk: Shell) -> None:
    with feed_site() as site:
        site.show("One")
        added = newsdesk.json(
            "feeds", "add", "NEWS", site.url(), "--to", "queue", "--template", "{{title}}\\n{{link}}", "--loopback"
        )  # fmt: skip
        first = newsdesk.json("feeds", "fetch", "1")
        site.show("Two", "One")
        second = newsdesk.ok("feeds", "fetch", "1")
        site.pages.clear()
        failed = newsdesk.run("feeds", "fetch", "1")

    (listed,) = newsdesk.json("feeds", "list", "--list", "NEWS")
    newsdesk.ok("feeds", "pause", "1")
    paused = newsdesk.run("feeds", "fetch", "1")
    newsdesk.ok("feeds", "resume", "1")

    assert (added["id"], first["new"], first["used"]) == (1, 1, 0)
    assert second == "Feed 1: 1 new items, 1 of them used.\n"
    assert (failed.exit_code, failed.stderr) == (
        1,
        "Feed 1 cannot be read. The host answered 404 instead of a feed.\n",
    )
    assert (listed["title"], listed["state"]) == ("City news", "The host answered 404 instead of a feed.")
    assert "paused" in paused.stderr
    assert "is not read any more" in newsdesk.ok("feeds", "remove", "1")
    assert "No feeds" in newsdesk.ok("feeds", "list")


def test_without_leave_a_feed_on_this_machine_is_refused(newsdesk: Shell) -> None:
    assert "address of a feed in full" in newsdesk.run("feeds", "add", "NEWS", "http://127.0.0.1/").stderr
