"""A phone number and an id that stand for one account: whatever comes from either is of one person."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from app.domain.addresses import Address
from app.domain.consent import Standing, SubscriptionState
from app.domain.messages import (
    DeliveryRef,
    InboundMessage,
    PlatformEvent,
    PlatformSignal,
    Receipt,
    ReceiptStatus,
)
from app.domain.one_person import Moves, Side, moves_of
from app.domain.retention import read_periods
from app.services.apply_signal import apply_signal
from app.services.decide_reviews import held
from app.services.manage_subscribers import show
from app.services.rebuild_subscriptions import rebuild
from app.services.receive_message import receive_message
from app.services.record_receipts import SenderReceipt, record_receipts
from app.services.rights import erase_subscriber, export_person
from app.storage.database import db
from app.storage.models import AddressAlias, ConsentEvent, InboundRow, Subscriber, Subscription, Suppression
from tests.support.world import NOON, Newsroom

PHONE, ID, NEW_ID = (Address("whatsapp", one) for one in ("+12025550101", "US.1", "US.2"))


@dataclass
class Talk:
    """Somebody on WhatsApp who shows now a number, now an id, now both."""

    newsroom: Newsroom

    def says(self, words: str, address: Address, also_at: Address | None = None) -> None:
        self.newsroom.later(minutes=1)
        message = InboundMessage(f"w{next(self.newsroom._ids)}", address, words, also_at=also_at)
        receive_message(message, **self.at_the_door)

    def moves(self, before: Address, after: Address, also_at: Address | None = None) -> None:
        self.newsroom.later(minutes=1)
        moved = PlatformSignal.NUMBER_CHANGED
        apply_signal(
            PlatformEvent(f"m{next(self.newsroom._ids)}", before, moved, after, also_at=also_at),
            **self.at_the_door,
        )

    @property
    def at_the_door(self):
        return {
            "sender_id": self.newsroom.sender_id,
            "controller": self.newsroom.controller,
            "now": self.newsroom.now,
        }

    @property
    def states(self) -> dict[str, str]:
        db.session.rollback()
        found = select(Subscriber.address, Subscription.state).join(
            Subscription, Subscription.subscriber_id == Subscriber.id
        )
        return {address: state for address, state in db.session.execute(found)}

    def agrees_with_the_ledger(self) -> None:
        how = {"controller": self.newsroom.controller, "now": self.newsroom.now}
        assert rebuild(**how, repair=False).differing == 0


@pytest.fixture
def talk(newsroom: Newsroom) -> Talk:
    return Talk(newsroom)


@pytest.mark.parametrize("joined_at", [PHONE, ID])
def test_a_stop_from_the_other_address_ends_what_the_first_one_joined(talk: Talk, joined_at: Address) -> None:
    other = ID if joined_at is PHONE else PHONE
    talk.says("START", joined_at)
    talk.says("hello", PHONE, also_at=ID)
    talk.says("STOP", other)

    assert talk.states == {joined_at.value: "stopped"}
    kinds = db.session.scalars(select(ConsentEvent.event_type).order_by(ConsentEvent.seq)).all()
    assert kinds == ["notice_shown", "consent_given", "endpoint_changed", "consent_withdrawn"]


def test_two_that_were_known_apart_become_one_and_the_newest_stop_of_either_holds(talk: Talk) -> None:
    talk.says("START", PHONE)
    talk.says("START", ID)
    talk.says("STOP", ID)
    talk.says("hello", PHONE, also_at=ID)

    assert talk.states == {PHONE.value: "stopped", ID.value: "stopped"}
    talk.says("START", ID)
    assert talk.states == {PHONE.value: "active", ID.value: "stopped"}
    talk.agrees_with_the_ledger()


def test_a_start_that_is_newer_than_the_other_stop_stands_and_what_the_id_joined_moves_along(
    talk: Talk,
) -> None:
    sport = talk.newsroom.new_list("Sport", "SPORT")
    talk.says("STOP", ID)
    talk.says("CITY", PHONE)
    talk.says("SPORT", ID)
    talk.says("hello", PHONE, also_at=ID)

    active = db.session.execute(
        select(Subscriber.address, Subscription.list_id)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.state == "active")
        .order_by(Subscription.list_id)
    ).all()
    assert [tuple(row) for row in active] == [(PHONE.value, talk.newsroom.list_id), (PHONE.value, sport)]


def test_a_suppression_of_either_holds_for_both_until_the_person_says_start(talk: Talk) -> None:
    talk.says("START", PHONE)
    talk.says("wrong number", ID)
    talk.says("hello", PHONE, also_at=ID)
    person = db.session.scalars(select(Subscriber).where(Subscriber.address == PHONE.value)).one()
    assert person.suppressed_at is not None
    assert talk.states[PHONE.value] == "stopped"

    talk.says("START", ID)
    db.session.rollback()
    assert db.session.scalars(select(Suppression).where(Suppression.lifted_at.is_(None))).all() == []
    assert talk.states[PHONE.value] == "active"


def test_what_may_have_been_a_stop_at_the_id_is_decided_at_the_number(talk: Talk) -> None:
    talk.says("START", PHONE)
    talk.says("don't text me before 9", ID)
    talk.says("hello", PHONE, also_at=ID)

    db.session.rollback()
    (held_,) = held()
    assert (held_.address, held_.texts) == (PHONE.value, ("don't text me before 9",))
    talk.agrees_with_the_ledger()


def test_a_report_teaches_the_id_of_somebody_who_never_wrote_since(talk: Talk) -> None:
    talk.says("START", PHONE)
    ref = DeliveryRef(1, 1)
    shown = Receipt(ref, "wamid.1", ReceiptStatus.DELIVERED, shows=(PHONE, ID))
    strangers = Receipt(
        ref, "wamid.2", ReceiptStatus.DELIVERED, shows=(Address("whatsapp", "+12025550102"), NEW_ID)
    )
    for _ in range(2):
        receipts = [SenderReceipt(talk.newsroom.sender_id, one) for one in (shown, strangers)]
        record_receipts(receipts, controller=talk.newsroom.controller, now=NOON)

    assert [row.address for row in db.session.scalars(select(AddressAlias))] == [ID.value]
    assert len(db.session.scalars(select(Subscriber)).all()) == 1
    talk.says("STOP", ID)
    assert talk.states == {PHONE.value: "stopped"}


def test_a_new_id_of_a_known_number_is_learnt_and_a_new_number_takes_the_ids_along(talk: Talk) -> None:
    talk.says("START", PHONE, also_at=ID)
    talk.moves(ID, NEW_ID)
    assert talk.states == {PHONE.value: "active"}
    moved = Address("whatsapp", "+12025550102")
    talk.moves(PHONE, moved, also_at=Address("whatsapp", "US.3"))

    assert talk.states == {PHONE.value: "stopped", moved.value: "active"}
    talk.says("STOP", NEW_ID)
    assert talk.states[moved.value] == "stopped"


def test_an_erasure_takes_aliases_and_former_selves_along_and_their_hashes_stay(talk: Talk) -> None:
    talk.says("START", ID)
    talk.says("START", PHONE)
    talk.says("hello", PHONE, also_at=ID)
    assert show(ID.value, channel="whatsapp", controller=talk.newsroom.controller).address == PHONE.value
    person = erase_subscriber.find(ID.value, channel="whatsapp", controller=talk.newsroom.controller)
    pack = export_person.export(
        person,
        language="en",
        periods=read_periods(""),
        by="ops",
        controller=talk.newsroom.controller,
        now=talk.newsroom.now,
    )
    assert pack["person"]["other_addresses"] == [{"channel": "whatsapp", "address": ID.value}]
    assert ID.value in export_person.page(pack)
    erase_subscriber.erase(
        person, full=True, by="ops", controller=talk.newsroom.controller, now=talk.newsroom.now
    )

    assert db.session.scalars(select(AddressAlias)).all() == []
    assert {row.address[:7] for row in db.session.scalars(select(Subscriber))} == {"erased:"}
    assert {row.text for row in db.session.scalars(select(InboundRow))} == {""}
    talk.says("hello", ID)
    again = db.session.scalars(select(Subscriber).where(Subscriber.address == ID.value)).one()
    assert again.suppressed_at is not None


def on(state: SubscriptionState, minute: int) -> Standing:
    at = NOON.replace(minute=minute)
    if state is SubscriptionState.STOPPED:
        return Standing(state, stopped_at=at, stopped_seq=minute)
    if state is SubscriptionState.PENDING:
        return Standing(state, requested_at=at, requested_seq=minute, expires_at=NOON.replace(hour=23))
    return Standing(state, granted_at=at, granted_seq=minute)


ACTIVE, STOPPED, PENDING = SubscriptionState.ACTIVE, SubscriptionState.STOPPED, SubscriptionState.PENDING


@pytest.mark.parametrize(
    ("closes", "stays", "expected"),
    [
        ({1: on(ACTIVE, 1)}, {}, Moves((), (1,))),
        ({1: on(ACTIVE, 9)}, {1: on(STOPPED, 1)}, Moves((), ())),
        ({1: on(ACTIVE, 9)}, {1: on(ACTIVE, 1)}, Moves((), ())),
        ({1: on(STOPPED, 9)}, {1: on(ACTIVE, 1)}, Moves((1,), ())),
        ({1: on(STOPPED, 1)}, {1: on(ACTIVE, 9)}, Moves((), ())),
        ({1: on(STOPPED, 9)}, {1: on(PENDING, 1)}, Moves((1,), ())),
        ({1: on(STOPPED, 9)}, {2: on(ACTIVE, 1)}, Moves((), ())),
    ],
)
def test_the_newest_wish_on_a_list_holds_and_nothing_is_resurrected(closes, stays, expected) -> None:
    assert moves_of(Side(closes), Side(stays)) == expected


def test_a_stop_of_everything_reaches_every_list_and_nothing_moves_to_who_once_left() -> None:
    late, stopped = NOON.replace(minute=9), {1: on(ACTIVE, 1), 2: on(ACTIVE, 12)}
    assert moves_of(Side({}, late), Side(stopped)) == Moves((1,), ())
    assert moves_of(Side({3: on(ACTIVE, 5)}), Side({}, late)) == Moves((), ())
