"""A pressed button of a broadcast, or the number that was texted instead: which button, and what it means."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import button_codes
from app.domain.buttons import Button, ButtonKind, numbered
from app.domain.keywords import Decision, Outcome
from app.domain.messages import InboundMessage
from app.domain.statuses import DeliveryStatus
from app.domain.styles import shown
from app.services.controller import Controller
from app.services.rich_messages import COMMANDS, rich_of
from app.storage.models import Broadcast, BroadcastAnswer, BroadcastRich, Delivery, InboundRow, Subscriber
from app.storage.variants import wording_of

TIER: Final = "button"
ANSWERED: Final = "answer"
ANSWERS_FOR: Final = timedelta(days=3)
"""For so long after a broadcast began, a number that is texted is understood as an answer to it."""
_LEAVES: Final = frozenset({Outcome.STOP, Outcome.STOP_LIST, Outcome.ERASE})
_NOT_GIVEN: Final = (DeliveryStatus.SKIPPED.value, DeliveryStatus.FAILED.value)
_LONGEST_NUMBER: Final = 40


@dataclass(frozen=True)
class Press:
    """Which button of which broadcast somebody pressed, or named by its number; `had_it`: it had been sent to them."""

    broadcast_id: int
    place: int
    button: Button
    shown: str
    had_it: bool = True

    @property
    def source(self) -> str:
        """Names it in the ledger: no word of a person is in it."""
        return f"broadcast-{self.broadcast_id}-button-{self.place + 1}"

    @property
    def evidence(self) -> dict[str, str]:
        """What the person saw and pressed; sealed with the entry."""
        return {"button": self.button.label, "shown": self.shown, "pressed": self.source}


def read_press(
    session: Session, message: InboundMessage, person: Subscriber, controller: Controller
) -> Press | None:
    """Read a button's id, which some platforms bring as words; None for anything that we did not sign."""
    for text in (message.payload, message.text):
        found = button_codes.read(text, lambda body: controller.keys.tags(button_codes.LABEL, body))
        if found is not None:
            return _press(session, person, found.broadcast_id, found.place)
    return None


def _press(session: Session, person: Subscriber, broadcast_id: int, place: int) -> Press | None:
    buttons = rich_of(session, broadcast_id, person.channel).buttons
    if place >= len(buttons) or buttons[place].kind is not ButtonKind.REPLY:
        return None
    row = session.get(Delivery, (broadcast_id, person.id, 0))
    had_it = row is not None and row.status not in _NOT_GIVEN
    return Press(broadcast_id, place, buttons[place], _shown(session, broadcast_id, person), had_it)


def _shown(session: Session, broadcast_id: int, person: Subscriber) -> str:
    """The words above the button, with the fall-backs of placeholders."""
    words = wording_of(session, session.get_one(Broadcast, broadcast_id), person.channel)
    return shown(words.to(person.language), styled=words.styled).text


def read_number(session: Session, message: InboundMessage, person: Subscriber, now: datetime) -> Press | None:
    """Read `2`, or the label of an answer, as the answer to the newest broadcast with buttons that this person got."""
    said = " ".join(message.text.split()).casefold().rstrip(".!)")
    if not said or len(said) > _LONGEST_NUMBER:
        return None
    newest = session.scalar(
        select(Broadcast.id)
        .join(Delivery, Delivery.broadcast_id == Broadcast.id)
        .where(
            Delivery.subscriber_id == person.id,
            Delivery.inbound_id == 0,
            Delivery.status.not_in(_NOT_GIVEN),
            Broadcast.started_at > now - ANSWERS_FOR,
            Broadcast.id.in_(
                select(BroadcastRich.broadcast_id).where(BroadcastRich.channel.in_(("", person.channel)))
            ),
        )
        .order_by(Broadcast.started_at.desc(), Broadcast.id.desc())
        .limit(1)
    )
    if newest is None:
        return None
    place = numbered(rich_of(session, newest, person.channel).buttons).get(said)
    return None if place is None else _press(session, person, newest, place)


def meaning(press: Press, read_word: Callable[[str], Decision]) -> Decision:
    """Return what a press asks for. Whoever never got the message can leave by its button, and nothing else."""
    word = read_word(press.button.value) if press.button.value else Decision(Outcome.NONE)
    allowed = COMMANDS if press.had_it else _LEAVES
    outcome = word.outcome if word.outcome in allowed else Outcome.NONE
    rule = (word.rule if outcome is not Outcome.NONE else ANSWERED) if press.had_it else "not_theirs"
    if outcome in _LEAVES:
        rule = word.rule
    return Decision(
        outcome, TIER, rule, word.list_key, word.matcher_version, word.days, words=press.button.label
    )


def keep_answer(session: Session, press: Press, person: Subscriber, row: InboundRow, now: datetime) -> None:
    """Keep the newest answer of each person to each broadcast; the same again changes nothing."""
    row.read_at = row.read_at or now  # counted, so that no colleague need read it
    kept = session.scalar(
        select(BroadcastAnswer).where(
            BroadcastAnswer.broadcast_id == press.broadcast_id, BroadcastAnswer.subscriber_id == person.id
        )
    )
    if kept is None:
        kept = BroadcastAnswer(broadcast_id=press.broadcast_id, subscriber_id=person.id)
        session.add(kept)
    elif kept.place == press.place:
        return
    kept.place, kept.label = press.place, press.button.label
    kept.inbound_id, kept.answered_at = row.id, now
