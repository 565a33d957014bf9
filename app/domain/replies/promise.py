"""A list's promise in words: how often, and between which hours. Shown at sign-up and kept with the consent."""

from datetime import datetime

from app.domain.replies.texts import day_words

_WORDS = {
    "en": "At most {count} a day, {start} to {end} h",
    "de": "Höchstens {count} am Tag, {start} bis {end} Uhr",
}
_EVENT = {
    "en": "Up to {count} messages until {day}, {time}{hours}, then it ends by itself; "
    "erased {days} days later",
    "de": "Bis zu {count} Nachrichten bis {day}, {time} Uhr{hours}, dann ist Schluss; "
    "gelöscht nach {days} Tagen",
}
_HOURS = {"en": ", {start} to {end} h", "de": ", von {start} bis {end} Uhr"}
_WHOLE_DAY = (0, 24)


def promise(language: str, max_per_day: int, from_hour: int, until_hour: int) -> str:
    """Return "At most 3 a day, 7 to 21 h" in `language`, in English where we have no words for it."""
    words = _WORDS[_supported(language)]
    return words.format(count=max_per_day, start=from_hour, end=until_hour)


def event_promise(
    language: str, most: int, ends_at: datetime, days: int, from_hour: int, until_hour: int
) -> str:
    """Return what a live event promises: "Up to 30 messages until 29 November 2026, 23:00, then it ends by itself; …".

    `ends_at` is a moment on the event's own clock; people are erased `days` later.
    """
    code = _supported(language)
    hours = "" if (from_hour, until_hour) == _WHOLE_DAY else _HOURS[code]
    return _EVENT[code].format(
        count=most,
        day=day_words(code, ends_at.date()),
        time=f"{ends_at:%H:%M}",
        hours=hours.format(start=from_hour, end=until_hour),
        days=days,
    )


def _supported(language: str) -> str:
    code = language.partition("-")[0]
    return code if code in _WORDS else "en"
