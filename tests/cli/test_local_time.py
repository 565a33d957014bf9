"""`broadcasts schedule --local-time`: an hour on each person's own clock."""

from tests.cli.conftest import Shell


def test_a_broadcast_is_scheduled_for_an_hour_on_each_persons_own_clock(newsdesk: Shell) -> None:
    newsdesk.ok("broadcasts", "create", "--title", "x", "--text", "Open.", "--list", "NEWS")
    hour = ("--at", "2099-05-03 09:00", "--local-time")

    dry = newsdesk.ok("broadcasts", "schedule", "1", *hour, "--dry-run")
    done = newsdesk.json("broadcasts", "schedule", "1", *hour)

    assert "2 at Sun 03 May 13:00 (UTC), by the clock of America/New_York" in dry
    assert (done["at"], done["local_at"]) == ("2099-05-03T13:00:00+00:00", "2099-05-03T09:00:00")
    assert newsdesk.run("broadcasts", "schedule", "1", "--local-time").exit_code == 2
    moved = newsdesk.ok("broadcasts", "move", "1", "--at", "2099-05-04 10:00")
    assert "Mon 04 May 2099 10:00 on each person's own clock, to the first Mon 04 May 2099 14:00 UTC" in moved


def test_a_rule_repeats_on_each_persons_own_clock(newsdesk: Shell) -> None:
    draft = newsdesk.json("broadcasts", "create", "--title", "x", "--text", "Open.", "--list", "NEWS")
    words = (
        "broadcasts",
        "repeat",
        str(draft["id"]),
        "--from",
        "2099-03-28 02:30",
        "--zone",
        "Europe/Berlin",
    )

    planned = newsdesk.json(*words, "--local-time", "--dry-run")
    rule = newsdesk.json(*words, "--local-time")
    said = newsdesk.ok("rules", "show", str(rule["id"]))

    # The clocks of Berlin skip 02:30 on the second day, which is for nobody else a change.
    assert (planned["own_clocks"], {one["clocks"] for one in planned["next"]}) == (True, {None})
    assert "FREQ=DAILY, on each person's own clock" in said
