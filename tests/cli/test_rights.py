"""People's rights, as an operator carries them out."""

import json

from tests.cli.conftest import Shell

ANNA = "+1 202 555 0101"


def test_a_person_gets_their_data_as_json_and_as_pages(newsdesk: Shell) -> None:
    folder = newsdesk.folder / "request-17"

    said = newsdesk.json("subscribers", "data", ANNA, "--out", str(folder))

    assert len(said["files"]) == 3
    pack = json.loads((folder / "person.json").read_text(encoding="utf-8"))
    assert pack["person"]["profile"] == {"first_name": "Anna"}
    assert (folder / "person.json").stat().st_mode & 0o077 == 0
    assert "Your data" in (folder / "person-en.html").read_text(encoding="utf-8")
    assert "Ihre Daten" in (folder / "person-de.html").read_text(encoding="utf-8")
    newsdesk.ok("subscribers", "data", ANNA, "--out", str(folder / "one.html"), "--lang", "de")
    assert "Ihre Daten" in (folder / "one.html").read_text(encoding="utf-8")
    assert "Nobody at" in newsdesk.run("subscribers", "data", "+12025550150", "--out", "x.json").stderr


def test_an_erasure_says_what_goes_and_what_stays_and_cannot_be_done_twice(newsdesk: Shell) -> None:
    planned = newsdesk.json("subscribers", "erase", ANNA, "--keep-proof", "--dry-run")
    newsdesk.ok("subscribers", "show", ANNA)

    said = newsdesk.ok("subscribers", "erase", ANNA, "--keep-proof", "--reason", "letter of 3 March")

    assert "sealed proofs under lock" in said
    assert f"{planned['statement']['deliveries']} deliveries" in said
    assert newsdesk.run("subscribers", "erase", ANNA).exit_code == 1
    assert newsdesk.json("consent", "verify")["bad"] is None
    sealed = json.loads(newsdesk.ok("subscribers", "sealed", ANNA, "--reason", "claim 17"))
    assert sealed["people"][0]["entries"][0]["personal"]["address"] == "+12025550101"
    assert newsdesk.run("subscribers", "sealed", ANNA, "--reason", "x", "--json").exit_code == 2
    out = newsdesk.folder / "sealed.json"
    assert (
        newsdesk.json("subscribers", "sealed", ANNA, "--reason", "claim 17", "--out", str(out))["entries"]
        >= 3
    )


def test_retention_is_shown_tried_and_done(newsdesk: Shell) -> None:
    assert "No round yet" in newsdesk.ok("retention", "report")
    assert "Would go: nothing" in newsdesk.ok("retention", "run", "--dry-run")
    assert "Gone: nothing" in newsdesk.ok("retention", "run")
    report = newsdesk.json("retention", "report", "--lang", "de")
    assert len(report["runs"]) == 1
    assert {row["kind"]: row["period"] for row in report["periods"]}["signups"] == "30 Tage"


def test_the_record_of_processing_is_written_as_a_page_or_as_json(newsdesk: Shell) -> None:
    page = newsdesk.folder / "art30.html"

    assert newsdesk.json("records", "art30", "--out", str(page), "--lang", "de")["activities"] == 4

    assert "Verzeichnis von Verarbeitungstätigkeiten" in page.read_text(encoding="utf-8")
    assert json.loads(newsdesk.ok("records", "art30"))["format"] == "tidings-art30-1"
    assert newsdesk.run("records", "art30", "--out", "art30.pdf").exit_code == 2
    assert "cannot be written" in newsdesk.run("records", "art30", "--out", "/proc/x.json").stderr


def test_a_notice_is_shown_and_written_anew(newsdesk: Shell) -> None:
    assert "Version 1, shown to whoever joins now" in newsdesk.ok("lists", "notice", "NEWS")
    (first,) = newsdesk.json("lists", "notice", "NEWS", "--language", "en")
    better = newsdesk.write("notice.txt", first["text"].replace("you asked for", "this is"))
    worse = newsdesk.write("worse.txt", first["text"].replace("STOP", "GO"))

    assert newsdesk.json("lists", "notice", "NEWS", "--set", better)["version"] == 2
    assert "Say how to leave" in newsdesk.run("lists", "notice", "NEWS", "--set", worse).stderr
    refused = newsdesk.run("lists", "notice", "NEWS", "--set", better, "--purpose", "Offers")
    assert "2 people agreed to another purpose" in refused.stderr
    assert "must be asked again" in newsdesk.ok(
        "lists", "notice", "NEWS", "--set", better, "--purpose", "Road works", "--ask-again"
    )
    assert newsdesk.json("lists", "ask-again", "NEWS")["asked"] == 2
    assert "nobody to ask again" in newsdesk.run("lists", "ask-again", "NEWS").stderr
    latin = newsdesk.folder / "latin.txt"
    latin.write_bytes("Hinweis für Sie".encode("latin-1"))
    assert "not UTF-8" in newsdesk.run("lists", "notice", "NEWS", "--set", str(latin)).stderr
    assert len(newsdesk.json("lists", "notice", "NEWS")) == 3
