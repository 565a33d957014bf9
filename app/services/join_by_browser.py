"""A button on a page of ours, pressed in the browser that is to get the messages: consent, standing, and the way back.

No question goes out as after the form of `/join`: who presses has the address in hand, and nobody else can give it. The
press is read as a START by everything behind it, so that pauses, suppressions and notices are treated alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.consent import SubscriptionState
from app.domain.links import payload_of
from app.domain.messages import InboundMessage, ShownPage
from app.domain.push import PushRoute
from app.services import push_routes
from app.services.controller import Controller
from app.services.join_list import JoinPage
from app.services.receive_message import Received, receive_message
from app.services.record_consent import find_or_create_subscriber
from app.storage.database import db, transaction
from app.storage.models import Subscriber, Subscription

WEB_PUSH: Final = "webpush"
IN_APP: Final = "inapp"


@dataclass(frozen=True)
class Press:
    """The button as it was pressed: `number` makes a repeat harmless, `evidence` is what was shown, and to whom."""

    page: JoinPage
    language: str
    number: str
    cta_ref: str
    evidence: Mapping[str, str]


def join_by_push(
    press: Press, route: PushRoute, *, controller: Controller, now: datetime
) -> tuple[str, Received]:
    """Subscribe the browser at `route` to the list of the page; returns its address, and what came of it.

    Raises `NotFound` for a known endpoint with another secret than the browser's.
    """
    with transaction() as session:
        address = Address(WEB_PUSH, push_routes.address_of(session, route))
        person = find_or_create_subscriber(
            session, address, language=press.language, controller=controller, now=now
        )
        push_routes.keep(session, person.id, route, now)
    return address.value, join(press, address, controller=controller, now=now)


def join(press: Press, address: Address, *, controller: Controller, now: datetime) -> Received:
    """Read a press on a page as the START that it is."""
    page = press.page
    message = InboundMessage(
        f"{address.value}:{press.number}",
        address,
        "",
        payload=payload_of(page.keyword, page.list_id),
        page=ShownPage(press.language, press.cta_ref, press.evidence),
    )
    return receive_message(message, sender_id=page.sender_id, controller=controller, now=now)


def stands_by_push(endpoint: str, auth: str, list_id: int) -> tuple[str, bool]:
    """Return the address of a browser, and whether the list reaches it now. Raises `NotFound` for a strange one."""
    session = db.session()
    person = push_routes.holder(session, endpoint, auth)
    return person.address, on_list(session, person, list_id)


def stands_in_app(address: str, list_id: int) -> bool:
    """Tell whether a reader of the inbox is on a list."""
    session = db.session()
    person = session.scalar(
        select(Subscriber).where(Subscriber.channel == IN_APP, Subscriber.address == address)
    )
    return person is not None and on_list(session, person, list_id)


def on_list(session: Session, person: Subscriber, list_id: int) -> bool:
    """Tell whether somebody is on a list and nothing stands in the way of what it sends."""
    state = session.scalar(
        select(Subscription.state).where(
            Subscription.subscriber_id == person.id, Subscription.list_id == list_id
        )
    )
    closed = (person.blocked_at, person.bounced_at, person.suppressed_at, person.erased_at)
    return state in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED) and not any(closed)
