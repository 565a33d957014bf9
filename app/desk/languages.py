"""In which language a page speaks, and how it writes numbers and moments."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from flask import Flask, request, session
from flask_babel import Babel, LazyString, force_locale, get_locale
from flask_babel import gettext as _gettext
from flask_babel import lazy_gettext as _lazy_gettext
from flask_babel import ngettext as _ngettext
from flask_login import current_user

from app.services.manage_users import LANGUAGES

TRANSLATIONS: Final = Path(__file__).parent / "translations"
LANGUAGE_NAMES: Final = {"en": "English", "de": "Deutsch"}

CLOCK: Final = "HH:mm"
_PATTERNS: Final = {
    "en": {"long": "EEEE d MMMM y, HH:mm", "short": "EEE d MMM, HH:mm", "full": "d MMM y, HH:mm:ss"},
    "de": {"long": "EEEE, d. MMMM y, HH:mm", "short": "EEE, d. MMM, HH:mm", "full": "d. MMM y, HH:mm:ss"},
}
_DAYS: Final = {
    "en": {"date": "d MMMM y", "weekday": "EEEE d MMMM", "month": "MMMM y"},
    "de": {"date": "d. MMMM y", "weekday": "EEEE, d. MMMM", "month": "MMMM y"},
}
_THOUSANDS: Final = {"en": ",", "de": "."}
_babel: Final = Babel()
_SINGLE: Final = str.maketrans("“”„«»", "‘’‚‹›")


def gettext(text: str, **values: object) -> str:
    """`text` in the reader's language, with `values` filled in."""
    return str(_gettext(text, **values))


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """The form of a sentence that fits `count`; `%(n)s` is the count as the reader writes numbers."""
    return str(_ngettext(one, many, count, n=number(count), **values))


def lazy_gettext(text: str) -> LazyString:
    """A text that is translated when it is shown, for tables of words made at import."""
    return _lazy_gettext(text)


def init_languages(app: Flask) -> None:
    """Speak the account's language, else the one chosen for this session, else the browser's, else English."""
    _babel.init_app(
        app,
        default_locale="en",
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=choose_language,
    )


def choose_language() -> str:
    """The language of this request."""
    if current_user.is_authenticated:
        return str(current_user.language)
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Speak `language` for a moment, where the reader's own is not known."""
    with force_locale(language):
        yield


def inside_quotes(text: str) -> str:
    """Return `text` as it stands between quotation marks: its own become single ones."""
    return text.translate(_SINGLE)


def language() -> str:
    """The language being spoken: `en` or `de`."""
    spoken = str(get_locale() or "").partition("_")[0]
    return spoken if spoken in LANGUAGES else LANGUAGES[0]


def number(value: float) -> str:
    """1204 as `1,204` or `1.204`."""
    if isinstance(value, int):  # a page of figures has hundreds of them, and the other way takes long
        return f"{value:,}".replace(",", _THOUSANDS[language()])
    return format_decimal(value, locale=language())


def moment(instant: datetime, zone: str = "UTC", style: str = "long") -> str:
    """An instant in words on the clocks of `zone`, always with the zone: `Thursday 26 November 2026, 09:00 CET`."""
    local = instant.astimezone(ZoneInfo(zone))
    pattern = CLOCK if style == "clock" else _PATTERNS[language()][style]
    text = format_datetime(local, pattern, locale=language())
    return f"{text} {zone_name(local)}"


def wall_words(wall: datetime, style: str = "long") -> str:
    """What a clock on the wall shows, in words and without a zone: `Thursday 26 November 2026, 09:00`."""
    return format_datetime(wall, _PATTERNS[language()][style], locale=language())


def day_words(day: date, style: str = "date") -> str:
    """A day in words: `1 December 2026`; as `weekday` `Tuesday 1 December`, as `month` `December 2026`."""
    return format_date(day, _DAYS[language()][style], locale=language())


def zone_name(local: datetime) -> str:
    """`CET`, or `UTC+04` where a zone has no name of letters."""
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


def distance(instant: datetime, now: datetime) -> str:
    """How far away an instant is: `in 3 hours`, `2 days ago`."""
    return format_timedelta(instant - now, add_direction=True, locale=language())


def duration(seconds: float) -> str:
    """A length of time in words, rounded as people say it: `14 minutes`."""
    return format_timedelta(timedelta(seconds=max(1, round(seconds))), threshold=1.4, locale=language())


def zones() -> list[str]:
    """The time zones to choose from, without the historical spellings."""
    regions = (
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
    return ["UTC", *sorted(z for z in available_timezones() if z.split("/")[0] in regions)]
