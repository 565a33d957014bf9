"""The number of a large send, which is typed before it goes: whether it is asked for, and whether it was right."""

from collections.abc import Mapping
from typing import Any, Final

from app.desk.forms import Errors
from app.desk.languages import gettext as _
from app.desk.languages import number
from app.domain.big_sends import is_big, is_typed
from app.runtime import runtime

_MOST_DIGITS: Final = 18


def is_asked(people: int) -> bool:
    """Whether so many people are a large send."""
    return is_big(people, runtime().settings.big_send)


def wrong_number(people: int, raw: Mapping[str, Any]) -> Errors:
    """An error at the field `typed` where a large send to `people` was not confirmed; {} otherwise.

    `people` is counted here and now. What the form says of the number that it showed only allows for a list that
    grew meanwhile; without it nothing is taken but the number of now.
    """
    if not is_asked(people) or is_typed(str(raw.get("typed", "")), people, _shown(raw)):
        return {}
    return {"typed": _("That is not the number. Type %(n)s.", n=number(people))}


def _shown(raw: Mapping[str, Any]) -> int | None:
    shown = str(raw.get("people", ""))
    return int(shown) if shown.isdecimal() and len(shown) <= _MOST_DIGITS else None
