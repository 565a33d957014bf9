"""Take in what many people texted at the same moment, in one transaction: each word by itself, as if it were alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.keywords import Outcome
from app.domain.messages import HookRequest, InboundMessage
from app.services.controller import Controller
from app.services.kept_hooks import Took, keep
from app.services.receive_message import Received, language_at, take_in
from app.services.record_consent import find_or_create_subscribers
from app.services.same_account import Sighting
from app.storage import aliases, departures
from app.storage.consent import lock_head
from app.storage.database import among, transaction
from app.storage.models import InboundRow, Sender, Subscriber
from app.storage.posts import insert_posts
from app.storage.shared import Shared, reserve_inbound_ids, share

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Said:
    """One text, at which sender it came in, and the post in which nothing else came: that one is put away, too."""

    sender_id: int
    message: InboundMessage
    post: HookRequest | None = None

    @property
    def name(self) -> tuple[int, str]:
        """What makes a repeated post harmless."""
        return self.sender_id, self.message.external_id


def can_share(message: InboundMessage) -> bool:
    """Tell whether a text may be taken in with others: most are. A link, a page or a second address goes alone."""
    return not (message.payload or message.also_at or message.page)


def receive_messages(said: Sequence[Said], *, controller: Controller, now: datetime) -> list[Received]:
    """Store texts (of which `can_share` holds) and do what they ask; returns what came of each, in their order.

    The words of one person are read in the order given. Any fault undoes all of them, so whoever asks must try each
    alone then. When this returns, a STOP is in force, as with `receive_message`.
    """
    with transaction() as session:
        group = _Group(session, share(session), controller, now)
        # First, as in every STOP; then people and their subscriptions, as they stand behind whoever had it before.
        lock_head(session, controller.ledger)
        found: dict[int, Received] = {}
        waiting = dict(enumerate(said))
        while waiting:
            found |= group.take_first_of_each(waiting)
        _put_away(session, said, found, controller, now)
        return [found[place] for place in range(len(said))]


@dataclass(frozen=True)
class _Group:
    """The transaction that several texts share."""

    session: Session
    shared: Shared
    controller: Controller
    now: datetime

    def take_first_of_each(self, waiting: dict[int, Said]) -> Mapping[int, Received]:
        """Take the first text of each person out of those that wait, and write what came of it."""
        found = self._known(waiting)
        for place in found:
            del waiting[place]
        people = self._people(waiting)
        first: dict[int, int] = {}
        for place, one in waiting.items():
            first.setdefault(people[one.message.address].id, place)
        self.shared.about(first)
        self.shared.inbound_ids = reserve_inbound_ids(self.session, len(first)) if first else iter(())
        for place in sorted(first.values()):
            one = waiting.pop(place)
            found[place] = self._take(one, people[one.message.address])
        self._write()
        return found

    def _known(self, waiting: Mapping[int, Said]) -> dict[int, Received]:
        """Return those that had come before; of somebody erased since, nobody is made by them."""
        ids = {one.message.external_id for one in waiting.values()}
        senders = {one.sender_id for one in waiting.values()}
        rows = self.session.execute(
            select(InboundRow.sender_id, InboundRow.external_id).where(
                among(self.session, InboundRow.sender_id, senders),
                among(self.session, InboundRow.external_id, ids),
            )
        )
        known = {(sender_id, external_id) for sender_id, external_id in rows}
        again = Received(None, Outcome.NONE.value, reply_waits=False, duplicate=True)
        return {place: again for place, one in waiting.items() if one.name in known}

    def _people(self, waiting: Mapping[int, Said]) -> dict[Address, Subscriber]:
        """Return who is at the addresses, made where they are new."""
        found: dict[Address, Subscriber] = {}

        def channel(one: Said) -> str:
            return one.message.address.channel

        for _, texts in groupby(sorted(waiting.values(), key=channel), key=channel):
            theirs = list(texts)
            found |= aliases.people_at(self.session, {one.message.address for one in theirs})
            fresh: dict[str, list[Address]] = {}
            for one in theirs:
                if one.message.address not in found:
                    language = language_at(self.session, self._sender(one.sender_id))
                    fresh.setdefault(language, []).append(one.message.address)
            for language, addresses in fresh.items():
                found |= find_or_create_subscribers(
                    self.session, addresses, language=language, controller=self.controller, now=self.now
                )
        return found

    def _sender(self, sender_id: int) -> Sender:
        return self.shared.once(
            self.session, ("sender", sender_id), lambda session: session.get_one(Sender, sender_id)
        )

    def _take(self, one: Said, person: Subscriber) -> Received:
        sender = self._sender(one.sender_id)
        seen = Sighting(self.session, sender, one.message.external_id, self.controller, self.now)
        return take_in(seen, one.message, person)

    def _write(self) -> None:
        self.session.flush()
        departures.strike(self.session, self.shared.left, self.now)
        self.shared.left.clear()


def _put_away(
    session: Session,
    said: Sequence[Said],
    found: Mapping[int, Received],
    controller: Controller,
    now: datetime,
) -> None:
    """Keep the posts, in a part of the transaction that may fail: what they said counts all the same."""
    posts = [
        keep(
            one.post, sender_id=one.sender_id, what=Took.MESSAGE, people=(who,), keys=controller.keys, now=now
        )
        for place, one in enumerate(said)
        if one.post is not None and (who := found[place].subscriber_id) is not None
    ]
    if not posts:
        return
    try:
        with session.begin_nested():
            insert_posts(session, posts)
    except SQLAlchemyError as error:
        log.warning("webhooks could not be kept", posts=len(posts), error=type(error).__name__)
