"""`tidings segments`: a rule is saved, shown as a sentence, counted, and used for a broadcast."""

from tests.cli.conftest import Shell

IMPORTED = '{"conditions": [{"test": "way", "of": ["import"]}]}'


def test_a_segment_is_saved_counted_looked_at_and_sent_to(newsdesk: Shell) -> None:
    added = newsdesk.json("segments", "add", "NEWS", "From the form", IMPORTED)
    sentence = "People on News who joined by an import."
    assert (added["id"], added["sentence"]) == (1, sentence)
    assert sentence in newsdesk.ok("segments", "list", "--list", "NEWS")
    assert newsdesk.json("segments", "show", "1")["rule"]["conditions"][0]["of"] == ["import"]
    assert newsdesk.ok("segments", "count", "1") == "2 people, 2 of them can be reached.\n"
    assert [one["address"] for one in newsdesk.json("segments", "people", "1")] == [
        "+12025550101",
        "+12025550102",
    ]
    masked = newsdesk.ok("segments", "people", "1", "--masked", "--limit", "1")
    assert "+12025550101" not in masked
    assert "01" in masked

    words = ("--title", "Bridge", "--text", "Open. Reply STOP to leave.", "--list", "NEWS")
    draft = newsdesk.json("broadcasts", "create", *words, "--segment", "1")
    assert draft["review"]["reachable"] == 2
    assert sentence in newsdesk.ok("broadcasts", "status", str(draft["id"]))

    others = newsdesk.json("broadcasts", "create", *words, "--all-but", "1")
    assert others["review"]["reachable"] == 0
    status = newsdesk.ok("broadcasts", "status", str(others["id"]))
    assert "Everybody on News but those who joined by an import." in status
    both = newsdesk.run("broadcasts", "create", *words, "--all-but", "1", "--segment", "1")
    assert "Give either --segment or --all-but." in both.stderr


def test_a_rule_that_cannot_be_read_is_refused_with_the_place(newsdesk: Shell) -> None:
    broken = newsdesk.run("segments", "add", "NEWS", "x", '{"conditions": [')
    unknown = newsdesk.run("segments", "add", "NEWS", "x", '{"conditions": [{"test": "age", "of": 3}]}')
    answer = '{"conditions": [{"test": "answered", "of": {"broadcast": 7, "label": "Yes"}}]}'
    ghost = newsdesk.run("segments", "add", "NEWS", "x", answer)
    missing = newsdesk.run("segments", "count", "7")

    assert broken.stderr == "The rule is no JSON: Expecting value, line 1, column 17.\n"
    assert unknown.stderr.startswith("Condition 1: There is no test “age”. There are: language, channel,")
    assert ghost.stderr == "There is no broadcast 7.\n"
    assert missing.stderr == "There is no such segment.\n"
