"""Everything about one message while it is being decided, and what all words need of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.domain.consent import Act, EventType, SubscriptionState
from app.domain.keywords import Decision
from app.domain.messages import InboundMessage
from app.domain.replies import ReplyKind, reply
from app.services import suppressions
from app.services.controller import Controller
from app.services.lists_of_sender import Offer, facts_of
from app.services.presses import Press
from app.services.project_consent import subscriptions_of
from app.services.record_consent import NewEvent, record
from app.storage import linked
from app.storage.aliases import addresses_of
from app.storage.models import InboundRow, Sender, Subscriber, Subscription

IN_FORCE: Final = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAUSED, SubscriptionState.STALE})


@dataclass(frozen=True)
class Answer:
    """What we say to the person."""

    kind: ReplyKind
    text: str


@dataclass
class Case:
    """One message, who sent it, to whom, and how we read it. `silence` is why it will not be answered, if so.

    `press` is the button of a broadcast that it was, or stands for. `evidence` is what a platform's signal brought.
    """

    session: Session
    message: InboundMessage
    sender: Sender
    person: Subscriber
    row: InboundRow
    decision: Decision
    offers: Mapping[str, Offer]
    controller: Controller
    now: datetime
    silence: str | None = None
    press: Press | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)

    def answer(self, kind: ReplyKind, offer: Offer | None = None, *, until: str = "") -> Answer:
        """Return an answer in the person's language."""
        language = self.person.language
        facts = facts_of(offer, self.offers, self.sender, self.controller, language, until)
        return Answer(kind, reply(kind, language, facts))

    def event(self, event_type: EventType, **more: Any) -> NewEvent:
        """Return an event that carries the person's words as evidence."""
        pii = {
            "address": self.person.address,
            "channel": self.person.channel,
            "text": self.message.text,
            "provider_message_id": self.message.external_id,
            **self.evidence,
            **(self.message.page.evidence if self.message.page else {}),
            **(self.press.evidence if self.press else {}),
        }
        if self.press:
            more.setdefault("cta_ref", f"{self.sender.channel}:{self.sender.name}:{self.press.source}")
        return NewEvent(
            self.person,
            event_type,
            self.now,
            actor="person",
            sender=self.sender,
            pii=pii,
            matcher_version=self.decision.matcher_version,
            matched_rule=self.decision.rule,
            tier=self.decision.tier,
            **more,
        )

    def act(self, otherwise: Act) -> Act:
        """Return the act by which it happened: a press of a button of ours, or what the words were."""
        return Act.BUTTON if self.press or self.message.page else otherwise

    def record(self, *events: NewEvent) -> None:
        """Write events about this message into the ledger."""
        record(self.session, events, controller=self.controller, now=self.now)

    def subscriptions(self) -> Sequence[Subscription]:
        """Return the person's subscriptions, whatever their state, in the order of the lists."""
        return subscriptions_of(self.session, self.person.id)

    def lists_in(self, *states: SubscriptionState) -> set[int]:
        """Return the ids of the lists on which the person stands in one of these states."""
        return {row.list_id for row in self.subscriptions() if row.state in states}

    def offer(self) -> Offer:
        """Return the list that the words name."""
        return next(one for one in self.offers.values() if str(one.list.id) == self.decision.list_key)

    def default(self) -> Offer | None:
        """Return the list that a bare START means: the sender's default, or its only one."""
        chosen = [offer for offer in self.offers.values() if offer.list.is_default]
        if chosen:
            return chosen[0]
        return next(iter(self.offers.values())) if len(self.offers) == 1 else None

    def suppress(self, reason: str) -> None:
        """Put the person's addresses on the suppression list; the ledger's own event marks the person.

        Whoever is at the address now may be somebody else than the one who linked it to others.
        """
        linked.drop(self.session, self.person.id)
        here = dict.fromkeys(addresses_of(self.session, self.person), reason)
        suppressions.add(self.session, self.controller.keys, here, now=self.now)
