"""Marks in editors' text: which of them style words, and what stays as it was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.placeholders import Slot, Template, parse
from app.domain.short_links import links_in, with_short
from app.domain.styled import html, runs, typed, utf16
from app.domain.styles import (
    Span,
    Style,
    Styled,
    fill,
    has_codes,
    lone_marks,
    marked,
    read_styled,
    shown,
    without_marks,
)

BOLD, ITALIC, STRIKE = Style.BOLD, Style.ITALIC, Style.STRIKE
SIGNS = st.text(alphabet="*_~\\ ab1.,(\n🎉é\ufdd0\ufdd1\ufddf{", max_size=40)


def pieces(text: str, **values: str) -> list[tuple[str, Style]]:
    words = shown(text, values)
    return [(words.text[one.start : one.end], one.style) for one in words.spans]


@pytest.mark.parametrize(
    ("text", "read", "styled"),
    [
        (
            "*bold* _italic_ ~struck~",
            "bold italic struck",
            [("bold", BOLD), ("italic", ITALIC), ("struck", STRIKE)],
        ),
        ("Now: *two words*, (*this*).", "Now: two words, (this).", [("two words", BOLD), ("this", BOLD)]),
        ("*_both_*", "both", [("both", BOLD), ("both", ITALIC)]),
        ("*all and _some_ of it*", "all and some of it", [("all and some of it", BOLD), ("some", ITALIC)]),
        ("🎉*here*❤️*there*", "🎉here❤️there", [("here", BOLD), ("there", BOLD)]),
        ("*Straße* *今日*", "Straße 今日", [("Straße", BOLD), ("今日", BOLD)]),
        ("*1.* first", "1. first", [("1.", BOLD)]),
        ("*https://example.org/a_b_c*", "https://example.org/a_b_c", [("https://example.org/a_b_c", BOLD)]),
        ("_me_too@example.org_", "me_too@example.org", [("me_too@example.org", ITALIC)]),
        (r"\*not\* *but*", "*not* but", [("but", BOLD)]),
    ],
)
def test_a_pair_at_the_edges_of_words_styles_what_is_between(
    text: str, read: str, styled: list[tuple[str, Style]]
) -> None:
    assert shown(text).text == read
    assert pieces(text) == styled


@pytest.mark.parametrize(
    "text",
    [
        "3*4*5",
        "snake_case_name",
        "sh*t and b*tch",
        "**bold**",
        "__init__",
        "* one\n* two",
        "a * b * c",
        "*two\nlines*",
        "* padded *",
        "*",
        "**",
        "*_*",
        "Price* and *terms apply",
        "~5 km or ~10 km",
        "https://example.org/_a_/*b*/c_",
        "https://example.org/?q=*a* *",
        "first_last_@example.org _",
        r"C:\temp\new",
    ],
)
def test_other_signs_stay_as_they_are_typed(text: str) -> None:
    assert shown(text) == Styled(text)


def test_a_pair_within_another_that_it_crosses_is_none() -> None:
    assert pieces("*a _b* c_") == [("a _b", BOLD)]


def test_a_bold_placeholder_is_bold_whatever_its_value_is() -> None:
    assert pieces("*Hello {{first_name|friend}}!*") == [("Hello friend!", BOLD)]
    assert pieces("*{{first_name|friend}}* reads", first_name="Zoë 🎉") == [("Zoë 🎉", BOLD)]


def test_a_word_that_a_value_ends_is_no_edge() -> None:
    assert shown("{{city|here}}*bold*").text == "here*bold*"


@pytest.mark.parametrize("name", ["*Ada*", "A*da", "_Ada_", "~", r"\*", "*", "a@b.example"])
def test_signs_in_a_value_are_only_signs(name: str) -> None:
    words = shown("*Dear* {{first_name|friend}} and *all*", {"first_name": name})

    assert words.text == f"Dear {name} and all"
    assert pieces("*Dear* {{first_name|friend}} and *all*", first_name=name) == [
        ("Dear", BOLD),
        ("all", BOLD),
    ]


def test_codes_in_texts_and_values_are_dropped_and_style_nothing() -> None:
    template = read_styled("*a* \ufdd0b {{first_name|\ufdd1c}}")

    assert fill(template, {"first_name": "\ufdd0x\ufdd1"}) == Styled("a b x", (Span(0, 1, BOLD),))
    assert fill(template, {}).text == "a b c"


def test_a_text_without_marks_is_the_same_object() -> None:
    template = parse("Good morning {{first_name|friend}}")

    assert marked(template) is template
    assert not has_codes(template)


def test_a_link_in_bold_is_found_and_gets_short() -> None:
    template = read_styled("*https://example.org/long*, https://example.org/b")

    assert links_in(template) == ("https://example.org/long", "https://example.org/b")
    short = with_short(template, {"https://example.org/long": "https://s.example/1"})
    assert fill(short, {}) == Styled("https://s.example/1, https://example.org/b", (Span(0, 19, BOLD),))


def test_lone_marks_are_told_once_each() -> None:
    assert lone_marks("*bold and _more _and") == ("*", "_")
    assert lone_marks(r"*bold* a * b 3*4 **x** \*y") == ()


def test_lengths_are_counted_without_marks_unless_the_app_reads_them_in_the_text() -> None:
    text = r"*Hi* {{city|there}} \*x"

    assert without_marks(text, "telegram") == "Hi {{city|there}} *x"
    assert without_marks(text, "whatsapp") == "*Hi* {{city|there}} *x"


def test_ranges_count_emoji_and_flags_as_two_units_for_each_code_point_beyond_the_first_plane() -> None:
    words = shown("🎉🇩🇪 é *now* 🎉")

    (found,) = utf16(words)
    raw = words.text.encode("utf-16-le")
    assert found == (9, 3, BOLD)
    assert raw[2 * 9 : 2 * (9 + 3)].decode("utf-16-le") == "now"


def test_html_is_escaped_and_styled() -> None:
    assert (
        html(shown("*a <b> & _c_*\nd"))
        == "<strong>a &lt;b&gt; &amp; </strong><em><strong>c</strong></em><br>d"
    )


@pytest.mark.parametrize(
    ("text", "name", "marks"),
    [
        ("*Dear {{first_name|friend}}*", "Ada", "*Dear Ada*"),
        ("*Dear {{first_name|friend}}*", "A*d*a", "*Dear A\u2217d\u2217a*"),
        ("Dear {{first_name|friend}}", "*Ada*", "Dear \u2217Ada*"),
        ("Dear {{first_name|friend}}, 3*4", "Ada*", "Dear Ada*, 3*4"),
        ("*see https://example.org/a*b now*", "", "see https://example.org/a*b now"),
        (r"\*x\*", "", "\u2217x*"),
    ],
)
def test_typed_marks_style_what_is_meant_and_no_value(text: str, name: str, marks: str) -> None:
    assert typed(shown(text, {"first_name": name})) == marks


def test_where_a_mark_opens_behind_a_space_only_the_others_are_left_out() -> None:
    words = shown("(*a*) *b* *_c_*")

    assert typed(words) == "(*a*) *b* *_c_*"
    assert typed(words, opens_after_space=True) == "(a) *b* *_c_*"


@given(SIGNS)
def test_nothing_but_marks_and_backslashes_is_ever_lost(text: str) -> None:
    template = marked(Template((text,), ()))
    words = fill(template, {})

    kept = text.translate(dict.fromkeys(range(64976, 65008)))
    assert words.text.translate(dict.fromkeys(map(ord, "*_~\\"))) == kept.translate(
        dict.fromkeys(map(ord, "*_~\\"))
    )
    assert len(kept) - len(words.text) >= 2 * len(words.spans)


@given(SIGNS)
def test_spans_lie_apart_or_within_each_other_on_one_line(text: str) -> None:
    words = fill(marked(Template((text,), ())), {})

    for number, one in enumerate(words.spans):
        assert one.start < one.end <= len(words.text)
        assert "\n" not in words.text[one.start : one.end]
        for other in words.spans[number + 1 :]:
            assert other.start >= one.end or other.end <= one.end
    assert "".join(run.text for run in runs(words)) == words.text


@given(SIGNS, st.text(alphabet="*_~ ab\\.", max_size=12))
def test_what_is_typed_reads_back_as_no_more_than_was_meant(text: str, name: str) -> None:
    template = marked(Template((text + " ", " " + text), (Slot("first_name", "friend"),)))
    words = fill(template, {"first_name": name})

    for after_space in (False, True):
        again = fill(marked(Template((typed(words, opens_after_space=after_space),), ())), {})
        assert _looks(again) <= _looks(words)


def _looks(words: Styled) -> set[tuple[int, Style]]:
    """The letters that are styled, by their number among letters alone."""
    letters = [at for at, sign in enumerate(words.text) if sign.isalnum()]
    return {
        (number, one.style)
        for number, at in enumerate(letters)
        for one in words.spans
        if one.start <= at < one.end
    }
