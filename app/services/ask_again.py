"""Ask the people of a list again when its purpose or controller changed, for they agreed to something else (row 39)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.asking import Who
from app.domain.consent import SubscriptionState
from app.domain.policy.content import adverts
from app.services.audit import note
from app.services.controller import Controller, NotFound, Refused
from app.services.questions import CHANNEL, SignUp, check_list
from app.services.request_consent import request_consents
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ConsentEvent, Sender, Subscriber, Subscription

BATCH: Final = 500
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AskedAgain:
    """How many people got a question, and how many could not be asked now: they stay on what they agreed to."""

    list_name: str
    sender_id: int
    asked: int
    left: int


def to_ask(list_id: int, *, controller: Controller) -> int:
    """Count who is on the list and agreed to another purpose or controller than it has now. Raises `NotFound`."""
    session = db.session()
    list_ = _list(session, list_id)
    if not list_.purpose_since_seq and session.scalar(_given_to_another(controller).limit(1)) is None:
        return 0  # nothing ever changed: a million need not be read
    agreed = _agreed_to_something_else(list_, controller)
    return session.scalar(select(func.count()).select_from(Subscription).where(*agreed)) or 0


def ask_again(
    list_id: int,
    *,
    link: str,
    by: str,
    controller: Controller,
    now: datetime,
    most: int | None = None,
    progress: Progress = lambda done, total: None,
) -> AskedAgain:
    """Put one question to each of them, 500 in a transaction; run again, it goes on with whom it has not asked yet.

    It ends early when it has asked `most` people or more, for a page cannot wait for a million.

    From then on they get nothing of the list until they say yes, and after 72 hours without an answer they are off it.
    The questions go out within the hours of the list and of each place, behind replies. Raises `Refused` when
    nobody agreed to anything else or the list's people cannot be asked, `NotFound`.
    """
    total = to_ask(list_id, controller=controller)
    db.session.rollback()
    if not total:
        raise Refused("Everybody on this list agreed to what it is for now; there is nobody to ask again.")
    sign_up = SignUp(Who.CHANGE, link, by=by, cta_ref=f"list:{list_id}:change")
    asked = left = after = 0
    while True:
        with transaction() as session:
            list_ = _list(session, list_id)
            sender = session.get_one(Sender, list_.sender_id)
            _check(list_, sender)
            people = _next(session, list_, after, controller)
            if not people or (most is not None and asked >= most):
                note(session, by, "list.ask_again", f"list {list_id}", now, asked=asked, left=left)
                return AskedAgain(list_.name, sender.id, asked, left)
            after = people[-1].id
            addresses = [Address(one.channel, one.address) for one in people if one.channel == CHANNEL]
            answers = request_consents(session, addresses, list_id, sign_up, controller=controller, now=now)
        asked += len(answers.asked)
        left += len(people) - len(answers.asked)
        progress(asked + left, total)


def _agreed_to_something_else(
    list_: BroadcastList, controller: Controller
) -> tuple[ColumnElement[bool], ...]:
    """Whose consent is older than the change, or names another controller than the one of today."""
    return (
        Subscription.list_id == list_.id,
        Subscription.state.in_([SubscriptionState.ACTIVE.value, SubscriptionState.PAUSED.value]),
        or_(
            Subscription.granted_seq <= list_.purpose_since_seq,
            Subscription.active_seq.in_(_given_to_another(controller)),
        ),
    )


def _given_to_another(controller: Controller) -> Select[int]:
    """The entries that name another controller, mostly none; "before or after" can be looked up, "unlike" cannot."""
    name = ConsentEvent.controller_name
    return select(ConsentEvent.seq).where(
        # Not by the bare column: SQLite would read the whole ledger instead of the two ends of the index.
        func.coalesce(ConsentEvent.ledger, "") == controller.ledger,
        or_(name < controller.brand, name > controller.brand),
    )


def _next(session: Session, list_: BroadcastList, after: int, controller: Controller) -> Sequence[Subscriber]:
    return session.scalars(
        select(Subscriber)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscriber.id > after, *_agreed_to_something_else(list_, controller))
        .order_by(Subscriber.id)
        .limit(BATCH)
    ).all()


def _check(list_: BroadcastList, sender: Sender) -> None:
    check_list(list_, sender)
    if found := adverts(list_.purpose):
        raise Refused(
            f"The question would be advertising, for the purpose says “{found[0]}”. Write it plainly."
        )


def _list(session: Session, list_id: int) -> BroadcastList:
    row = session.get(BroadcastList, list_id)
    if row is None:
        raise NotFound(f"There is no list number {list_id}.")
    return row
