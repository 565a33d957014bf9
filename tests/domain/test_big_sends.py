"""The number of a large send: when it is asked for, and what counts as typed."""

import pytest

from app.domain.big_sends import is_big, is_near, is_typed


@pytest.mark.parametrize(
    ("people", "threshold", "big"), [(10_000, 10_000, True), (9_999, 10_000, False), (10_000, 0, False)]
)
def test_a_send_is_big_from_the_threshold_on(people: int, threshold: int, big: bool) -> None:
    assert is_big(people, threshold) is big


@pytest.mark.parametrize(
    ("typed", "people", "shown", "right"),
    [
        ("12345", 12_345, 12_345, True),
        (" 12.345 ", 12_345, None, True),
        ("12345", 12_400, 12_345, True),
        ("12345", 12_400, None, False),
        ("12345", 13_000, 12_345, False),
        ("12346", 12_345, 12_345, False),
        ("1", 12_345, 1, False),
        ("", 12_345, None, False),
    ],
)
def test_the_number_shown_is_typed_and_near_to_that_of_now(
    typed: str, people: int, shown: int | None, right: bool
) -> None:
    assert is_typed(typed, people, shown) is right


def test_near_is_one_per_cent() -> None:
    assert is_near(9_900, 10_000)
    assert not is_near(9_899, 10_000)
