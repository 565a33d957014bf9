"""Erasure: what goes, what stays, and that nothing else changes."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.consent import Act, EventType, Scope
from app.domain.statuses import DeliveryStatus
from app.services.controller import NotFound, Refused
from app.services.figures.roll_up import roll_up
from app.services.manage_subscribers import export_list, show
from app.services.rebuild_subscriptions import rebuild
from app.services.record_consent import NewEvent, record
from app.services.reports import deliveries, optouts_caused
from app.services.rights import erase_subscriber, requests
from app.services.rights.wiping import ERASED
from app.services.verify_ledger import verify
from app.storage.database import Base, db, transaction
from app.storage.models import (
    ConsentEvent,
    ConsentPii,
    Delivery,
    InboundRow,
    RestrictedSubject,
    Subject,
    Subscriber,
    Suppression,
)
from tests.support.world import Newsroom, number

ANNA = number(0)

# Each table in which a person may be found, and what an erasure does there. A new one must be thought about.
TABLES_WITH_PEOPLE = {
    "address_alias": "deleted",
    "broadcast_answer": "stays as a count: person, moment and text of it removed",
    "consent_event": "stays: pseudonym only",
    "consent_pii": "restricted, or destroyed",
    "delivery": "waiting ones skipped, provider's number removed",
    "inbound_message": "words blanked",
    "inbox_message": "deleted",
    "linked_address": "deleted",
    "tester": "deleted",
    "own_message": "deleted",
    "person_click": "deleted",
    "delivery_read": "deleted",
    "push_route": "deleted",
    "webhook_person": "deleted, with the post",
    "restricted_subject": "made, or destroyed",
    "subject": "leads nowhere, or destroyed",
    "subscriber": "address and profile replaced",
    "subscription": "stays, stopped, without a person behind it",
    "suppression": "keyed hash added",
}


def person_at(newsroom: Newsroom, address: str = ANNA) -> Subscriber:
    db.session.rollback()
    return db.session.scalars(select(Subscriber).where(Subscriber.address == address)).one()


def erase(newsroom: Newsroom, *, full: bool | None = None, address: str = ANNA) -> erase_subscriber.Erased:
    person = person_at(newsroom, address)
    return erase_subscriber.erase(
        person.id,
        full=full,
        reason="letter of 1 March",
        by="ops",
        controller=newsroom.controller,
        now=newsroom.now,
    )


def count(table: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_every_table_with_a_person_is_known_to_the_erasure() -> None:
    personal = {"subscriber_id", "subject_ref", "address", "hmac", "event_id"}
    with_people = {
        name for name, table in Base.metadata.tables.items() if personal & set(table.columns.keys())
    }

    assert with_people - {"sender", "feed"} == set(TABLES_WITH_PEOPLE)


@pytest.mark.parametrize("full", [False, True])
def test_t14_after_an_erasure_the_ledger_verifies_suppression_hits_and_start_works(
    full: bool, newsroom: Newsroom
) -> None:
    newsroom.text("START", ANNA)
    newsroom.text("where is the bridge?", ANNA)
    newsroom.send_replies()
    sent = newsroom.broadcast()
    newsroom.send()
    waiting = newsroom.broadcast()
    before = newsroom.tally(sent)
    old = person_at(newsroom)

    done = erase(newsroom, full=full)

    db.session.rollback()
    left = db.session.get_one(Subscriber, old.id)
    assert done.full is full
    assert done.statement.waiting == 0
    assert done.statement.texts == 2
    assert left.address.startswith(ERASED)
    assert left.attributes == {}
    assert left.erased_at == newsroom.now
    assert [(row.text, row.reply_text) for row in db.session.scalars(select(InboundRow))] == [("", None)] * 2
    assert (count(Subject), count(RestrictedSubject)) == ((0, 0) if full else (1, 1))
    assert (count(ConsentPii) == 0) is full
    assert verify(controller=newsroom.controller).bad is None
    assert rebuild(controller=newsroom.controller, repair=False, now=newsroom.now).differing == 0
    assert newsroom.tally(sent) == before
    assert [line.address for line in deliveries(sent)] == [left.address]
    newsroom.send()
    assert newsroom.provider.copies[ANNA] == 2  # the welcome and the first broadcast
    assert newsroom.tally(waiting).skipped == 1
    assert list(export_list("City")) == ["number,state,since,language\n"]
    with pytest.raises(NotFound):
        show(ANNA, controller=newsroom.controller)
    assert db.session.scalar(select(Suppression.hmac)) == newsroom.controller.keys.suppress_hmac("sms", ANNA)

    newsroom.later(days=1)
    newsroom.text("hello?", ANNA)
    fresh = show(ANNA, controller=newsroom.controller)
    assert "suppressed" in fresh.overlays
    assert fresh.subject_ref != old.subject_ref
    newsroom.text("START", ANNA)
    fresh = show(ANNA, controller=newsroom.controller)
    assert fresh.overlays == {}
    assert [row.state for row in fresh.lists] == ["active"]
    assert db.session.scalar(select(Suppression.lifted_at)) == newsroom.now
    assert verify(controller=newsroom.controller).bad is None


def test_without_a_choice_the_proof_goes_only_when_nothing_was_ever_sent(newsroom: Newsroom) -> None:
    newsroom.join(2)
    newsroom.broadcast(list_ids=[newsroom.list_id])
    newsroom.send()
    newsroom.text("HELP", number(2))
    newsroom.send_replies()

    assert erase(newsroom).full is False
    assert erase(newsroom, address=number(2)).full is True


def test_an_erased_person_cannot_be_erased_again(newsroom: Newsroom) -> None:
    newsroom.join(1)
    person = person_at(newsroom)
    erase(newsroom)

    with pytest.raises(Refused, match="erased already"):
        erase_subscriber.statement(person.id)


def test_the_count_of_those_who_left_stays_after_an_erasure(newsroom: Newsroom) -> None:
    newsroom.join(1)
    sent = newsroom.broadcast()
    newsroom.send()
    newsroom.later(minutes=1)
    newsroom.text("STOP", ANNA)
    newsroom.later(minutes=2)
    roll_up(controller=newsroom.controller, now=newsroom.now)

    erase(newsroom, full=True)

    assert optouts_caused(sent) == 1


def ask(newsroom: Newsroom, address: str = ANNA) -> None:
    """Do what an ERASE by text does."""
    with transaction() as session:
        person = session.scalars(select(Subscriber).where(Subscriber.address == address)).one()
        event = NewEvent(
            person,
            EventType.ERASURE_REQUESTED,
            newsroom.now,
            "person",
            act=Act.KEYWORD_EXACT,
            scope=Scope.ALL,
        )
        record(session, [event], controller=newsroom.controller, now=newsroom.now)


def test_a_request_by_text_is_carried_out_once_its_answer_went_out(newsroom: Newsroom) -> None:
    newsroom.text("START", ANNA)  # its answer stands for the one that an ERASE gets
    ask(newsroom)
    ask(newsroom)
    (request,) = requests.open_requests(newsroom.controller.ledger)
    assert request.waits
    assert request.due_at - request.asked_at == timedelta(days=31)

    def done() -> list[int]:
        return erase_subscriber.erase_requested(controller=newsroom.controller, now=newsroom.now)

    assert done() == []
    newsroom.send_replies()
    assert done() == [request.subscriber_id]
    assert done() == [] == requests.open_requests(newsroom.controller.ledger)
    (kept,) = requests.done_lately(newsroom.controller.ledger)
    assert (kept.actor, kept.full) == ("system:erasure", True)
    assert newsroom.provider.copies[ANNA] == 1


def test_a_start_after_the_request_takes_it_back(newsroom: Newsroom) -> None:
    newsroom.text("START", ANNA)
    ask(newsroom)
    newsroom.text("STOP", ANNA)
    newsroom.text("START", ANNA)
    newsroom.send_replies()

    assert requests.open_requests(newsroom.controller.ledger) == []
    assert erase_subscriber.erase_requested(controller=newsroom.controller, now=newsroom.now) == []


def test_a_repeated_webhook_after_an_erasure_brings_nobody_back(newsroom: Newsroom) -> None:
    newsroom.text("START", ANNA, id_="SM-one")
    erase(newsroom, full=True)

    assert newsroom.text("START", ANNA, id_="SM-one").duplicate
    assert db.session.scalar(select(func.count()).where(ConsentEvent.event_type == "consent_given")) == 1
    assert db.session.scalar(select(Delivery.status)) == DeliveryStatus.SKIPPED


def test_a_text_that_is_delivered_again_after_the_erasure_brings_nobody_back(newsroom: Newsroom) -> None:
    newsroom.text("START", ANNA, id_="SM1")
    newsroom.send_replies()
    erase(newsroom)

    again = newsroom.text("START", ANNA, id_="SM1")

    assert again.duplicate
    assert not db.session.scalars(select(Subscriber.id).where(Subscriber.address == ANNA)).all()
