"""Channels that are for small lists only: how many people one broadcast reaches there."""

from collections.abc import Mapping
from typing import Final

# What editors and the gate are told, by the gateway's name; the contract test holds each gateway to it. Signal's terms
# (signal.org/legal, "Legal and acceptable use") forbid bulk messaging and name no number: this one is ours, of a club
# or a street.
MOST_PEOPLE: Final[Mapping[str, int]] = {"signal": 200}
