"""Segments as JSON and as sentences: what can be said, how it reads, and where a fault is."""

from datetime import date
from typing import Any

import pytest

from app.domain.consent import Act
from app.domain.segments import BadSegment, Way, parse, sentence, way_of, written
from app.domain.segments.sentence import short_link
from app.domain.segments.written import MOST_CONDITIONS, TESTS

EVERYTHING = {
    "match": "all",
    "conditions": [
        {"test": "language", "of": ["de", "en"]},
        {"test": "channel", "of": ["sms"], "not": True},
        {"test": "way", "of": ["form"]},
        {"test": "tag", "of": ["poster-7"]},
        {"test": "area", "of": ["DE", "AT", "CH"]},
        {"test": "joined_after", "of": "2026-05-01"},
        {"test": "joined_before", "of": "2026-12-24", "not": True},
        {"test": "joined_within", "of": 1},
        {"test": "received", "of": 7, "not": True},
        {"test": "failed", "of": 8},
        {"test": "nothing_within", "of": 30},
        {"test": "on_list", "of": 2, "not": True},
    ],
}

LINK = "https://example.org/riverside"
REACTIONS = {
    "match": "all",
    "conditions": [
        {"test": "answered", "of": 7},
        {"test": "answered", "of": {"broadcast": 8, "label": "Yes"}, "not": True},
        {"test": "clicked", "of": 8, "not": True},
        {"test": "clicked", "of": {"broadcast": 7, "url": LINK}},
    ],
}

TOWNS = {
    "match": "any",
    "conditions": [
        {"test": "place", "of": ["Riverside", "Bad Homburg"]},
        {"test": "place", "of": ["Rome"], "not": True},
    ],
}


class Called:
    """Names of a newsroom."""

    def __init__(self, language: str) -> None:
        self._german = language == "de"

    def language(self, code: str) -> str:
        return (
            {"de": "Deutsch", "en": "Englisch"}[code]
            if self._german
            else {"de": "German", "en": "English"}[code]
        )

    def channel(self, name: str) -> str:
        return name.upper()

    def country(self, code: str) -> str:
        return code

    def day(self, day: date) -> str:
        return f"{day.day}. {day.month}. {day.year}" if self._german else f"{day:%d %B %Y}".lstrip("0")

    def list_name(self, list_id: int) -> str:
        return f"List {list_id}"

    def title(self, broadcast_id: int) -> str:
        return {7: "Flood warning", 8: "Ferry"}[broadcast_id]


def said(data: Any, language: str = "en", *lists: str) -> str:
    return sentence(parse(data), lists or ("City News",), Called(language), language)


def test_every_test_is_written_as_it_is_read() -> None:
    assert written(parse(EVERYTHING)) == EVERYTHING
    assert written(parse(REACTIONS)) == REACTIONS
    assert written(parse(TOWNS)) == TOWNS
    assert {one["test"] for data in (EVERYTHING, REACTIONS, TOWNS) for one in data["conditions"]} == {*TESTS}  # type: ignore[index]


def test_a_segment_reads_as_a_sentence_in_english() -> None:
    assert said(EVERYTHING) == (
        "People on City News whose language is German or English, who do not read us on SMS, who joined by a form "
        "on the web, who came by the link “poster-7”, whose number is from DE, AT, or CH, who joined after "
        "1 May 2026, who did not join before 24 December 2026, who joined in the last day, who did not receive "
        "“Flood warning”, whom “Ferry” failed to reach, who received nothing in the last 30 days, and who are not "
        "on List 2."
    )


def test_a_segment_reads_as_a_sentence_in_german() -> None:
    assert said(EVERYTHING, "de") == (
        "Alle auf City News, deren Sprache Deutsch oder Englisch ist, die uns nicht über SMS lesen, die sich über "
        "ein Webformular angemeldet haben, die über den Link „poster-7“ kamen, deren Nummer zum Land DE, AT oder CH "
        "gehört, die nach dem 1. 5. 2026 dazukamen, die nicht vor dem 24. 12. 2026 dazukamen, die am letzten Tag "
        "dazukamen, die „Flood warning“ nicht bekommen haben, bei denen „Ferry“ fehlschlug, die in den letzten "
        "30 Tagen nichts bekommen haben und die nicht auf List 2 sind."
    )


def test_a_town_reads_as_a_sentence() -> None:
    assert (
        said(TOWNS) == "People on City News whose town is Riverside or Bad Homburg or whose town is not Rome."
    )
    assert said(TOWNS, "de") == (
        "Alle auf City News, deren Ort Riverside oder Bad Homburg ist oder deren Ort nicht Rome ist."
    )


def test_everybody_but_reads_as_a_sentence_and_is_written_as_it_is_read() -> None:
    data = {"match": "all", "conditions": [{"test": "place", "of": ["Riverside"], "not": True}], "but": True}

    assert written(parse(data)) == data
    assert said(data, "en", "City News", "Sport") == (
        "Everybody on City News and Sport but those whose town is not Riverside."
    )
    assert said(data, "de") == "Alle auf City News außer denen, deren Ort nicht Riverside ist."
    with pytest.raises(BadSegment, match="“but” is true or false"):
        parse({**data, "but": "yes"})


def test_a_town_is_one_line_without_space_around_it() -> None:
    for town in (" Riverside", "Riverside ", "", "River\nside", "x" * 101):
        with pytest.raises(BadSegment, match="cannot be chosen here; write for example Riverside"):
            parse({"conditions": [{"test": "place", "of": [town]}]})


def test_what_people_answered_and_opened_reads_as_a_sentence() -> None:
    assert said(REACTIONS) == (
        "People on City News who answered “Flood warning”, who did not answer “Yes” to “Ferry”, who are not known to "
        "have opened a link of “Ferry”, and who are known to have opened the link example.org/riverside of “Flood "
        "warning”."
    )
    assert said(REACTIONS, "de") == (
        "Alle auf City News, die auf „Flood warning“ geantwortet haben, die nicht auf „Ferry“ mit „Yes“ geantwortet "
        "haben, von denen wir nicht wissen, dass sie einen Link aus „Ferry“ geöffnet haben und von denen wir wissen, "
        "dass sie den Link example.org/riverside aus „Flood warning“ geöffnet haben."
    )


def test_a_long_link_is_said_without_its_middle() -> None:
    assert short_link(f"https://example.org/{'a' * 100}?end=1") == f"example.org/{'a' * 18}…{'a' * 24}?end=1"
    assert short_link(LINK) == "example.org/riverside"


def test_any_of_several_is_said_with_or() -> None:
    data = {
        "match": "any",
        "conditions": [{"test": "failed", "of": 8}, {"test": "nothing_within", "of": 7, "not": True}],
    }
    assert said(data, "en", "City", "Sport") == (
        "People on City or Sport whom “Ferry” failed to reach or who received something in the last 7 days."
    )


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        ([], 0, "A segment is an object"),
        ({"conditions": []}, 0, "at least one condition"),
        ({"conditions": "x"}, 0, "at least one condition"),
        ({"conditions": [{}], "where": 1}, 0, "has no “where”"),
        ({"match": "some", "conditions": [{}]}, 0, "not “some”"),
        ({"conditions": [{"test": "on_list", "of": 1}] * (MOST_CONDITIONS + 1)}, 0, "at most 12 conditions, not 13"),
        ({"conditions": ["x"]}, 1, "A condition is an object"),
        ({"conditions": [{"test": "on_list", "of": 1}, {"test": "age", "of": 3}]}, 2, "There is no test “age”"),
        ({"conditions": [{"test": ["language"], "of": ["de"]}]}, 1, "There is no test"),
        ({"conditions": [{"test": "on_list", "of": 1, "or": 2}]}, 1, "has no “or”"),
        ({"conditions": [{"test": "on_list", "of": 1, "not": "yes"}]}, 1, "true or false"),
        ({"conditions": [{"test": "on_list", "of": True}]}, 1, "“True” is no whole number"),
        ({"conditions": [{"test": "on_list", "of": 0}]}, 1, "a number from 1 to"),
        ({"conditions": [{"test": "joined_within", "of": 3651}]}, 1, "a number from 1 to 3650"),
        ({"conditions": [{"test": "joined_after", "of": "2026-13-01"}]}, 1, "“2026-13-01” is no day"),
        ({"conditions": [{"test": "joined_after", "of": 5}]}, 1, "“5” is no day"),
        ({"conditions": [{"test": "joined_before", "of": "1826-01-01"}]}, 1, "from 2000 to 2100"),
        ({"conditions": [{"test": "language", "of": []}]}, 1, "Choose at least one"),
        ({"conditions": [{"test": "language", "of": "de"}]}, 1, "Choose at least one"),
        ({"conditions": [{"test": "language", "of": ["German"]}]}, 1, "“German” cannot be chosen here"),
        ({"conditions": [{"test": "channel", "of": ["fax"]}]}, 1, "write for example sms"),
        ({"conditions": [{"test": "tag", "of": ["a_b"]}]}, 1, "write for example poster-7"),
        ({"conditions": [{"test": "area", "of": ["D%"] * 51}]}, 1, "Choose at most 50"),
        ({"conditions": [{"test": "answered", "of": ""}]}, 1, "Choose at least one"),
        ({"conditions": [{"test": "clicked"}]}, 1, "Choose at least one"),
        ({"conditions": [{"test": "answered", "of": "seven"}]}, 1, "“seven” is no whole number"),
        ({"conditions": [{"test": "answered", "of": {"broadcast": 0, "label": "x"}}]}, 1, "a number from 1 to"),
        ({"conditions": [{"test": "answered", "of": {"broadcast": 7}}]}, 1, "with “broadcast” and “label”"),
        ({"conditions": [{"test": "clicked", "of": {"broadcast": 7, "label": "x"}}]}, 1, "“broadcast” and “url”"),
        ({"conditions": [{"test": "answered", "of": {"broadcast": 7, "label": "x" * 41}}]}, 1, "1 to 40 characters"),
        ({"conditions": [{"test": "answered", "of": {"broadcast": 7, "label": "a\0"}}]}, 1, "on one line"),
        ({"conditions": [{"test": "clicked", "of": {"broadcast": 7, "url": ["x"]}}]}, 1, "“url” is a text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(data: Any, place: int, words: str) -> None:
    with pytest.raises(BadSegment, match=words) as caught:
        parse(data)
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("act", "reference", "way"),
    [
        (Act.KEYWORD_FUZZY, "sms:desk", Way.TEXT),
        (Act.DOI_REPLY, "join:city", Way.FORM),
        (Act.DOI_REPLY, "operator:card", Way.ASKED),
        (Act.DOI_LINK, "list:7:change", Way.ASKED),
        (Act.IMPORT_ATTESTED, "import:abc", Way.IMPORT),
        (Act.PROVIDER_SIGNAL, "", None),
    ],
)
def test_the_acts_of_the_ledger_are_ways_of_joining(act: Act, reference: str, way: Way | None) -> None:
    assert way_of(act, reference) is way
