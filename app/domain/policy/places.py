"""Where a person may be: the place whose hours hold, and every time zone that fits what we know of the address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as phone_zones

from app.domain.addresses import PHONE_CHANNELS, Address
from app.domain.policy.windows import ANY_STATE, UNKNOWN, load

_US: Final = "US"
_NOT_A_ZONE: Final = "Etc/Unknown"


class Source(StrEnum):
    """What the zones were found by, the best first."""

    STATED = "stated"
    NUMBER = "number"
    COUNTRY = "country"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A place ("DE", "US-NY", "US-?", "unknown") and the zones that somebody there may be in, sorted.

    People who share all of it share their quiet hours, so it is stored once, by its `key`. `country` is where to
    look for the busiest zone when the zones have no hour in common.
    """

    source: Source
    place: str
    country: str
    zones: tuple[str, ...]

    @property
    def key(self) -> str:
        """One line of text that `parse` reads."""
        return f"{self.source} {self.place} {self.country} {','.join(self.zones)}"

    @staticmethod
    def parse(key: str) -> "Whereabouts":
        """Read a `key`."""
        source, place, country, zones = key.split(" ")
        return Whereabouts(Source(source), place, country, tuple(zones.split(",")))


def whereabouts(address: Address, *, stated_zone: str | None = None, home: str = _US) -> Whereabouts:
    """Find out where somebody may be.

    In this order: the zone that the person stated, the zones that the number may be in, the zones of its country,
    and for an address without any place the busiest zone of our own country `home`, in the middle of the day.
    """
    # A short code or a name in letters texts us too; it is in no place.
    numbered = address.channel in PHONE_CHANNELS and address.value.startswith("+")
    found = _by_number(address.value, home) if numbered else _at_home(home)
    if stated_zone and _exists(stated_zone):
        place = found.country if found.place == UNKNOWN else found.place
        return Whereabouts(Source.STATED, place, found.country, (stated_zone,))
    return found


def busiest_zone(country: str) -> str | None:
    """The zone in which most people of a country live; None for a country that does not exist."""
    chosen: str | None = load("windows")["busiest"].get(country)
    return chosen or next(iter(zones_of_country(country)), None)


def zones_of_country(country: str) -> tuple[str, ...]:
    """Every zone of a country (two capital letters), from the time zone database."""
    return _zone_table().get(country, ())


def country_of_zone(zone: str) -> str | None:
    """The country (two capital letters) that the time zone database names for a zone; None for one such as UTC."""
    return _countries().get(zone)


@lru_cache(maxsize=1024)
def _by_number(e164: str, home: str) -> Whereabouts:
    number = phonenumbers.parse(e164)
    country = _country(number)
    known = phone_zones.time_zones_for_number(number)
    zones = {zone for zone in known if zone != _NOT_A_ZONE and _exists(zone)}
    source = Source.NUMBER
    if not zones or country in load("windows")["several_zones"]["countries"]:
        source, zones = Source.COUNTRY, set(zones_of_country(country))
    if country == _US:
        zones |= set(_also().get(e164[2:5], ()))
    if not zones:
        return _at_home(home)
    return Whereabouts(source, _place(country, e164), country, tuple(sorted(zones)))


def _country(number: phonenumbers.PhoneNumber) -> str:
    exact = phonenumbers.region_code_for_number(number)
    return str(exact or phonenumbers.region_code_for_country_code(number.country_code or 0))


def _place(country: str, e164: str) -> str:
    if country != _US:
        return country
    state = _states().get(e164[2:5])
    return f"US-{state}" if state else ANY_STATE


def _at_home(home: str) -> Whereabouts:
    zone = busiest_zone(home) or "UTC"
    return Whereabouts(Source.CONTROLLER, UNKNOWN, home, (zone,))


@cache
def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@cache
def _states() -> Mapping[str, str]:
    return {code: state for state, codes in load("area_codes")["states"].items() for code in codes}


@cache
def _also() -> Mapping[str, tuple[str, ...]]:
    return _turned(load("area_codes")["also"].items())


@cache
def _zone_table() -> Mapping[str, tuple[str, ...]]:
    lines = files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return _turned((row[2], [row[0]]) for row in rows)


@cache
def _countries() -> Mapping[str, str]:
    return {zone: country for country, zones in _zone_table().items() for zone in zones}


def _turned(pairs: Iterable[tuple[str, Iterable[str]]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for value, keys in pairs:
        for key in keys:
            found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}
