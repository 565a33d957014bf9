"""Fan-out: everybody once, nobody lost, and whoever said stop not at all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.domain.messages import Batch
from app.domain.pace import Ask, Grant
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.gateways.base import Call, Reply
from app.gateways.twilio import TwilioGateway
from app.services import fan_out, manage_senders
from app.services.send_deliveries import Lane
from app.services.stop_broadcasts import cancel, pause, resume
from app.storage.database import db, transaction
from app.storage.deliveries import lease_slice
from app.storage.models import Broadcast, Delivery, Sender, Slice, Subscriber
from tests.support.world import ACCOUNT, NUMBER, TOKEN, FakeProvider, Newsroom, OpenThrottle, accepted, number


def state_of(broadcast_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(Broadcast, broadcast_id).state


def code(status: int, number: int) -> Reply:
    return Reply(status, b'{"code": %d, "message": "as documented"}' % number)


def test_everybody_on_the_list_gets_one_message_and_the_counts_add_up(newsroom: Newsroom) -> None:
    people = newsroom.join(30)

    broadcast_id = newsroom.broadcast()
    newsroom.send()

    assert newsroom.provider.copies == dict.fromkeys(people, 1)
    counts = newsroom.tally(broadcast_id)
    assert (counts.audience, counts.sent, counts.pending) == (30, 30, 0)
    assert state_of(broadcast_id) == BroadcastState.FINISHED


def test_each_delivery_names_the_consent_that_allowed_it(newsroom: Newsroom) -> None:
    newsroom.join(3)

    broadcast_id = newsroom.broadcast()
    newsroom.send()

    rows = db.session.scalars(select(Delivery).where(Delivery.broadcast_id == broadcast_id)).all()
    assert [row.consent_seq for row in rows] == [1, 2, 3]


def test_working_a_lane_twice_sends_nothing_twice(newsroom: Newsroom) -> None:
    people = newsroom.join(5)

    newsroom.broadcast()
    newsroom.send()
    newsroom.send()

    assert newsroom.provider.copies == dict.fromkeys(people, 1)


def test_a_person_on_two_lists_gets_one_copy(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.join(2)
    newsroom.text("SPORT", number(0))
    newsroom.send_replies()
    newsroom.provider.arrived.clear()

    newsroom.broadcast(list_ids=[newsroom.list_id, sport])
    newsroom.send()

    assert newsroom.provider.copies == {number(0): 1, number(1): 1}


def test_placeholders_take_the_persons_values_or_the_fall_back(newsroom: Newsroom) -> None:
    newsroom.join(2)
    with transaction() as session:
        session.execute(
            update(Subscriber).where(Subscriber.address == number(0)).values(attributes={"first_name": "Ada"})
        )

    newsroom.broadcast("Good morning {{first_name|reader}}!")
    newsroom.send()

    assert sorted(newsroom.provider.arrived) == [
        (number(0), "Good morning Ada!"),
        (number(1), "Good morning reader!"),
    ]


def test_a_stop_after_the_start_of_a_broadcast_wins(newsroom: Newsroom) -> None:
    newsroom.join(4)

    broadcast_id = newsroom.broadcast()
    newsroom.text("STOP", number(2))
    newsroom.send()

    broadcast_texts = [to for to, body in newsroom.provider.arrived if "bridge" in body]
    assert number(2) not in broadcast_texts
    counts = newsroom.tally(broadcast_id)
    assert (counts.audience, counts.sent, counts.skipped, counts.reasons) == (4, 3, 1, {"stopped": 1})


def test_t4_a_stop_between_claim_and_hand_over_wins(newsroom: Newsroom) -> None:
    """The first window is on the wire when the last person of the slice says stop."""
    newsroom.join(25)
    last = number(24)
    said = []

    def stop_once(_to: str) -> None:
        if not said:
            said.append(newsroom.text("STOP", last))

    newsroom.provider.before_answer = stop_once
    broadcast_id = newsroom.broadcast()
    newsroom.send()

    assert said
    assert [body for to, body in newsroom.provider.arrived if to == last and "bridge" in body] == []
    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.skipped, counts.pending) == (24, 1, 0)


def test_stop_and_start_again_in_mid_broadcast_keeps_the_sums_right(newsroom: Newsroom) -> None:
    newsroom.join(3)

    broadcast_id = newsroom.broadcast()
    newsroom.text("STOP", number(1))
    newsroom.text("START", number(1))
    newsroom.send()

    counts = newsroom.tally(broadcast_id)
    assert (counts.audience, counts.sent, counts.skipped, counts.pending) == (3, 2, 1, 0)


def test_whoever_joins_after_the_start_is_not_part_of_the_audience(newsroom: Newsroom) -> None:
    newsroom.join(3)

    broadcast_id = newsroom.broadcast()
    newsroom.text("START", number(7))
    newsroom.send()

    assert [to for to, body in newsroom.provider.arrived if to == number(7) and "bridge" in body] == []
    assert newsroom.tally(broadcast_id).audience == 3


def test_stopping_one_of_two_lists_leaves_the_other_in_force(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.join(1)
    newsroom.text("SPORT", number(0))

    broadcast_id = newsroom.broadcast(list_ids=[newsroom.list_id, sport])
    newsroom.text("STOP SPORT", number(0))
    newsroom.send()

    assert newsroom.tally(broadcast_id).sent == 1


def test_a_timeout_after_the_request_left_is_unknown_and_never_sent_again(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.provider.answer = lambda to, body: (
        Reply(0, left=True, reason="curl_28") if to == number(1) else accepted(to, body)
    )

    broadcast_id = newsroom.broadcast()
    newsroom.send()
    newsroom.later(hours=1)
    fan_out.bring_back(newsroom.now)
    newsroom.send()

    assert newsroom.provider.copies[number(1)] == 1
    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.unknown) == (2, 1)


def test_a_request_that_never_left_is_tried_again_until_it_succeeds(newsroom: Newsroom) -> None:
    newsroom.join(2)
    tries: list[str] = []

    def refuse_twice(to: str, body: str) -> Reply:
        tries.append(to)
        return accepted(to, body) if tries.count(to) > 2 else Reply(0, left=False, reason="curl_7")

    newsroom.provider.answer = refuse_twice
    broadcast_id = newsroom.broadcast()
    for _ in range(4):
        newsroom.send()
        newsroom.later(minutes=5)
        fan_out.bring_back(newsroom.now)

    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.pending, counts.failed) == (2, 0, 0)
    assert state_of(broadcast_id) == BroadcastState.FINISHED


def test_a_temporary_failure_is_given_up_after_five_attempts(newsroom: Newsroom) -> None:
    newsroom.join(1)
    newsroom.provider.answer = lambda to, body: Reply(503)

    broadcast_id = newsroom.broadcast()
    for _ in range(8):
        newsroom.send()
        newsroom.later(minutes=10)
        fan_out.bring_back(newsroom.now)

    assert newsroom.provider.copies[number(0)] == 5
    counts = newsroom.tally(broadcast_id)
    assert (counts.failed, counts.errors) == (1, {"503": 1})


def test_a_rate_limit_makes_the_sender_wait_and_counts_no_attempt(newsroom: Newsroom) -> None:
    newsroom.join(1)
    replies = iter([Reply(429, b'{"code": 20429}', {"retry-after": "2"})] * 7)
    newsroom.provider.answer = lambda to, body: next(replies, None) or accepted(to, body)

    broadcast_id = newsroom.broadcast()
    for _ in range(9):
        newsroom.send()
        newsroom.later(seconds=3)
        fan_out.bring_back(newsroom.now)

    assert newsroom.throttle.paused[:1] == [2.0]
    assert newsroom.tally(broadcast_id).sent == 1


def test_t7_an_opt_out_known_only_to_the_provider_becomes_a_withdrawal(
    newsroom: Newsroom,
) -> None:
    newsroom.join(2)
    newsroom.provider.answer = lambda to, body: code(400, 21610) if to == number(0) else accepted(to, body)

    first = newsroom.broadcast()
    newsroom.send()
    newsroom.provider.arrived.clear()
    second = newsroom.broadcast("Second news.")
    newsroom.send()

    assert newsroom.tally(first).reasons == {"opted_out": 1}
    assert newsroom.provider.copies == {number(1): 1}
    assert newsroom.tally(second).audience == 1


def test_a_dead_number_is_not_tried_by_the_next_broadcast(newsroom: Newsroom) -> None:
    newsroom.join(1)
    newsroom.provider.answer = lambda to, body: code(400, 21211)

    newsroom.broadcast()
    newsroom.send()
    with pytest.raises(ValueError, match="Nobody on these lists can be reached"):
        newsroom.broadcast("Second news.")

    assert newsroom.provider.copies[number(0)] == 1


def test_a_wrong_token_closes_the_sender_instead_of_burning_the_audience(newsroom: Newsroom) -> None:
    newsroom.join(25)
    newsroom.provider.answer = lambda to, body: code(401, 20003)

    broadcast_id = newsroom.broadcast()
    newsroom.send()

    counts = newsroom.tally(broadcast_id)
    assert (counts.failed, counts.pending) == (0, 25)
    assert len(newsroom.provider.arrived) <= 20
    assert "20003" in (db.session.get_one(Sender, newsroom.sender_id).paused_reason or "")


def test_pause_holds_what_has_not_left_and_resume_sends_it(newsroom: Newsroom) -> None:
    people = newsroom.join(25)
    broadcast_id = newsroom.broadcast()

    def pause_once(_to: str) -> None:
        newsroom.provider.before_answer = None
        pause(broadcast_id, by="ada", reason="a wrong figure", now=newsroom.now)

    newsroom.provider.before_answer = pause_once
    newsroom.send()
    held = newsroom.tally(broadcast_id)
    resume(broadcast_id, by="ada", now=newsroom.now)
    newsroom.send()

    assert (held.sent, held.pending) == (10, 15)
    assert newsroom.provider.copies == dict.fromkeys(people, 1)
    assert newsroom.tally(broadcast_id).sent == 25


def test_pausing_the_sender_holds_its_broadcasts_in_mid_flight(newsroom: Newsroom) -> None:
    newsroom.join(25)
    broadcast_id = newsroom.broadcast()

    def pause_sender_once(_to: str) -> None:
        newsroom.provider.before_answer = None
        manage_senders.pause("city-desk", reason="a wrong number", by="ops", now=newsroom.now)

    newsroom.provider.before_answer = pause_sender_once
    newsroom.send()
    newsroom.send()

    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.pending) == (10, 15)


def test_cancel_skips_everybody_who_has_not_had_it(newsroom: Newsroom) -> None:
    newsroom.join(25)
    broadcast_id = newsroom.broadcast()

    def cancel_once(_to: str) -> None:
        newsroom.provider.before_answer = None
        cancel(broadcast_id, by="ada", now=newsroom.now)

    newsroom.provider.before_answer = cancel_once
    newsroom.send()

    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.skipped, counts.reasons, counts.pending) == (10, 15, {"canceled": 15}, 0)


def test_a_dead_workers_hand_overs_become_unknown_and_the_rest_is_sent(newsroom: Newsroom) -> None:
    people = newsroom.join(25)
    broadcast_id = newsroom.broadcast()

    class Killed(BaseException):
        pass

    def die(_to: str) -> None:
        raise Killed

    newsroom.provider.before_answer = die
    lane = newsroom.lane(worker="here:666")
    lane._wind_down = lambda: None  # SIGKILL runs no clean-up
    with pytest.raises(Killed):
        lane.drain(newsroom.now + timedelta(seconds=20))
    fan_out.take_from_dead({"here:666"}, newsroom.now)
    newsroom.send(FakeProvider(arrived=newsroom.provider.arrived))

    counts = newsroom.tally(broadcast_id)
    assert (counts.unknown, counts.sent, counts.pending) == (10, 15, 0)
    assert set(newsroom.provider.copies.values()) == {1}
    assert set(newsroom.provider.copies) < set(people)


def test_a_worker_that_lost_its_lease_hands_over_nothing_more(newsroom: Newsroom) -> None:
    newsroom.join(25)
    newsroom.broadcast()

    def lose_lease(_to: str) -> None:
        newsroom.provider.before_answer = None
        later = newsroom.now + timedelta(minutes=5)
        with transaction() as session:
            assert lease_slice(session, newsroom.sender_id, "other:1", later, timedelta(seconds=30))

    newsroom.provider.before_answer = lose_lease
    newsroom.send()

    assert len(newsroom.provider.arrived) == 10
    assert db.session.scalars(select(Slice.worker)).all() == ["other:1"]


def test_a_broadcast_found_after_its_freshness_expires_unsent(newsroom: Newsroom) -> None:
    newsroom.join(2)
    broadcast_id = newsroom.broadcast_waiting()

    newsroom.later(hours=3)
    opened = fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    newsroom.send()

    assert [one.state for one in opened] == [BroadcastState.EXPIRED]
    assert newsroom.provider.arrived == []
    assert newsroom.tally(broadcast_id).audience == 0


def test_what_is_still_waiting_when_the_news_is_stale_is_skipped(newsroom: Newsroom) -> None:
    newsroom.join(2)
    broadcast_id = newsroom.broadcast()

    newsroom.later(hours=3)
    newsroom.send()

    assert newsroom.provider.arrived == []
    assert newsroom.tally(broadcast_id).reasons == {"expired": 2}


def test_replies_go_before_the_broadcast(newsroom: Newsroom) -> None:
    newsroom.join(5)
    newsroom.broadcast()
    newsroom.text("HELP", number(9))

    newsroom.send()

    assert newsroom.provider.arrived[0][0] == number(9)


def test_a_confirmation_of_stop_is_not_sent_after_five_minutes(newsroom: Newsroom) -> None:
    newsroom.join(1)
    newsroom.text("STOP", number(0))

    newsroom.later(minutes=6)
    newsroom.send_replies()

    assert newsroom.provider.arrived == []
    row = db.session.scalars(select(Delivery).where(Delivery.reason == "late_reply")).one()
    assert row.status == DeliveryStatus.SKIPPED


def test_a_reply_in_a_dead_workers_hands_becomes_unknown(newsroom: Newsroom) -> None:
    newsroom.text("HELP", number(0))

    class Killed(BaseException):
        pass

    def die(_to: str) -> None:
        raise Killed

    newsroom.provider.before_answer = die
    lane = newsroom.lane()
    lane._wind_down = lambda: None  # SIGKILL runs no clean-up
    with pytest.raises(Killed):
        lane.drain(newsroom.now + timedelta(seconds=20))
    newsroom.later(seconds=61)

    assert fan_out.give_up_replies(newsroom.now) == 1
    newsroom.provider.before_answer = None
    newsroom.send_replies()
    assert len(newsroom.provider.arrived) == 1


class OneASecond(OpenThrottle):
    """Grants one message a second, and lets the second pass by being asked."""

    def __init__(self, newsroom: Newsroom) -> None:
        super().__init__()
        self._newsroom, self._asked = newsroom, 0

    def take(self, ask: Ask) -> Grant:
        self._asked += 1
        if self._asked % 5 == 1:
            return Grant(1)
        self._newsroom.now += timedelta(seconds=0.25)
        return Grant(0, 0.25)


def slow_lane(newsroom: Newsroom, *, others_wait: bool) -> Lane:
    newsroom.throttle = OneASecond(newsroom)
    lane = newsroom.lane(rate=1.0)
    lane._others_wait = lambda: others_wait
    return lane


def test_a_lane_that_must_wait_gives_its_worker_to_one_that_has_none(newsroom: Newsroom) -> None:
    newsroom.join(5)
    broadcast_id = newsroom.broadcast()

    done = slow_lane(newsroom, others_wait=True).drain(newsroom.now + timedelta(seconds=20))

    assert (done.gave_way, done.handed_over) == (True, 1)
    assert newsroom.tally(broadcast_id).pending == 4
    newsroom.throttle = OpenThrottle()
    newsroom.send()
    assert set(newsroom.provider.copies.values()) == {1}
    assert newsroom.tally(broadcast_id).sent == 5


def test_a_lane_that_must_wait_keeps_a_worker_whom_nobody_else_wants(newsroom: Newsroom) -> None:
    newsroom.join(5)
    newsroom.broadcast()

    done = slow_lane(newsroom, others_wait=False).drain(newsroom.now + timedelta(seconds=20))

    assert (done.gave_way, done.handed_over) == (False, 5)


class Choosy(TwilioGateway):
    """Cannot write some texts."""

    def encode(self, batch: Batch) -> Sequence[Call]:
        for one in batch.recipients:
            one.text.encode("ascii")
        return super().encode(batch)


def choosy(newsroom: Newsroom) -> Lane:
    gateway = Choosy({"account_sid": ACCOUNT, "auth_token": TOKEN, "from": NUMBER})
    lane = newsroom.lane()
    lane._setup = replace(lane._setup, gateway=gateway)
    return lane


def test_a_text_that_cannot_be_written_fails_for_that_person_and_the_others_get_theirs(
    newsroom: Newsroom,
) -> None:
    newsroom.join(4)
    with transaction() as session:
        session.execute(
            update(Subscriber).where(Subscriber.address == number(2)).values(attributes={"city": "Köln"})
        )
    broadcast_id = newsroom.broadcast("Hello {{city|you}}")

    choosy(newsroom).drain(newsroom.now + timedelta(seconds=20))

    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.failed, counts.unknown, counts.pending) == (3, 1, 0, 0)
    assert counts.errors == {"cannot_write": 1}
    assert number(2) not in newsroom.provider.copies


def test_when_nothing_at_all_can_be_written_the_sender_rests_and_nobody_has_failed(
    newsroom: Newsroom,
) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast("Grüße")

    choosy(newsroom).drain(newsroom.now + timedelta(seconds=20))

    counts = newsroom.tally(broadcast_id)
    assert (counts.pending, counts.failed, counts.unknown) == (3, 0, 0)
    assert db.session.get_one(Sender, newsroom.sender_id).paused_at is not None


def test_a_wait_that_the_provider_asks_for_stands_in_the_database_and_answers_wait_too(
    newsroom: Newsroom,
) -> None:
    newsroom.text("START", number(0))
    newsroom.text("START", number(1))
    busy = FakeProvider(answer=lambda _to, _body: Reply(429, b"{}", {"retry-after": "60"}), capacity=1)
    newsroom.lane(busy).drain(newsroom.now + timedelta(seconds=20))
    until = db.session.get_one(Sender, newsroom.sender_id).rests_until
    db.session.rollback()

    assert until == newsroom.now + timedelta(seconds=60)
    assert len(busy.arrived) == 1, "the other answer waits as well"

    newsroom.later(seconds=59)
    resting = newsroom.lane()
    resting._rests_until = until
    resting.drain(newsroom.now + timedelta(seconds=20), replies_only=True)
    assert newsroom.provider.arrived == []

    newsroom.later(seconds=2)
    newsroom.send_replies()
    assert newsroom.provider.copies == {number(0): 1, number(1): 1}
