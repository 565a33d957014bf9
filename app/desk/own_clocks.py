"""Says who gets a broadcast when, where it goes at an hour on each person's own clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.lists import format_list

from app.desk.languages import gettext as _
from app.desk.languages import language, moment, wall_words
from app.desk.languages import ngettext as n_
from app.services.own_clocks import Turn

_NAMED: Final = 3


@dataclass(frozen=True)
class TurnLine:
    """People who share an hour, in words: how many, when and where, and what is special about it."""

    people: str
    when: str
    notes: Sequence[str]


def own_hour(wall: datetime, style: str = "long") -> str:
    """`Sunday 3 May 2026, 09:00 on each person’s own clock`."""
    return _("%(when)s on each person’s own clock", when=wall_words(wall, style))


def turn_lines(turns: Sequence[Turn], wall: datetime, zone: str, *, begun: bool = False) -> list[TurnLine]:
    """A line for each hour, the first one first; `zone` is the clock of the editor. `begun`: they wait now."""
    return [
        TurnLine(
            n_("%(n)s person", "%(n)s people", one.people),
            _when(one, wall, zone),
            list(_notes(one, zone, begun)),
        )
        for one in turns
    ]


def _when(turn: Turn, wall: datetime, zone: str) -> str:
    there = turn.at.astimezone(ZoneInfo(turn.zones[0]))
    style = "clock" if there.date() == wall.date() else "short"
    hour = moment(turn.at, turn.zones[0], style)
    if not turn.known:
        return _(
            "whose time zone nobody knows, at %(hour)s, the clock of %(place)s", hour=hour, place=_city(zone)
        )
    words = _("at %(hour)s in %(places)s", hour=hour, places=_places(turn.zones))
    here = turn.at.astimezone(ZoneInfo(zone))
    if here.replace(tzinfo=None) == there.replace(tzinfo=None):
        return words
    style = "clock" if here.date() == wall.date() else "short"
    return f"{words} ({moment(turn.at, zone, style)})"


def _notes(turn: Turn, zone: str, begun: bool) -> Iterator[str]:
    if turn.past and not begun:
        yield _("It is past this hour there already: they get it at once.")
    if turn.held and turn.held_until:
        until = moment(turn.held_until, zone, "short")
        yield n_(
            "%(n)s of them waits for the end of quiet hours, until %(when)s.",
            "%(n)s of them wait for the end of quiet hours, the last until %(when)s.",
            turn.held,
            when=until,
        )
    if turn.left_out:
        yield n_(
            "%(n)s of them is left out: when the hours there are open, it is stale.",
            "%(n)s of them are left out: when the hours there are open, it is stale.",
            turn.left_out,
        )


def _places(zones: Sequence[str]) -> str:
    names = [_city(zone) for zone in zones[:_NAMED]]
    if len(zones) > _NAMED:
        names.append(n_("%(n)s zone more", "%(n)s zones more", len(zones) - _NAMED))
    return format_list(names, locale=language())


def _city(zone: str) -> str:
    known = Locale(language()).time_zones.get(zone, {}).get("city")
    return str(known or zone.rpartition("/")[2].replace("_", " "))
