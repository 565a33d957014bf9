"""Consents that a provider is told of, so that its own block list agrees with our ledger."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, runtime_checkable

from app.domain.addresses import Address
from app.gateways.base import Call, GatewayError, Reply

SETTING: Final = "share_consents"
"""The setting of a sender, yes or no, that lets its provider be told."""


class CannotShare(GatewayError):
    """The provider did not take the consents now; the text says why. To tell it again is harmless."""


class Medium(StrEnum):
    """How somebody agreed or left."""

    WORDS = "words"
    WEBSITE = "website"
    OFFLINE = "offline"
    OTHER = "other"


class Standing(NamedTuple):
    """How somebody stands with a sender since `at`. `key` (32 hex digits) is the same whenever this is told again."""

    key: str
    address: Address
    agreed: bool
    medium: Medium
    at: datetime


@runtime_checkable
class TakesConsents(Protocol):
    """A gateway whose provider can be told. It translates, as always."""

    most_consents: int
    """How many share one request."""

    def consents_call(self, standings: Sequence[Standing]) -> Call:
        """Return the request; to repeat it is harmless."""

    def refused_consents(self, reply: Reply) -> Sequence[str]:
        """Return why single ones were refused for good, without naming anybody; raises `CannotShare`."""
