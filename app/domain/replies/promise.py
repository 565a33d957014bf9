"""A list's promise in words: how often, and between which hours. Shown at sign-up and kept with the consent."""

_WORDS = {
    "en": "At most {count} a day, {start} to {end} h",
    "de": "Höchstens {count} am Tag, {start} bis {end} Uhr",
}


def promise(language: str, max_per_day: int, from_hour: int, until_hour: int) -> str:
    """Return "At most 3 a day, 7 to 21 h" in `language`, in English where we have no words for it."""
    words = _WORDS.get(language.partition("-")[0], _WORDS["en"])
    return words.format(count=max_per_day, start=from_hour, end=until_hour)
