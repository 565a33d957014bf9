"""Says that a day is a public holiday: in our own country, or where a list's clock stands."""

from collections.abc import Iterable
from datetime import date

from babel import Locale

from app.desk.languages import gettext as _
from app.desk.languages import language
from app.domain.policy.holiday_places import countries_on_holiday
from app.runtime import runtime


def holiday_words(countries: Iterable[str]) -> str:
    """That a day is a public holiday in these countries (two capital letters each)."""
    names = Locale(language()).territories
    return _(
        "Public holiday (%(country)s).", country=", ".join(str(names.get(one, one)) for one in countries)
    )


def holiday_note(day: date, zones: Iterable[str]) -> str:
    """The same of a day for lists on the clocks of these `zones`; "" where it is an ordinary one."""
    found = countries_on_holiday(day, runtime().controller.region, zones)
    return holiday_words(found) if found else ""
