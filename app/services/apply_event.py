"""What a person did, as their gateway understood it: a text of theirs, or a signal of the platform's."""

from datetime import datetime

from app.domain.messages import Event
from app.services.apply_signal import apply_signal
from app.services.controller import Controller
from app.services.hear_platform import hear
from app.services.receive_message import Received, receive_message
from app.services.record_receipts import record_result


def apply_event(
    event: Event, *, sender_id: int, controller: Controller, now: datetime, came_at: datetime | None = None
) -> Received | None:
    """Do what a text or a signal means, once; None for an event that is neither (a report, news, or nothing).

    `came_at` is when a post came that is read again now: a text is as old as it is, and so is its answer.
    """
    if event.message is not None:
        return receive_message(
            event.message, sender_id=sender_id, controller=controller, now=now, came_at=came_at
        )
    if event.signal is not None:
        return apply_signal(event.signal, sender_id=sender_id, controller=controller, now=now)
    if event.news is not None:
        hear(event.news, sender_id=sender_id, at=event.at or came_at, now=now)
    if event.result is not None:
        record_result(event.result, sender_id=sender_id, now=now)
    return None
