"""What a list may be called, which word may join it, and what may be promised of it."""

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.keywords import LANGUAGES
from app.domain.keywords.tables import all_words, words_for
from app.services.controller import Conflict, Refused
from app.storage.models import BroadcastList

MAX_PER_DAY: Final = 50


def check_texts(name: str, purpose: str, language: str) -> None:
    """Raise `Refused` where name, purpose or language of a list cannot be."""
    if not 1 <= len(name) <= 100:
        raise Refused("A list needs a name of 1 to 100 characters, such as “Morning news”.")
    if not 1 <= len(purpose) <= 300:
        raise Refused(
            "Say in 1 to 300 characters what people get; it is shown before they agree. "
            "Example: “the day's most important news from Riverside”"
        )
    if language not in LANGUAGES:
        raise Refused(f"“{language}” is no language that we can read commands in: {', '.join(LANGUAGES)}.")


def check_word(keyword: str, word: str) -> None:
    """Raise `Refused` for a word that cannot join a list, or means something already."""
    if not 2 <= len(word) <= 40:
        raise Refused(f"“{keyword}” cannot be a keyword: it needs 2 to 40 letters or digits. Example: NEWS")
    words = words_for(LANGUAGES)
    meanings = {"STOP": {**words.also_stop, **words.stop}, "START": words.start, "HELP": words.help}
    meanings |= {"YES": words.yes, "NO": words.no, "PAUSE": words.pause}
    for meaning, taken in meanings.items():
        if word in taken:
            language = taken[word].partition(".")[0]
            raise Refused(f"“{keyword}” means {meaning} to people who write in “{language}”. Choose another.")
    if word in all_words():
        raise Refused(f"“{keyword}” means every list, as in “STOP ALL”. Choose another keyword.")


def check_promise(max_per_day: int, from_hour: int, until_hour: int, zone: str) -> None:
    """Raise `Refused` for a promise that is none."""
    if not 1 <= max_per_day <= MAX_PER_DAY:
        raise Refused(f"At most {max_per_day} messages a day is no promise; give 1 to {MAX_PER_DAY}.")
    if not 0 <= from_hour < until_hour <= 24:
        raise Refused(
            f"From {from_hour} until {until_hour} is no time of day; the first hour comes before the last, "
            "both from 0 to 24. Example: from 7 until 21"
        )
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refused(f"There is no time zone “{zone}”. Example: Europe/Berlin") from error


def reason_of(any_hour_reason: str) -> str | None:
    """Return the reason without spaces around it, None for none; raises `Refused` where it is too long."""
    reason = any_hour_reason.strip()
    if len(reason) > 300:
        raise Refused("Say in at most 300 characters why this list may be sent at any hour.")
    return reason or None


def check_free(session: Session, name: str, word: str, but: int | None = None) -> None:
    """Raise `Conflict` where another list than `but` has this name or this word."""
    for row in session.scalars(select(BroadcastList).where(BroadcastList.id.is_distinct_from(but))):
        closed = " (archived)" if row.archived_at else ""
        if row.name.casefold() == name.casefold():
            raise Conflict(f"There is a list “{row.name}”{closed} already. Choose another name.")
        if row.keyword == word:
            raise Conflict(f"The keyword “{word}” belongs to the list “{row.name}”{closed}. Choose another.")
