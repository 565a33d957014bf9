"""What a gateway offers whose provider can be asked afterwards what became of a message."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from app.domain.addresses import Address
from app.domain.messages import DeliveryRef, ReceiptStatus, SendError
from app.gateways.base import Call, GatewayError, Reply


class CannotTell(GatewayError):
    """The provider's answer leaves open whether it has the message."""


class Question(NamedTuple):
    """A delivery that may have left at `since` or later, with these words."""

    ref: DeliveryRef
    address: Address
    text: str
    since: datetime


class Sighting(NamedTuple):
    """A message from this sender to this person that the provider knows; `same_text`: it has the words asked about."""

    provider_id: str
    same_text: bool
    status: ReceiptStatus
    error: SendError | None = None


@runtime_checkable
class LooksUp(Protocol):
    """A gateway that can ask. It translates, as always: a question to a call, the reply to sightings."""

    def look_up(self, question: Question) -> Call:
        """Return the call that asks for the messages to a person."""

    def sightings(self, question: Question, reply: Reply) -> Sequence[Sighting]:
        """Return what the provider has from `question.since` on; raises `CannotTell`."""
