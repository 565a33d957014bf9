"""The line of a small chart without axes: how something went, and no figure of it."""

from collections.abc import Sequence
from typing import Final

WIDTH: Final = 100
HEIGHT: Final = 24
_EDGE: Final = 2.0  # so that the stroke is not cut off


def points(values: Sequence[float]) -> str:
    """Return the points of an SVG polyline from the left to the right, the least value at the bottom.

    Values that are all alike make a line in the middle; fewer than two make none ("").
    """
    if len(values) < 2:
        return ""
    least, span = min(values), max(values) - min(values)
    room = HEIGHT - 2 * _EDGE
    steps = (
        (WIDTH * place / (len(values) - 1), _EDGE + room * (1 - (one - least) / span if span else 0.5))
        for place, one in enumerate(values)
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in steps)
