"""The form of a story: what it holds, and what its counter and its phone say while it is written."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.desk.reading import sender_of
from app.desk.text_check import TextCheck, check_text
from app.services import find_people
from app.services.broadcast_times import local_instant
from app.services.short_links import counting_of
from app.storage.database import db
from app.storage.models import StoryRow


def values_of(row: StoryRow, zone: ZoneInfo) -> dict[str, Any]:
    """What the form holds of a story that is changed; its end is on the list's clock."""
    values = {"title": row.title, "text": row.text, "revision": row.revision, "story": row.id}
    if row.until is not None:
        there = row.until.astimezone(zone)
        values |= {"day": f"{there:%Y-%m-%d}", "hour": f"{there:%H:%M}"}
    return values


def until_of(values: dict[str, Any], zone: str) -> datetime | None:
    """When a story ends by its form. Raises `Refused` for a time that no clock there shows."""
    if values["day"] is None or values["hour"] is None:
        return None
    return local_instant(datetime.combine(values["day"], values["hour"]), zone)


def checked(list_id: int, text: str) -> TextCheck:
    """A story's text as a slot would send it: with the short links of its list, where clicks are counted."""
    return check_text(text.replace("\r\n", "\n"), counting=counting_of(db.session(), [list_id]))


def looked_at(list_id: int, text: str) -> dict[str, Any]:
    """What the counter and the phone need to know."""
    return {
        "check": checked(list_id, text),
        "sender": sender_of([list_id]),
        "reachable": find_people.reachable([list_id]),
    }
