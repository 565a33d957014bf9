"""What each gateway carries beside a text (`media.toml`), and whether a file fits."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

import phonenumbers

from app.domain.addresses import region_of
from app.domain.media.kinds import kind_of

LARGEST: Final = 50 * 1024 * 1024
"""Bytes of the largest file that we take; what a platform carries beyond it nobody's phone should have to fetch."""


@dataclass(frozen=True)
class MediaRule:
    """Files of these `types` up to `most` bytes go with a text of at most `caption`, says the page `source`.

    `caption` counts as the channel does. `from_countries` and `to_countries`: where sender and person have their
    numbers; empty means anywhere. `in_templates`: whether every text that the platform approved may carry one, and
    not only those with room for it.
    """

    types: tuple[str, ...]
    most: int
    caption: int
    source: str
    read: date
    from_countries: tuple[str, ...] = ()
    to_countries: tuple[str, ...] = ()
    in_templates: bool = True

    def reaches(self, number: str) -> bool:
        """Tell whether a person with this number may get one."""
        return not self.to_countries or number.startswith(self.beginnings)

    @property
    def beginnings(self) -> tuple[str, ...]:
        """How the numbers begin of people who may get one; none: all of them may."""
        return _beginnings(self.to_countries)


class Misfit(StrEnum):
    """Why a channel does not carry a file beside a text."""

    CHANNEL = "channel"
    TYPE = "type"
    SIZE = "size"
    CAPTION = "caption"


@dataclass(frozen=True)
class Fit:
    """Whether a file goes with a text: `misfit` is None when it does, else why not and what would be allowed."""

    misfit: Misfit | None = None
    most: int = 0


FITS: Final = Fit()
"""Nothing stands against it."""


def media_of(gateway: str) -> tuple[MediaRule, ...]:
    """Return what a gateway carries at best; nothing for one that carries text alone."""
    return _rules().get(gateway, ())


def media_of_sender(gateway: str, address: str, *, template: str | None) -> tuple[MediaRule, ...]:
    """Return what one sender carries: some only from numbers of a country, some only with room in an approved text.

    `template` is the kind of file that the sender's approved text has room for, or empty; None: it needs no such text.
    """
    here = (
        one for one in media_of(gateway) if not one.from_countries or region_of(address) in one.from_countries
    )
    rules = (one if template is None or one.in_templates else _only(one, template) for one in here)
    return tuple(rule for rule in rules if rule.types)


def _only(rule: MediaRule, kind: str) -> MediaRule:
    return replace(rule, types=tuple(mime for mime in rule.types if kind_of(mime) == kind))


def fit(mime: str, size: int, text_length: int, rules: Sequence[MediaRule]) -> Fit:
    """Tell whether a file fits beside a text of this length, counted as the channel counts."""
    if not rules:
        return Fit(Misfit.CHANNEL)
    rule = rule_for(mime, rules)
    if rule is None:
        return Fit(Misfit.TYPE)
    if size > rule.most:
        return Fit(Misfit.SIZE, rule.most)
    if text_length > rule.caption:
        return Fit(Misfit.CAPTION, rule.caption)
    return FITS


def rule_for(mime: str, rules: Sequence[MediaRule]) -> MediaRule | None:
    """Return the rule about a type."""
    return next((rule for rule in rules if mime in rule.types), None)


@cache
def beginnings_with_files() -> tuple[str, ...]:
    """Return how the numbers begin to which messages with files get, where they do not get to all."""
    limited = (rule.beginnings for rules in _rules().values() for rule in rules if rule.to_countries)
    return tuple(sorted({one for beginnings in limited for one in beginnings}))


@cache
def _beginnings(countries: tuple[str, ...]) -> tuple[str, ...]:
    codes = {phonenumbers.country_code_for_region(one) for one in countries}
    return tuple(f"+{code}" for code in sorted(codes))


@cache
def _rules() -> Mapping[str, tuple[MediaRule, ...]]:
    text = files("app.domain.media").joinpath("media.toml").read_text(encoding="utf-8")
    gateways: Mapping[str, list[dict[str, Any]]] = tomllib.loads(text)["gateways"]
    return {name: tuple(_rule(one) for one in rules) for name, rules in gateways.items()}


def _rule(one: Mapping[str, Any]) -> MediaRule:
    values: dict[str, Any] = {
        name: tuple(found) if isinstance(found, list) else found for name, found in one.items()
    }
    return MediaRule(**values)
