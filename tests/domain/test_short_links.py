"""Short links in a text, the code of a person behind them, and who is no person."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clicks import SAYS, is_program, says_clicks
from app.domain.placeholders import read
from app.domain.short_links import (
    CODE_LENGTH,
    PERSON_LENGTH,
    Counting,
    links_in,
    person_code,
    read_path,
    with_person,
    with_short,
)

CODE = "aB3dE6gH"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)


def tag(body: bytes) -> bytes:
    return hmac.digest(b"a key of tests", body, hashlib.sha256)


def tags(body: bytes) -> list[bytes]:
    return [tag(body)]


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Read https://example.org/a.", ("https://example.org/a",)),
        ("(see https://example.org/a_(b)), or", ("https://example.org/a_(b)",)),
        ("https://example.org/?q=1&x=ü#top!", ("https://example.org/?q=1&x=ü#top",)),
        ("“https://example.org/a”", ("https://example.org/a",)),
        ("twice https://example.org/a https://example.org/a", ("https://example.org/a",)),
        ("http://example.org is not encrypted, https:// is none", ()),
        ("of you alone: https://example.org/{{city|x}}", ()),
        ("https://example.org/{{city|x}} and https://example.org/b", ("https://example.org/b",)),
        ("{{city|x}} https://example.org/b", ("https://example.org/b",)),
    ],
)
def test_links_are_found_without_the_marks_of_their_sentence(text: str, links: tuple[str, ...]) -> None:
    assert links_in(read(text)) == links


def test_short_links_stand_where_the_links_were_and_nothing_else_moves() -> None:
    template = read("Hi {{first_name|friend}}, https://example.org/a. And https://example.org/ab!")
    short = {
        "https://example.org/a": "https://n.example/l/1",
        "https://example.org/ab": "https://n.example/l/2",
    }

    found = with_short(template, short)

    assert found.render({}) == "Hi friend, https://n.example/l/1. And https://n.example/l/2!"


def test_the_slot_of_a_person_is_empty_for_everybody_who_has_no_code() -> None:
    template = read("{{first_name|friend}}: https://n.example/l/1 https://n.example/l/2")

    found = with_person(template, ["https://n.example/l/1"], "code of 1")

    assert found.render({}) == "friend: https://n.example/l/1 https://n.example/l/2"
    assert found.render({"code of 1": "XY"}) == "friend: https://n.example/l/1XY https://n.example/l/2"


@given(st.integers(0, 2**48 - 1))
def test_a_code_of_a_person_reads_back(subscriber_id: int) -> None:
    written = person_code(subscriber_id, CODE, tag)

    assert len(written) == PERSON_LENGTH
    assert read_path(CODE + written, tags) == (CODE, subscriber_id)


def test_a_code_that_we_did_not_make_names_nobody_and_the_link_holds() -> None:
    other = person_code(7, "another8", tag)

    assert read_path(CODE + other, tags) == (CODE, None)
    assert read_path(CODE + "zzz", tags) == (CODE, None)
    assert read_path(CODE, tags) == (CODE, None)


@pytest.mark.parametrize("path", ["", "short", "a/b/c/d/e", "ümlaute!", "../../etc"])
def test_what_is_no_code_is_no_link(path: str) -> None:
    assert read_path(path, tags) is None


def test_parts_are_counted_with_a_link_as_long_as_the_longest_that_goes_out() -> None:
    begins = "https://n.example/l/"

    assert len(Counting(begins, people=False).longest) == len(begins) + CODE_LENGTH
    assert len(Counting(begins, people=True).longest) == len(begins) + CODE_LENGTH + PERSON_LENGTH


@pytest.mark.parametrize(
    ("method", "headers", "program"),
    [
        ("GET", {"User-Agent": PHONE}, False),
        ("HEAD", {"User-Agent": PHONE}, True),
        ("GET", {}, True),
        ("GET", {"User-Agent": PHONE, "Sec-Purpose": "prefetch;prerender"}, True),
        ("GET", {"User-Agent": PHONE, "Purpose": "prefetch"}, True),
        ("GET", {"User-Agent": PHONE, "X-Moz": "prefetch"}, True),
        ("GET", {"User-Agent": "WhatsApp/2.23.20.0"}, True),
        ("GET", {"User-Agent": "TelegramBot (like TwitterBot)"}, True),
        ("GET", {"User-Agent": "facebookexternalhit/1.1"}, True),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, True),
        (
            "GET",
            {"User-Agent": "Mozilla/5.0 (Linux; Android 15; Cubot X70) Chrome/140.0 Mobile Safari/537.36"},
            False,
        ),
    ],
)
def test_previews_and_programs_are_told_from_people(
    method: str, headers: dict[str, str], program: bool
) -> None:
    assert is_program(method, headers) is program


def test_a_notice_says_that_clicks_are_kept_only_in_our_very_words() -> None:
    assert says_clicks(f"News of the day.\n{SAYS['en']} Reply STOP to end.", "en")
    assert not says_clicks("We look at some links.", "en")
    assert not says_clicks(SAYS["en"], "de")
    assert not says_clicks(SAYS["en"], "fr")
