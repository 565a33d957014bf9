"""The line of a small chart."""

import pytest

from app.domain.sparklines import points


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([7], ""),
        ([1, 1], "0.0,12.0 100.0,12.0"),
        ([0, 5, 10], "0.0,22.0 50.0,12.0 100.0,2.0"),
        ([10, 0], "0.0,2.0 100.0,22.0"),
    ],
)
def test_a_line_goes_from_the_least_at_the_bottom_to_the_greatest(values: list[float], drawn: str) -> None:
    assert points(values) == drawn
