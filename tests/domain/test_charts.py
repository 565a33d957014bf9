"""Column charts: nothing drawn outside, heights that say what the numbers say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.charts import HEIGHT, WIDTH, beside, ceiling, stacked

_VALUES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=40)


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (1.5, 2), (3, 5), (6, 10), (11, 20), (4999, 5000)]
)
def test_the_upper_edge_is_the_next_round_number(value: float, top: float) -> None:
    assert ceiling(value) == top


@given(_VALUES)
def test_stacked_columns_stay_in_the_drawing_and_are_as_high_as_their_sum(
    values: list[tuple[int, int]],
) -> None:
    chart = stacked({"a": [a for a, _ in values], "b": [b for _, b in values]})

    for one in chart.columns:
        assert 0 <= one.x <= one.x + one.width <= WIDTH + 0.1
        assert -0.1 <= one.y <= one.y + one.height <= HEIGHT + 0.1
    drawn = sum(one.height for one in chart.columns)
    assert drawn == pytest.approx(HEIGHT * sum(map(sum, values)) / chart.top, abs=0.1 * len(values) + 0.1)


def test_columns_beside_each_other_do_not_touch_the_next_place() -> None:
    chart = beside({"joined": [4, 2], "left": [1, 0]})

    assert [(one.series, one.height) for one in chart.columns] == [
        ("joined", 160.0), ("left", 40.0), ("joined", 80.0),
    ]  # fmt: skip
    assert chart.columns[1].x + chart.columns[1].width <= WIDTH / 2


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    assert stacked({"a": [], "b": []}).columns == ()
    assert beside({"a": [0]}).columns == ()
