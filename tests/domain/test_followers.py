"""When a list of followers is believed."""

import pytest

from app.domain.followers import is_plausible


@pytest.mark.parametrize(
    ("followers", "ours", "missing", "believed"),
    [
        (0, 0, 0, True),
        (0, 1, 1, False),
        (0, 400, 400, False),
        (5, 49, 49, True),
        (500, 50, 10, True),
        (500, 50, 11, False),
        (9000, 1000, 200, True),
        (9000, 1000, 201, False),
    ],
)
def test_an_empty_list_and_a_fifth_of_fifty_people_in_a_night_are_too_much(
    followers: int, ours: int, missing: int, believed: bool
) -> None:
    assert is_plausible(followers, ours, missing) is believed
