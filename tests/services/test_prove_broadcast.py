"""On which consents a broadcast went out, checked message by message."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.domain.retention import read_periods
from app.services.controller import NotFound, Refused
from app.services.prove_broadcast import basis_of, prove, rows_kept_until
from app.storage.database import db, transaction
from app.storage.models import Broadcast, ConsentEvent, Delivery
from tests.support.world import NOON, Newsroom, number


def test_every_message_rests_on_an_entry_of_its_person(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    newsroom.send()

    found = prove(broadcast_id, controller=newsroom.controller)
    newsroom.text("STOP", number(1))
    later = prove(broadcast_id, controller=newsroom.controller)

    assert (found.messages, found.bad, found.problems) == (3, 0, ())
    assert found.basis.entry_hash == db.session.scalar(
        select(ConsentEvent.entry_hash).where(ConsentEvent.seq == found.basis.seq)
    )
    assert later == found


def test_a_message_without_such_an_entry_is_named_and_changes_the_hash(newsroom: Newsroom) -> None:
    newsroom.join(4)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    before = prove(broadcast_id, controller=newsroom.controller)
    newsroom.join(1, first=10)
    with transaction() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.subscriber_id)).all()
        rows[0].consent_seq, rows[1].consent_seq = None, 999
        rows[2].consent_seq = rows[3].consent_seq

    after = prove(broadcast_id, controller=newsroom.controller)

    assert after.bad == 3
    assert sorted(one.partition("names ")[2] for one in after.problems) == sorted(
        [
            "no consent",
            "entry 999, which is not in the ledger",
            f"entry {rows[3].consent_seq}, which is about somebody else",
        ]
    )
    assert after.audience_hash != before.audience_hash


def test_what_was_agreed_to_after_the_audience_was_frozen_is_no_basis(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    newsroom.text("STOP", number(0))
    newsroom.text("START", number(0))
    last = db.session.scalar(select(ConsentEvent.seq).order_by(ConsentEvent.seq.desc()).limit(1))
    with transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.broadcast_id == broadcast_id).values(consent_seq=last)
        )

    assert "younger than the audience" in prove(broadcast_id, controller=newsroom.controller).problems[0]


def test_one_that_is_not_there_or_has_not_begun_has_no_proof(newsroom: Newsroom) -> None:
    newsroom.join(1)
    waiting = newsroom.broadcast_waiting()

    with pytest.raises(Refused, match="has not begun"):
        prove(waiting, controller=newsroom.controller)
    with pytest.raises(NotFound):
        prove(999, controller=newsroom.controller)
    assert basis_of(db.session.get_one(Broadcast, waiting), newsroom.controller) is None


def test_rows_are_kept_for_their_period_after_the_end(newsroom: Newsroom) -> None:
    periods = read_periods("deliveries=30")

    assert rows_kept_until(Broadcast(finished_at=NOON), periods) == NOON + timedelta(days=30)
    assert rows_kept_until(Broadcast(), periods) is None
