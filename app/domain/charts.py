"""The shapes of column and line charts, in units of the drawing: what a template needs, and nothing of how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 1000
HEIGHT: Final = 200
_GAP: Final = 0.2
_WIDEST: Final = 90


@dataclass(frozen=True, slots=True)
class Column:
    """One rectangle: its series, and where it stands (y counts from the top)."""

    series: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Rectangles, and the value at the upper edge, at least as great as the greatest."""

    columns: tuple[Column, ...]
    top: float


def stacked(series: Mapping[str, Sequence[float]]) -> Chart:
    """Put the series on each other, one column for each place; all are of one length, and no value is below 0."""
    places = list(zip(*series.values(), strict=True))
    top = ceiling(max(map(sum, places), default=0))
    columns = []
    for place, values in enumerate(places):
        reached = 0.0
        for name, value in zip(series, values, strict=True):
            columns += _column(name, place, len(places), reached, value, top)
            reached += value
    return Chart(tuple(columns), top)


def beside(series: Mapping[str, Sequence[float]]) -> Chart:
    """Put the series beside each other, as many narrow columns for each place."""
    places = list(zip(*series.values(), strict=True))
    top = ceiling(max((max(values) for values in places), default=0))
    columns = []
    for place, values in enumerate(places):
        for at, (name, value) in enumerate(zip(series, values, strict=True)):
            columns += _column(name, place, len(places), 0.0, value, top, at, len(series))
    return Chart(tuple(columns), top)


def line(values: Sequence[float], top: float) -> str:
    """Return the points of a line through the middles of as many places, as `x,y x,y`; one value is level."""
    slot = WIDTH / max(1, len(values))
    points = [((place + 0.5) * slot, HEIGHT * (1 - value / top)) for place, value in enumerate(values)]
    if len(points) == 1:
        points = [(0.0, points[0][1]), (float(WIDTH), points[0][1])]
    return " ".join(f"{round(x, 1):g},{round(y, 1):g}" for x, y in points)


def ceiling(value: float) -> float:
    """Return the next round number: 1, 2 or 5 and zeros."""
    step = 1.0
    while step < value:
        for factor in (1, 2, 5):
            if step * factor >= value:
                return step * factor
        step *= 10
    return step


def _column(
    name: str, place: int, places: int, below: float, value: float, top: float, at: int = 0, of: int = 1
) -> list[Column]:
    if value <= 0:
        return []
    slot = WIDTH / places
    together = min(slot * (1 - _GAP), _WIDEST)
    width = together / of
    height = HEIGHT * value / top
    x = place * slot + (slot - together) / 2 + at * width
    return [
        Column(
            name,
            round(x, 2),
            round(HEIGHT * (1 - below / top) - height, 2),
            round(width, 2),
            round(height, 2),
        )
    ]
