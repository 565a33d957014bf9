"""Timers: what is old enough goes, in small steps, once a day, and a row says how much."""

from datetime import timedelta

from sqlalchemy import func, select

from app.domain.addresses import Address
from app.domain.consent import EventType
from app.domain.retention import Kept, read_periods
from app.services.audit import note
from app.services.record_consent import NewEvent, find_or_create_subscriber, record
from app.services.rights import erase_subscriber, retention
from app.services.rights.timers import OldAnswers, OldDeliveries
from app.services.rights.wiping import ERASED
from app.services.verify_ledger import verify
from app.storage.database import db, transaction
from app.storage.models import (
    AuditEntry,
    Delivery,
    InboundRow,
    PurgeRun,
    Subject,
    Subscriber,
    Suppression,
)
from tests.services.rights.test_erasure import ask, person_at
from tests.support.world import Newsroom, number
from workers.clock import slow_round

PERIODS = read_periods("")
ANNA, BERT, CARA, DORA = (number(index) for index in range(4))


def would_go(newsroom: Newsroom) -> dict[str, int]:
    found = retention.would_go(periods=PERIODS, now=newsroom.now)
    return {kind: count for kind, count in found.items() if count}


def purge(newsroom: Newsroom) -> dict[str, int]:
    run = retention.purge(by="ops", periods=PERIODS, controller=newsroom.controller, now=newsroom.now)
    assert run.finished_at == newsroom.now
    return {kind: count for kind, count in run.counts.items() if count}


def test_each_kind_goes_at_its_time_and_a_dry_run_says_the_same_numbers(newsroom: Newsroom) -> None:
    newsroom.text("START", ANNA)  # on the list: stays
    newsroom.text("START", BERT)
    newsroom.text("STOP", BERT)  # left: five years
    newsroom.text("when is the fair?", CARA)  # a stranger: ninety days
    _sign_up(newsroom, DORA)  # never confirmed: thirty days
    newsroom.send_replies()

    newsroom.later(days=31)
    assert would_go(newsroom) == purge(newsroom) == {"signups": 1}
    newsroom.later(days=60)
    assert would_go(newsroom) == purge(newsroom) == {"messages": 4, "replies": 3, "strangers": 1}
    assert would_go(newsroom) == {} == purge(newsroom)
    with transaction() as session:
        note(session, "ops", "list.create", "list 9", newsroom.now)
    newsroom.later(days=1827 - 91 + 1)
    assert would_go(newsroom) == {"audit": _audits(), "deliveries": 3, "proof": 1}
    assert purge(newsroom)["proof"] == 1

    db.session.rollback()
    assert person_at(newsroom, ANNA).erased_at is None
    gone = db.session.scalars(select(Subscriber).where(Subscriber.erased_at.is_not(None))).all()
    assert [row.address[: len(ERASED)] for row in gone] == [ERASED] * 3
    assert db.session.scalar(select(func.count()).select_from(Subject)) == 1
    suppressed = db.session.scalars(select(Suppression.hmac)).all()
    assert suppressed == [newsroom.controller.keys.suppress_hmac("sms", BERT)]
    assert verify(controller=newsroom.controller).bad is None
    assert would_go(newsroom) == {}


def _audits() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def _sign_up(newsroom: Newsroom, address: str) -> None:
    """Do what a web form does whose question nobody answers."""
    with transaction() as session:
        person = find_or_create_subscriber(
            session, Address("sms", address), language="en", controller=newsroom.controller, now=newsroom.now
        )
        event = NewEvent(
            person,
            EventType.SIGNUP_RECORDED,
            newsroom.now,
            "person",
            list_id=newsroom.list_id,
            pii={"address": address},
        )
        record(session, [event], controller=newsroom.controller, now=newsroom.now)


def test_a_proof_under_lock_ends_five_years_after_the_last_use_and_not_after_the_erasure(
    newsroom: Newsroom,
) -> None:
    newsroom.join(1)
    newsroom.broadcast()
    newsroom.send()
    newsroom.later(days=900)
    newsroom.text("hello", ANNA)
    person = person_at(newsroom, ANNA)
    erase_subscriber.erase(person.id, full=False, by="ops", controller=newsroom.controller, now=newsroom.now)

    newsroom.later(days=3)
    assert purge(newsroom) == {"repeats": 1}
    newsroom.later(days=1827 - 904)
    assert would_go(newsroom).get("proof") is None
    newsroom.later(days=1)
    assert purge(newsroom)["proof"] == 1

    assert db.session.scalar(select(func.count()).select_from(Subject)) == 0
    assert verify(controller=newsroom.controller).bad is None


def test_the_clock_does_one_round_a_day_and_erases_who_asked(newsroom: Newsroom) -> None:
    newsroom.text("when is the fair?", CARA)
    newsroom.join(1)
    ask(newsroom, ANNA)
    newsroom.later(days=91)

    slow_round(newsroom.now)
    slow_round(newsroom.now)
    newsroom.text("HELP", CARA)
    newsroom.later(hours=1)
    slow_round(newsroom.now)

    (run,) = db.session.scalars(select(PurgeRun)).all()
    assert (run.day, run.by, run.counts["strangers"]) == (newsroom.now.date().isoformat(), "system", 1)
    assert run.finished_at is not None
    assert person_count(newsroom) == 1  # Cara, who wrote anew

    newsroom.later(days=1)
    slow_round(newsroom.now)
    assert db.session.scalar(select(func.count()).select_from(PurgeRun)) == 2


def person_count(newsroom: Newsroom) -> int:
    db.session.rollback()
    here = select(func.count()).select_from(Subscriber).where(Subscriber.erased_at.is_(None))
    return db.session.scalar(here) or 0


def test_a_round_that_was_broken_off_goes_on_where_it_stopped(newsroom: Newsroom) -> None:
    with transaction() as session:
        session.add(PurgeRun(by="system", day="2026-03-01", started_at=newsroom.now, counts={"messages": 7}))
    newsroom.text("when is the fair?", CARA)
    newsroom.later(days=91)

    while retention.purge_step(periods=PERIODS, controller=newsroom.controller, now=newsroom.now):
        pass

    first = db.session.scalars(select(PurgeRun).order_by(PurgeRun.id)).first()
    assert first is not None
    assert first.counts[Kept.MESSAGES] == 8
    assert first.finished_at is not None
    db.session.rollback()
    assert db.session.scalar(select(InboundRow.text)) == ""


def test_new_words_are_left_alone(newsroom: Newsroom) -> None:
    newsroom.text("where is the bridge?", ANNA)
    newsroom.later(days=89)

    assert purge(newsroom) == {}
    assert db.session.scalar(select(InboundRow.text)) == "where is the bridge?"
    assert retention.last_runs()[0].by == "ops"
    assert newsroom.now - timedelta(days=89) == db.session.scalar(select(InboundRow.received_at))


def test_rows_of_old_answers_go_and_what_people_said_and_the_ledger_stay(newsroom: Newsroom) -> None:
    newsroom.text("START", ANNA)
    newsroom.text("START", BERT)
    newsroom.send_replies()
    newsroom.later(days=1826)
    newsroom.text("STOP", BERT)
    newsroom.send_replies()
    assert "deliveries" not in would_go(newsroom)
    newsroom.later(days=1)

    assert would_go(newsroom)["deliveries"] == 2
    with transaction() as session:
        assert [OldAnswers(step=1).take(session, PERIODS, newsroom.now) for _ in range(3)] == [1, 1, 0]

    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 1
    assert db.session.scalars(select(InboundRow.outcome)).all() == ["START", "START", "STOP"]
    assert verify(controller=newsroom.controller).bad is None


def test_rows_of_old_broadcasts_go_and_their_counts_stay(newsroom: Newsroom) -> None:
    newsroom.join(5)
    old = [newsroom.broadcast(), newsroom.broadcast()]
    newsroom.send()
    newsroom.later(days=3)
    young = newsroom.broadcast()
    newsroom.send()
    before = [newsroom.tally(one) for one in old]
    newsroom.later(days=1825)

    assert would_go(newsroom)["deliveries"] == 10
    with transaction() as session:
        steps = [OldDeliveries(step=3).take(session, PERIODS, newsroom.now) for _ in range(2)]
    assert steps == [3, 3]  # the second begins with the other broadcast's
    assert purge(newsroom)["deliveries"] == 4

    left = db.session.execute(
        select(Delivery.broadcast_id, func.count())
        .where(Delivery.inbound_id == 0)
        .group_by(Delivery.broadcast_id)
    )
    assert dict(left.all()) == {young: 5}
    assert [newsroom.tally(one) for one in old] == before
    assert "deliveries" not in would_go(newsroom)
    assert verify(controller=newsroom.controller).bad is None
