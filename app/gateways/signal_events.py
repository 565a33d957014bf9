"""What a signal-cli daemon tells: texts, and reports of delivery. Each envelope is of one person.

A person has a number, an account's id (ACI), or shows both; the number is hidden unless they chose otherwise.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.addresses import Address, BadAddress, canonical
from app.domain.messages import Event, EventKind, InboundMessage, Receipt, ReceiptStatus, found_by
from app.gateways.base import Malformed
from app.gateways.common import moment
from app.gateways.paths import at, items

IGNORED: Final = Event(EventKind.IGNORED)


def read_envelope(envelope: Mapping[str, Any]) -> list[Event]:
    """Return what an envelope tells. Groups, stories, typing notices and what we wrote elsewhere are nothing.

    Raises `Malformed` for a text without a moment.
    """
    people = [one for one in (_address(envelope, "sourceNumber"), _address(envelope, "sourceUuid")) if one]
    if not people:
        return [IGNORED]
    if "receiptMessage" in envelope:
        return _receipts(envelope["receiptMessage"], people) or [IGNORED]
    said = _said(envelope)
    return [IGNORED] if said is None else [_message(said, envelope, people)]


def message_id(sent_at: str, person: str) -> str:
    """Two people may get messages in one millisecond, and anybody can report any moment: the person counts, too."""
    return found_by(sent_at, person)


def recipient_of(result: object) -> Sequence[Address]:
    """What a result shows of its recipient: the number and the account's id, as far as it has them."""
    address = result.get("recipientAddress") if isinstance(result, Mapping) else None
    return [one for one in (_address(address, "number"), _address(address, "uuid")) if one is not None]


def who(people: Sequence[Address]) -> str:
    """The account's id comes last where it is known, and it mostly is; a number may be hidden on one side."""
    return people[-1].value if people else ""


def _address(document: object, field: str) -> Address | None:
    try:
        return canonical("signal", raw) if (raw := at(document, field)) else None
    except BadAddress:
        return None


def _receipts(report: object, people: Sequence[Address]) -> list[Event]:
    """One report may name several messages; whoever looked at one has it."""
    if not any(at(report, field) == "true" for field in ("isDelivery", "isRead", "isViewed")):
        return []
    shows = (people[0], people[1]) if len(people) > 1 else None
    when = moment(at(report, "when"), per_second=1000)
    ids = [message_id(str(one), who(people)) for one in items(report, "timestamps")]
    read = any(at(report, field) == "true" for field in ("isRead", "isViewed"))
    found = [Receipt(None, one, ReceiptStatus.DELIVERED, shows=shows, read=read) for one in ids]
    return [Event(EventKind.RECEIPT, when, receipt=one) for one in found]


def _said(envelope: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What somebody wrote to us alone; words that were changed later count as new ones, for they may say STOP."""
    edited = envelope.get("editMessage")
    said = edited.get("dataMessage") if isinstance(edited, Mapping) else envelope.get("dataMessage")
    if not isinstance(said, Mapping) or said.get("groupInfo") or said.get("groupV2"):
        return None
    return said if at(said, "message") or items(said, "attachments") else None


def _message(said: Mapping[str, Any], envelope: Mapping[str, Any], people: Sequence[Address]) -> Event:
    """Author and moment are a message's name at Signal; the moment is the sender's clock."""
    sent = at(said, "timestamp") or at(envelope, "timestamp")
    if not sent:
        raise Malformed("The field timestamp is missing.")
    when = moment(sent, per_second=1000)
    message = InboundMessage(
        f"{who(people)}:{sent}",
        people[0],
        at(said, "message"),
        media_count=len(items(said, "attachments")),
        also_at=people[1] if len(people) > 1 else None,
        sent_at=when,
    )
    return Event(EventKind.MESSAGE, when, message=message)
