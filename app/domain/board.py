"""The day's board: slots of a list at fixed times of its day, and which story of the queue each one takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

# A slot that the clock comes to later than this stays empty: morning news at noon is worse than none.
SLOT_STAYS_OPEN: Final = timedelta(minutes=15)
MINUTES_OF_DAY: Final = 24 * 60


class StoryState(StrEnum):
    """Where a story is. HELD: in the queue, but no slot takes it. DROPPED: taken out by an editor."""

    QUEUED = "queued"
    HELD = "held"
    TAKEN = "taken"
    EXPIRED = "expired"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Story:
    """What the queue knows of a story; the smaller `rank`, the sooner. `until`: of no use from then on."""

    id: int
    rank: int
    title: str
    state: StoryState
    until: datetime | None = None

    def is_ready(self, at: datetime) -> bool:
        """Tell whether a slot at this moment would take it."""
        return self.state is StoryState.QUEUED and (self.until is None or self.until > at)


class BadSlot(ValueError):
    """A time of day cannot be a slot; the text names it, as it was `written`, and shows how to write one."""

    def __init__(self, written: str) -> None:
        super().__init__(f"“{written}” is no time of day. Write it as 07:30.")
        self.written = written


def read_minute(written: str) -> int:
    """Read `07:30` as the minute of the day. Raises `BadSlot`."""
    hours, colon, minutes = written.strip().partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2):
        raise BadSlot(written)
    minute = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or minute >= MINUTES_OF_DAY:
        raise BadSlot(written)
    return minute


def written_minute(minute: int) -> str:
    """Return a minute of the day as `07:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def instant_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return when a slot is on a day; a time that comes twice counts once, one that is skipped comes an hour later."""
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    return wall.astimezone(UTC)


def due_slots(minutes: Sequence[int], zone: ZoneInfo, now: datetime) -> list[datetime]:
    """Return the slots whose time has come within the last quarter of an hour."""
    today = now.astimezone(zone).date()
    moments = (
        instant_of(day, minute, zone) for day in (today - timedelta(days=1), today) for minute in minutes
    )
    return sorted(moment for moment in moments if moment <= now < moment + SLOT_STAYS_OPEN)


def top_story(queue: Sequence[Story], at: datetime) -> Story | None:
    """Return the story that a slot at this moment takes."""
    return min((one for one in queue if one.is_ready(at)), key=lambda one: (one.rank, one.id), default=None)


def foresee(queue: Sequence[Story], slots: Sequence[datetime]) -> list[Story | None]:
    """Return which story each of the slots to come would take, if nothing in the queue changed."""
    left, found = list(queue), []
    for at in slots:
        story = top_story(left, at)
        found.append(story)
        if story is not None:
            left.remove(story)
    return found
