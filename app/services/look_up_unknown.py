"""Asks the provider what became of messages that left without an answer, and does what the list wants then.

found -> settled as a receipt would; not there, and no message to this person that could be it -> the list's policy:
left as it is, or sent while it is fresh; anything else -> stays unknown, for nothing is sent on a guess.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.messages import DeliveryRef, Receipt
from app.domain.placeholders import MOVE_LINK, Template, read
from app.domain.statuses import BroadcastState, DeliveryStatus, OnUnknown
from app.domain.styled import as_written
from app.domain.styles import fill, has_codes, read_styled
from app.gateways.base import Call, Reply, Transport
from app.gateways.look_ups import CannotTell, LooksUp, Question, Sighting
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, is_corrected, move, targets_of
from app.services.controller import Controller
from app.services.media.outgoing import instead_for, outgoing
from app.services.move_links import links_of
from app.services.record_receipts import SenderReceipt, record_receipts
from app.services.rich_messages import plain_dress, rich_of
from app.services.short_links import text_for
from app.storage import again, unknown
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.models import Broadcast, Sender
from app.storage.unknown import Unclear
from app.storage.ways import ways_gone_by

# Before that its receipt may still come, and the provider may not show it yet.
SETTLES_AFTER: Final = timedelta(minutes=5)
ASKED_FOR: Final = timedelta(hours=48)
_SENDABLE: Final = (BroadcastState.SENDING, BroadcastState.FINISHED)


@dataclass
class LookedUp:
    """What a round of questions came to, in deliveries. `sent_again` of those `absent` wait to go out now."""

    found: int = 0
    absent: int = 0
    sent_again: int = 0
    untold: int = 0


@dataclass
class _Round:
    receipts: list[SenderReceipt] = field(default_factory=list)
    absent: list[Unclear] = field(default_factory=list)
    untold: list[Unclear] = field(default_factory=list)


def senders_to_ask(now: datetime) -> Sequence[int]:
    """Return the senders of deliveries that nobody knows about, which may be known by now."""
    with transaction() as session:
        return unknown.senders(session, now - ASKED_FOR, now - SETTLES_AFTER)


def look_up(
    sender_id: int,
    gateway: object,
    transport: Transport,
    *,
    controller: Controller,
    public_url: str,
    now: datetime,
    most: int = 500,
) -> LookedUp:
    """Ask about up to `most` deliveries of a sender. A gateway that cannot ask leaves them all as they are.

    Links to files are below `public_url`.
    """
    with transaction() as session:
        found = unknown.some(session, sender_id, now - ASKED_FOR, now - SETTLES_AFTER, most)
        if not found or not isinstance(gateway, LooksUp):
            return LookedUp(untold=len(found))
        sender = session.get_one(Sender, sender_id)
        questions = [(one, _question(session, one, sender, controller, public_url)) for one in found]
    asked = _Round()
    for one, question, reply in _answers(questions, gateway, transport):
        _judge(asked, one, sender_id, _sightings(gateway, question, reply))
    record_receipts(asked.receipts, controller=controller, now=now)
    sent_again = _settle(asked, controller, now)
    return LookedUp(len(asked.receipts), len(asked.absent), sent_again, len(asked.untold))


def _answers(
    questions: Sequence[tuple[Unclear, Question]], gateway: LooksUp, transport: Transport
) -> Iterator[tuple[Unclear, Question, Reply]]:
    waiting = list(reversed(questions))
    open_: dict[DeliveryRef, tuple[Unclear, Question]] = {}
    while waiting or open_:
        while waiting and transport.free:
            one, question = waiting.pop()
            open_[question.ref] = (one, question)
            transport.submit(gateway.look_up(question))
        for call, reply in transport.poll(0.1):
            one, question = open_.pop(_ref_of(call))
            yield one, question, reply


def _ref_of(call: Call) -> DeliveryRef:
    (ref,) = call.refs
    return ref


def _question(
    session: Session, one: Unclear, sender: Sender, controller: Controller, public_url: str
) -> Question:
    """Ask for the words that went to this person, put together once more as the lane does.

    Beside the person's attributes these are what stands for a file, short links, and buttons in words.
    """
    words, very_end = _words(session, one, sender, controller, public_url)
    values = {name: str(value) for name, value in one.attributes.items()}
    if MOVE_LINK in words.names:
        links = links_of(session, one.broadcast_id, [one.subscriber_id], controller)
        values[MOVE_LINK] = links.get(one.subscriber_id, "")
    ref = DeliveryRef(one.broadcast_id, one.subscriber_id)
    text = as_written(fill(words, values), sender.gateway) if has_codes(words) else words.render(values)
    return Question(ref, Address(one.channel, one.address), text + very_end, one.started_at)


def _words(
    session: Session, one: Unclear, sender: Sender, controller: Controller, public_url: str
) -> tuple[Template, str]:
    """Return the text as it left, and what the gateway put behind it where the file does not get to.

    A link to the file is signed over what is the same each time: the file, and until when the broadcast is fresh.
    """
    broadcast = session.get_one(Broadcast, one.broadcast_id)
    file = outgoing(session, broadcast, sender, one.texts, public_url=public_url, controller=controller)
    text = (read_styled if broadcast.styled else read)(one.text).followed_by(file.tail if file else "")
    dress = plain_dress(rich_of(session, one.broadcast_id, sender.channel), sender)
    words = text_for(session, text, dress, one.broadcast_id, one.subscriber_id, controller)
    return words, instead_for(file, sender, one.address) if file else ""


def _sightings(gateway: LooksUp, question: Question, reply: Reply) -> Sequence[Sighting] | None:
    try:
        return gateway.sightings(question, reply)
    except CannotTell:
        return None


def _judge(asked: _Round, one: Unclear, sender_id: int, seen: Sequence[Sighting] | None) -> None:
    """Sort one delivery: a message with these words that is no other one is it; any other stranger may be."""
    if seen is None:
        asked.untold.append(one)
        return
    with transaction() as session:
        others = unknown.others_ids(session, one, [each.provider_id for each in seen])
    strangers = [each for each in seen if each.provider_id not in others]
    same = [each for each in strangers if each.same_text]
    if len(same) == 1:
        ref = DeliveryRef(one.broadcast_id, one.subscriber_id)
        receipt = Receipt(ref, same[0].provider_id, same[0].status, same[0].error)
        asked.receipts.append(SenderReceipt(sender_id, receipt))
    elif strangers:
        asked.untold.append(one)
    else:
        asked.absent.append(one)


def _settle(asked: _Round, controller: Controller, now: datetime) -> int:
    """Write down what was not found, by the policy of each broadcast's lists; returns how many are sent again."""
    with transaction() as session:
        lock_head(session, controller.ledger)  # no STOP may slip in between the gate and the wait
        for broadcast_id, people in _by_broadcast(asked.untold).items():
            unknown.was_asked(session, broadcast_id, people, now)
        return sum(
            _absent(session, broadcast_id, people, now)
            for broadcast_id, people in _by_broadcast(asked.absent).items()
        )


def _absent(session: Session, broadcast_id: int, people: Sequence[int], now: datetime) -> int:
    broadcast = broadcast_for_change(session, broadcast_id, or_test=True)
    policies = {one.on_unknown for one in targets_of(session, broadcast_id)}
    fresh = broadcast.expires_at is not None and broadcast.expires_at > now
    stale = not fresh or is_corrected(session, broadcast_id)
    if policies != {OnUnknown.RESEND} or stale or broadcast.state not in _SENDABLE:
        unknown.is_absent(session, broadcast_id, people, now)
        return 0
    lost = ((DeliveryStatus.UNKNOWN, unknown.OPEN_REASONS),)
    ways = ways_gone_by(session, broadcast_id)
    moved = again.put_back(session, broadcast_id, lost, ways, now, among=people)
    if broadcast.state == BroadcastState.FINISHED:
        move(broadcast, BroadcastState.SENDING, "system", now)
        broadcast.finished_at = None
    note(session, "system", "broadcast.resend_unknown", f"broadcast {broadcast_id}", now, people=moved)
    return moved


def _by_broadcast(unclear: Sequence[Unclear]) -> Mapping[int, Sequence[int]]:
    in_order = sorted((one.broadcast_id, one.subscriber_id) for one in unclear)
    return {key: [person for _, person in group] for key, group in groupby(in_order, key=lambda one: one[0])}
