"""Link a person's addresses on several channels, by the person's own act or by an operator who has evidence of one.

Never guessed: equal phone numbers on two channels may be two people, and an SMS number may have another owner than
the account that was once made with it. A link moves no consent; it only says on which channel one broadcast goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.domain import link_codes
from app.domain.addresses import mask
from app.domain.consent import Act, EventType, Scope
from app.domain.keywords import Decision, Outcome
from app.domain.link_codes import LinkCode
from app.domain.links import TIER
from app.services.audit import note
from app.services.controller import Controller, Refused
from app.services.manage_subscribers import find_subscriber, read_address
from app.services.move_links import CODES
from app.services.record_consent import NewEvent, record
from app.services.words.case import Case
from app.storage import linked
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.models import ChannelMove, Sender, Subscriber

RULE: Final = "linked"
UNLINKED: Final = "unlinked"
MAX_EVIDENCE: Final = 300


@dataclass(frozen=True)
class Coded:
    """A message that carries a code of ours: what it asks for at this sender, and the code."""

    decision: Decision
    code: LinkCode

    @property
    def tag(self) -> str:
        """What the consent remembers of the link: the move that sent it out."""
        return f"move-{self.code.move_id}" if self.code.move_id else RULE


def read_code(words: str, payload: str, lists: Mapping[str, Any], controller: Controller) -> Coded | None:
    """Read the code that a link brought as payload, or as words; None when there is none for the lists of this sender.

    To open such a link is to ask for its list, as with every link to a list. `lists` is by the list's id as text.
    """
    for text in (payload, words):
        code = link_codes.read(text, lambda body: controller.keys.tags(CODES, body))
        if code is not None and str(code.list_id) in lists:
            return Coded(Decision(Outcome.START_LIST, TIER, RULE, str(code.list_id)), code)
    return None


def link_by_code(case: Case, code: LinkCode) -> bool:
    """Link whoever uses a code to the one whom it was sent to; tells whether they are linked now.

    A code links once: somebody who has an address on this channel already does not get another, so that a link which
    was passed on to friends takes nothing away from whoever used it first.
    """
    origin = case.session.get(Subscriber, code.subscriber_id)
    if origin is None or not code.is_good(case.now) or not _may_link(case.session, origin, case.person):
        return False
    pii = {"text": case.message.text, "provider_message_id": case.message.external_id}
    _link(
        case.session, origin, case.person, "person", Act.BUTTON, pii, case.controller, case.now,
        sender=case.sender,
    )  # fmt: skip
    _leave_old(case, origin, code)
    return True


def _leave_old(case: Case, origin: Subscriber, code: LinkCode) -> None:
    """Where the move says so, who has joined here leaves the list on the channel that they were asked on."""
    move = case.session.get(ChannelMove, code.move_id)
    if move is None or not move.closes_old:
        return
    left = NewEvent(
        origin,
        EventType.CONSENT_REVOKED,
        case.now,
        f"operator:{move.created_by}",
        act=Act.OPERATOR,
        list_id=move.list_id,
        pii={"address": origin.address, "channel": origin.channel, "linked_to": case.person.address},
        cta_ref=f"move-{move.id}",
        matched_rule=RULE,
    )
    case.record(left)


def _may_link(session: Session, one: Subscriber, other: Subscriber) -> bool:
    return not _obstacle(session, one, other)


def _obstacle(session: Session, one: Subscriber, other: Subscriber) -> str:
    """Say what stands against it; "" when nothing does."""
    if one.channel == other.channel:
        return "both addresses are on the same channel"
    for person in (one, other):
        if person.erased_at is not None or person.suppressed_at is not None:
            return f"{mask(person.address)} is suppressed"
    mine, theirs = (linked.link_of(session, person.id) for person in (one, other))
    if mine is not None and theirs is not None:
        return "both have links already; unlink one of them first"
    here, newcomer = (one, other) if mine is not None else (other, one)
    if any(person.channel == newcomer.channel for person in linked.others_of(session, here)):
        return f"{mask(here.address)} has another address on {newcomer.channel} already"
    return ""


def _link(
    session: Session,
    one: Subscriber,
    other: Subscriber,
    actor: str,
    act: Act,
    pii: Mapping[str, str],
    controller: Controller,
    now: datetime,
    *,
    sender: Sender | None = None,
) -> None:
    lock_head(session, controller.ledger)
    row = linked.link_of(session, one.id) or linked.link_of(session, other.id)
    person_id = row.person_id if row else min(one.id, other.id)
    linked.add(session, person_id, (one, other), now)
    linked.chosen(session, other.id, now)
    linked.strike(session, person_id, now)
    events = [
        NewEvent(
            person,
            EventType.ENDPOINT_CHANGED,
            now,
            actor,
            act=act,
            scope=Scope.ALL,
            sender=sender,
            pii={**pii, "address": person.address, "channel": person.channel, "linked_to": there.address},
            matched_rule=RULE,
        )
        for person, there in ((one, other), (other, one))
    ]
    record(session, events, controller=controller, now=now)


def link(
    first: str,
    second: str,
    *,
    channel: str,
    second_channel: str,
    evidence: str,
    by: str,
    controller: Controller,
    now: datetime,
) -> None:
    """Link two addresses for somebody who told an operator that both are theirs; `second` is the one they prefer.

    Raises `NotFound` for an address that never joined, `Refused` without evidence or when they cannot be linked.
    """
    words = evidence.strip()
    if not words or len(words) > MAX_EVIDENCE:
        raise Refused(
            f"Say in up to {MAX_EVIDENCE} characters how you know that both are theirs: call of 3 March."
        )
    with transaction() as session:
        lock_head(session, controller.ledger)
        one = find_subscriber(session, read_address(first, channel=channel, controller=controller))
        other = find_subscriber(session, read_address(second, channel=second_channel, controller=controller))
        if obstacle := _obstacle(session, one, other):
            raise Refused(f"They cannot be linked: {obstacle}.")
        _link(session, one, other, f"operator:{by}", Act.OPERATOR, {"reason": words}, controller, now)
        what = f"subscriber {one.channel} {mask(one.address)}, {other.channel} {mask(other.address)}"
        note(session, by, "subscriber.link", what, now)


def unlink(raw: str, *, channel: str, by: str, controller: Controller, now: datetime) -> None:
    """Take an address out of its person; nobody's consent changes. Raises `NotFound`, `Refused` when it has no link."""
    with transaction() as session:
        lock_head(session, controller.ledger)
        person = find_subscriber(session, read_address(raw, channel=channel, controller=controller))
        if linked.link_of(session, person.id) is None:
            raise Refused(f"{mask(person.address)} has no linked address.")
        linked.drop(session, person.id)
        event = NewEvent(
            person,
            EventType.ENDPOINT_CHANGED,
            now,
            f"operator:{by}",
            act=Act.OPERATOR,
            scope=Scope.ALL,
            pii={"address": person.address, "channel": person.channel},
            matched_rule=UNLINKED,
        )
        record(session, [event], controller=controller, now=now)
        note(session, by, "subscriber.unlink", f"subscriber {person.channel} {mask(person.address)}", now)
