"""Asks Twilio which messages it has for a person: the list of its Messages resource, newest first."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from app.domain.messages import ReceiptStatus, SendError
from app.gateways.base import Reply
from app.gateways.common import json_of
from app.gateways.look_ups import CannotTell, Question, Sighting

# Nobody gets more from one sender within the two days in which we ask.
PAGE_SIZE: Final = 50
# Their clock and ours; and a message is created when their answer begins, not when our request does.
_CLOCKS_DIFFER: Final = timedelta(minutes=1)


def read(
    question: Question,
    reply: Reply,
    statuses: Mapping[str, ReceiptStatus],
    failure: Callable[[str], SendError],
) -> Sequence[Sighting]:
    """Return the messages since the question's moment. Not by DateSent: it is empty while a message is queued.

    Raises `CannotTell` when the reply is no list, or so long that older ones may be on the next page.
    """
    messages = json_of(reply.body).get("messages") if reply.status == 200 else None
    if not isinstance(messages, list):
        raise CannotTell(f"Twilio answered {reply.status} and no list of messages.")
    since = question.since - _CLOCKS_DIFFER
    recent = [one for one in messages if isinstance(one, dict) and _created(one) >= since]
    if len(recent) == len(messages) >= PAGE_SIZE:
        raise CannotTell(f"Twilio has more than {PAGE_SIZE} messages to this person.")
    return [_sighting(one, question.text, statuses, failure) for one in recent]


def _created(message: Mapping[str, Any]) -> datetime:
    try:
        return parsedate_to_datetime(str(message.get("date_created"))).astimezone(UTC)
    except ValueError as error:
        raise CannotTell(f"Twilio's list has a message without a date: {error}") from error


def _sighting(
    message: Mapping[str, Any],
    text: str,
    statuses: Mapping[str, ReceiptStatus],
    failure: Callable[[str], SendError],
) -> Sighting:
    status = statuses.get(str(message.get("status")), ReceiptStatus.SENT)
    error = failure(str(message.get("error_code") or "")) if status is ReceiptStatus.FAILED else None
    # Twilio may write typographic signs otherwise; runs of blanks and what it trims say nothing either.
    same = " ".join(str(message.get("body")).split()) == " ".join(text.split())
    return Sighting(str(message.get("sid")), same, status, error)
