"""Reads what a centre reports of a message: optional fields first, then the text of SMPP 3.4, appendix B."""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from app.domain.messages import ErrorKind, ReceiptStatus, SendError
from app.gateways.smpp_pdu import (
    KIND_OF_MESSAGE,
    MESSAGE_STATE,
    RECEIPTED_MESSAGE_ID,
    REPORTS,
    Message,
)

_FIELD: Final = re.compile(r"\b(id|stat|err):\s*(\S+)", re.IGNORECASE)
_STATES: Final = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_STATUSES: Final = {
    "DELIVRD": ReceiptStatus.DELIVERED,
    "ACCEPTD": ReceiptStatus.SENT,
    "EXPIRED": ReceiptStatus.FAILED,
    "DELETED": ReceiptStatus.FAILED,
    "UNDELIV": ReceiptStatus.FAILED,
    "REJECTD": ReceiptStatus.FAILED,
}
# Undeliverable is said of numbers that do not exist and of phones that were off for days: only the third time does it
# count as a dead address. What a centre rejects may be the text as well as the number.
_FAILURES: Final = {"UNDELIV": SendError(ErrorKind.INVALID, bounces_after=3)}


class Report(NamedTuple):
    """A report: the centre's id of the message, what became of it, and why."""

    id: str
    status: ReceiptStatus
    error: SendError | None


def is_receipt(message: Message) -> bool:
    """Tell a centre's report from a person's text, which must never be taken for one: it may be a STOP.

    Nobody can text the optional fields; many could text the words. Some centres name texts of people by the field, too.
    """
    if message.esm_class & KIND_OF_MESSAGE in REPORTS:
        return True
    has_state = MESSAGE_STATE in message.options or "stat" in _told(message)
    return RECEIPTED_MESSAGE_ID in message.options and has_state


def report_of(message: Message) -> Report | None:
    """Read a report; None for a stage on the way, for *unknown*, and for what has no id or no state."""
    told = _told(message)
    id_ = message.options.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1") or told.get("id", "")
    state = _STATES.get(int.from_bytes(message.options.get(MESSAGE_STATE, b"")[:1])) or told.get("stat", "")
    status = _STATUSES.get(state.upper())
    if not id_ or status is None:
        return None
    return Report(id_, status, _failure(state.upper(), told) if status is ReceiptStatus.FAILED else None)


def _told(message: Message) -> Mapping[str, str]:
    # Backwards, so that the first of each name stands: the end is the beginning of our own text.
    found = reversed(_FIELD.findall(message.payload.decode("latin-1")))
    return {name.lower(): value for name, value in found}


def _failure(state: str, told: Mapping[str, str]) -> SendError:
    known = _FAILURES.get(state, SendError(ErrorKind.TEMPORARY))
    code = f"{state}:{told['err']}" if "err" in told else state
    return SendError(known.kind, code[:20], bounces_after=known.bounces_after)


def _decimal(id_: str) -> str:
    """Some centres write the optional field as in their answer and only the words otherwise: letters give it away."""
    return str(int(id_)) if id_.isdecimal() else _hexadecimal(id_)


def _hexadecimal(id_: str) -> str:
    try:
        return str(int(id_, 16))
    except ValueError:
        return _plain(id_)


def _plain(id_: str) -> str:
    """Leading zeros and the size of letters differ between the two places where a centre writes an id."""
    printable = "".join(ch for ch in id_ if ch.isprintable() and not ch.isspace())
    return printable.lower().lstrip("0") or "0"


ID_FORMS: Final[Mapping[str, tuple[Callable[[str], str], Callable[[str], str]]]] = {
    "same": (_plain, _plain),
    "hex-decimal": (_hexadecimal, _decimal),
    "decimal-hex": (_decimal, _hexadecimal),
}
"""How a centre writes ids, in the answer to a message and in its report: each pair brings both to one spelling."""
