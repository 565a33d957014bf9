"""Facts about placeholders: checked when saved, filled when sent, and never a program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.placeholders import PlaceholderError, parse


def test_a_value_is_filled_in() -> None:
    assert parse("Hi {{first_name|friend}}!").render({"first_name": "Ada"}) == "Hi Ada!"


@pytest.mark.parametrize("values", [{}, {"first_name": ""}, {"first_name": "  "}, {"city": "Bonn"}])
def test_an_absent_or_blank_value_gives_way_to_the_fall_back(values: dict[str, str]) -> None:
    assert parse("Hi {{first_name|friend}}!").render(values) == "Hi friend!"


def test_blanks_around_the_name_and_the_fall_back_do_not_matter() -> None:
    assert parse("{{ city | your town }}").render({}) == "your town"


def test_names_are_listed_once_in_order() -> None:
    assert parse("{{city|here}} {{first_name|you}} {{city|there}}").names == ("city", "first_name")


def test_a_value_is_never_read_as_a_placeholder() -> None:
    rendered = parse("{{first_name|a}}{{city|b}}").render({"first_name": "{{city|x}}", "city": "%s{0}"})

    assert rendered == "{{city|x}}%s{0}"


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
def test_a_text_without_braces_stays_as_it_is(text: str) -> None:
    assert parse(text).render({"first_name": "Ada"}) == text


@pytest.mark.parametrize("text", ["a { b } c", "{not_a_name}", "100 % {", "{{first_name|you}} } {"])
def test_single_braces_are_ordinary_characters(text: str) -> None:
    assert parse(text).render({"first_name": "you"}) == text.replace("{{first_name|you}}", "you")


def test_other_names_can_be_made_known() -> None:
    assert parse("{{team|us}}", known=("team",)).render({"team": "Red"}) == "Red"


@pytest.mark.parametrize(
    ("text", "position", "problem", "instead"),
    [
        ("Hi {{name|you}}", 5, "no placeholder “name”", "first_name"),
        ("Hi {{First Name|you}}", 5, "no placeholder “First Name”", "Write {{first_name|friend}}."),
        ("Hi {{}}", 5, "no placeholder “”", "Known are: first_name, last_name, city."),
        ("Hi {{first_name}}", 5, "has no fall-back", "{{first_name|friend}}"),
        ("Hi {{first_name| }}", 5, "has no fall-back", "{{first_name|friend}}"),
        ("Hi {{first_name|you", 3, "never closed", "{{first_name|friend}}"),
        ("Hi {{first_name|you} and", 3, "never closed", "{{first_name|friend}}"),
        ("Hi {{first_name|a {{city|b}}", 3, "never closed", "{{first_name|friend}}"),
        ("Hi first_name}}", 13, "closes nothing", "{{first_name|friend}}"),
        ("Hi {{first_name|a|b}}", 17, "may not hold “|”", "{{first_name|friend}}"),
        ("Hi {{first_name|a{b}}", 17, "may not hold “{”", "{{first_name|friend}}"),
        ("Hi {{first_name|a\nb}}", 17, "a line break", "on one line"),
        ("Hi {first_name|you}", 3, "has two braces", "{{first_name|friend}}"),
        ("{{city|here}} { first_name }", 14, "has two braces", "{{first_name|friend}}"),
    ],
)
def test_a_fault_is_named_with_its_place_and_the_remedy(
    text: str, position: int, problem: str, instead: str
) -> None:
    with pytest.raises(PlaceholderError) as caught:
        parse(text)

    assert caught.value.position == position
    assert problem in str(caught.value)
    assert instead in str(caught.value)
    assert f"At character {position + 1}:" in str(caught.value)
