"""Conditions on what people answered or opened: one choice names a broadcast, or one button or one link of it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from app.desk.languages import gettext as _
from app.desk.languages import language
from app.desk.languages import ngettext as n_
from app.domain.retention import Kept
from app.domain.segments import Reaction
from app.domain.segments.sentence import short_link
from app.domain.segments.written import TO
from app.runtime import runtime
from app.services import reactions
from app.services.read_segments import DatabaseNames, reactions_asked
from app.storage.models import Broadcast


def data_of(test: str, word: str) -> Any:
    """Read `7`, or `7:Yes`, as the language has it; what begins with no number stays, to be refused."""
    number, _colon, to = word.partition(":")
    if not number.isdecimal() or len(number) > 18:
        return word
    return {"broadcast": int(number), TO[Reaction(test)]: to} if to else int(number)


def word_of(value: Any) -> str:
    """Write what `data_of` reads."""
    if not isinstance(value, Mapping):
        return str(value)
    (to,) = (value[key] for key in TO.values() if key in value)
    return f"{value['broadcast']}:{to}"


def choices(test: str, chosen: Sequence[str]) -> list[tuple[str, str]]:
    """What may be chosen, as value and words: what is known of the broadcasts of late, and what was chosen already."""
    known = reactions.known_answers() if test == Reaction.ANSWERED else reactions.known_links()
    words = [word for one, some in known.items() for word in (f"{one}", *(f"{one}:{to}" for to in some))]
    words += [one for one in chosen if not isinstance(data_of(test, one), str)]
    # Once for each broadcast, not for each of its buttons.
    title = cache(DatabaseNames(language()).title)
    return [(one, _said(test, one, title)) for one in dict.fromkeys(words)]


def hint(test: str) -> str:
    """What an editor has to know of this condition; "" of most."""
    return _who_is_known() if test == Reaction.CLICKED else ""


def notes(broadcast: Broadcast) -> list[str]:
    """What has to be known of the rule of a broadcast, beside its sentence."""
    return [_who_is_known()] if Reaction.CLICKED in reactions_asked(broadcast) else []


def _who_is_known() -> str:
    return n_(
        "Only people who agreed that we note what they open are known here; what is older than %(n)s day is "
        "forgotten.",
        "Only people who agreed that we note what they open are known here; what is older than %(n)s days is "
        "forgotten.",
        runtime().settings.retention[Kept.CLICKS],
    )


def _said(test: str, word: str, title: Callable[[int], str]) -> str:
    number, _colon, to = word.partition(":")
    any_of_them = _("any answer") if test == Reaction.ANSWERED else _("any link")
    one = to if test == Reaction.ANSWERED else short_link(to)
    return f"{title(int(number))}: {one or any_of_them}"
