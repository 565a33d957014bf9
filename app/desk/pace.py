"""The drawing of a broadcast's pace: a line of messages a minute, and the level that the senders allow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.charts import HEIGHT, ceiling, line
from app.services.figures.pace import Pace, Step

NEWEST: Final = 10


@dataclass(frozen=True)
class PaceDrawing:
    """Points of the line, the height of the level (None: it lies far above), and the newest steps, newest first."""

    points: str
    level: float | None
    top: float
    target: int
    steps: tuple[Step, ...]
    newest: tuple[Step, ...]

    @property
    def first(self) -> datetime:
        """When the line begins."""
        return self.steps[0].at

    @property
    def last(self) -> datetime:
        """When its last step begins."""
        return self.steps[-1].at


def pace_drawing(pace: Pace) -> PaceDrawing | None:
    """Draw the steps; None before the clock has looked for the first time."""
    if not pace.steps:
        return None
    values = [one.per_minute for one in pace.steps]
    # A level far above the line would press the line flat: then the words alone tell it.
    near = pace.target if pace.target <= 4 * max(values) else 0
    top = ceiling(max(*values, near, 1))
    level = round(HEIGHT * (1 - pace.target / top), 1) if near else None
    newest = tuple(reversed(pace.steps[-NEWEST:]))
    return PaceDrawing(line(values, top), level, top, round(pace.target), pace.steps, newest)
