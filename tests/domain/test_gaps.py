"""Gaps: found, filled, and never sent."""

import pytest

from app.domain.gaps import filled, gaps_in, pieces
from app.domain.policy.content import Severity, lint


def test_a_text_is_cut_into_gaps_and_what_lies_between() -> None:
    found = pieces("[[place]]: no water until [[ time ]].")

    assert [tuple(one) for one in found] == [
        ("[[place]]", True),
        (": no water until ", False),
        ("[[ time ]]", True),
        (".", False),
    ]


@pytest.mark.parametrize("text", ["[Update] The bridge", "[[]]", "[[a\nb]]", "[[" + "x" * 61 + "]]", ""])
def test_what_is_no_gap_stays_text(text: str) -> None:
    assert gaps_in(text) == ()
    assert filled(text, {"Update": "no"}) == text


def test_each_gap_is_named_once_and_filled_wherever_it_stands() -> None:
    text = "[[place]], [[ place ]] and [[time]]"

    assert gaps_in(text, "In [[city]] by [[time]]") == ("place", "time", "city")
    assert filled(text, {"place": "Riverside"}) == "Riverside, Riverside and [[time]]"


def test_a_text_with_a_gap_may_not_be_sent() -> None:
    first = lint("City: [[place]] is closed. Reply STOP to leave.", brand="City")[0]

    assert (first.severity, first.code, first.where) == (Severity.ERROR, "gap", "[[place]]")
