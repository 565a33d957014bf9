"""What becomes of a slice whose worker is gone: nothing twice, nothing lost, and what nobody can know is said."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.messages import DeliveryRef, Receipt, ReceiptStatus
from app.gateways.base import Reply
from app.services import fan_out
from app.services.record_receipts import SenderReceipt, record_receipts
from app.services.recover_slices import recover_stopped
from app.services.stop_broadcasts import cancel
from app.storage.database import db, transaction
from app.storage.deliveries import lease_slice
from app.storage.journal import Journal
from app.storage.models import Slice, Subscriber
from tests.support.world import FakeProvider, Newsroom, accepted, number
from workers.journal import journal

DEAD = "here:666"
Sending = Callable[[Callable[[int], object]], int]


class Killed(BaseException):
    """SIGKILL: nothing of the process runs any more."""


def die_in_the_second_window(newsroom: Newsroom, *, rate: float = 1000.0) -> None:
    """Ten have been answered, of the next ten the provider got the first only, five were never touched."""
    die_at(newsroom, number(10), rate)


def die_at(newsroom: Newsroom, address: str, rate: float = 1000.0) -> None:
    """The process is killed when this person has the message, and before the others of the window have."""

    def die(to: str) -> None:
        if to == address:
            raise Killed

    newsroom.provider.before_answer = die
    lane = newsroom.lane(worker=DEAD, rate=rate)
    lane._wind_down = lambda: None
    with pytest.raises(Killed):
        lane.drain(newsroom.now + timedelta(seconds=20))
    newsroom.provider = FakeProvider(arrived=newsroom.provider.arrived)


def files() -> list[Path]:
    return list(journal()._folder.glob("*.journal"))


def test_answers_are_settled_who_was_not_touched_is_sent_to_and_the_rest_is_unknown(
    newsroom: Newsroom,
) -> None:
    people = newsroom.join(25)
    broadcast_id = newsroom.broadcast()
    newsroom.provider.answer = lambda to, body: (
        Reply(400, b'{"code": 21610, "message": "said stop"}') if to == number(0) else accepted(to, body)
    )
    die_in_the_second_window(newsroom)
    before = newsroom.tally(broadcast_id)
    fan_out.take_from_dead({DEAD}, newsroom.now)

    newsroom.send()

    counts = newsroom.tally(broadcast_id)
    assert (before.pending, before.sent) == (25, 0)
    assert (counts.sent, counts.failed, counts.unknown, counts.pending) == (14, 1, 10, 0)
    assert counts.reasons == {"opted_out": 1, "worker_died": 10}
    # Of the ten that are unknown the provider got one; the other nine are not sent again by themselves.
    assert newsroom.provider.copies == dict.fromkeys(people[:11] + people[20:], 1)
    assert files() == []
    newsroom.provider.arrived.clear()
    newsroom.broadcast("Second news.")
    newsroom.send()
    assert number(0) not in newsroom.provider.copies, (
        "what the provider said of a person is heard from the journal"
    )


def test_without_a_journal_all_up_to_the_noted_place_are_unknown_and_nobody_beyond_it(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    people = newsroom.join(35)
    broadcast_id = newsroom.broadcast()
    die_in_the_second_window(newsroom, rate=40.0)
    fan_out.take_from_dead({DEAD}, newsroom.now)

    newsroom.lane(notes=Journal(tmp_path / "another machine", "another boot")).drain(
        newsroom.now + timedelta(seconds=20)
    )

    counts = newsroom.tally(broadcast_id)
    assert (counts.unknown, counts.sent, counts.pending) == (30, 5, 0)
    assert newsroom.provider.copies == dict.fromkeys(people[:11] + people[30:], 1)


def test_whoever_takes_a_slice_and_dies_before_the_recovery_leaves_it_to_the_next(newsroom: Newsroom) -> None:
    newsroom.join(25)
    broadcast_id = newsroom.broadcast()
    die_in_the_second_window(newsroom)
    fan_out.take_from_dead({DEAD}, newsroom.now)
    with transaction() as session:
        assert lease_slice(session, newsroom.sender_id, "here:667", newsroom.now, timedelta(seconds=30))
    fan_out.take_from_dead(fan_out.leaseholders(), newsroom.now)

    newsroom.send()

    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.unknown, counts.pending) == (15, 10, 0)


def test_whoever_takes_over_and_is_killed_in_its_first_window_is_believed_too(newsroom: Newsroom) -> None:
    people = newsroom.join(25)
    broadcast_id = newsroom.broadcast()
    die_in_the_second_window(newsroom)
    fan_out.take_from_dead({DEAD}, newsroom.now)
    die_at(newsroom, number(20))
    fan_out.take_from_dead({DEAD}, newsroom.now)

    newsroom.send()

    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.unknown, counts.pending) == (10, 15, 0)
    assert newsroom.provider.copies == dict.fromkeys([*people[:11], people[20]], 1)


def test_a_cancelled_broadcast_tells_the_truth_about_what_its_dead_worker_had_sent(
    newsroom: Newsroom,
) -> None:
    newsroom.join(25)
    broadcast_id = newsroom.broadcast()
    die_in_the_second_window(newsroom)
    cancel(broadcast_id, by="ada", now=newsroom.now)
    fan_out.take_from_dead(fan_out.leaseholders(), newsroom.now)

    unknown = recover_stopped(journal(), controller=newsroom.controller, now=newsroom.now)
    again = recover_stopped(journal(), controller=newsroom.controller, now=newsroom.now)

    counts = newsroom.tally(broadcast_id)
    assert (unknown, again) == (10, 0)
    assert (counts.sent, counts.unknown, counts.skipped) == (10, 10, 5)
    assert counts.reasons == {"canceled": 5, "worker_died": 10}


def test_of_two_workers_on_one_slice_the_later_lease_alone_goes_on(newsroom: Newsroom) -> None:
    """The first was taken for dead, and wakes up with a window on the wire."""
    people = newsroom.join(25)
    broadcast_id = newsroom.broadcast()
    seen: list[int] = []

    def overtake(_to: str) -> None:
        newsroom.provider.before_answer = None
        fan_out.take_from_dead({"here:1"}, newsroom.now)
        newsroom.lane(FakeProvider(arrived=newsroom.provider.arrived), worker="here:2").drain(
            newsroom.now + timedelta(seconds=20)
        )
        counts = newsroom.tally(broadcast_id)
        seen.extend((counts.unknown, counts.sent))

    newsroom.provider.before_answer = overtake
    newsroom.send()

    counts = newsroom.tally(broadcast_id)
    assert seen == [10, 15]
    assert (counts.sent, counts.unknown, counts.pending) == (25, 0, 0)
    assert newsroom.provider.copies == dict.fromkeys(people, 1)
    db.session.rollback()
    assert (db.session.query(Slice).one().state, db.session.query(Slice).one().reached) == ("done", None)


@pytest.fixture
def on_the_wire(newsroom: Newsroom) -> Sending:
    """Send a broadcast to four people and do something while their messages are on the wire."""

    def send(deed: Callable[[int], object]) -> int:
        newsroom.join(4)
        broadcast_id = newsroom.broadcast()

        def once(to: str) -> None:
            if to == number(3):
                newsroom.provider.before_answer = None
                deed(broadcast_id)

        newsroom.provider.before_answer = once
        newsroom.send()
        return broadcast_id

    return send


def test_a_stop_while_the_message_is_on_the_wire_hides_no_hand_over_and_allows_no_second_try(
    newsroom: Newsroom, on_the_wire: Sending
) -> None:
    newsroom.provider.answer = lambda to, body: Reply(503) if to == number(1) else accepted(to, body)

    def two_say_stop(_broadcast_id: int) -> None:
        for one in (0, 1):
            newsroom.text("STOP", number(one))

    broadcast_id = on_the_wire(two_say_stop)

    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.skipped, counts.pending) == (3, 1, 0)
    assert counts.reasons == {"stopped": 1}


def test_a_receipt_that_is_faster_than_our_own_note_stays(newsroom: Newsroom, on_the_wire: Sending) -> None:
    def receipt_comes(broadcast_id: int) -> None:
        person = db.session.query(Subscriber.id).filter_by(address=number(0)).scalar()
        receipt = Receipt(DeliveryRef(broadcast_id, person), "SM1", ReceiptStatus.DELIVERED)
        record_receipts(
            [SenderReceipt(newsroom.sender_id, receipt)], controller=newsroom.controller, now=newsroom.now
        )

    counts = newsroom.tally(on_the_wire(receipt_comes))

    assert (counts.sent, counts.delivered) == (3, 1)
