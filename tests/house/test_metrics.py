"""What `/metrics` tells, and whom."""

import dataclasses
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from app.clock import utcnow
from app.domain.pace import Ask, Grant, PairLimit
from app.gateways.base import Capabilities, Reply
from app.gateways.twilio import TwilioGateway
from app.runtime import Runtime
from app.services import stop_broadcasts
from app.storage.database import transaction
from app.storage.models import AccountRate, Delivery, Sender, Slice
from tests.support.world import FakeProvider, Newsroom, OpenThrottle, accepted, number

TOKEN = "t" * 64


@pytest.fixture
def watched(app: Flask) -> FlaskClient:
    runtime: Runtime = app.extensions["tidings"]
    runtime.settings = dataclasses.replace(runtime.settings, metrics_token=TOKEN)
    return app.test_client()


class OneInSixSeconds(TwilioGateway):
    @classmethod
    def capabilities(cls) -> Capabilities:
        return dataclasses.replace(TwilioGateway.capabilities(), pair=PairLimit(6.0))


class LastOneRests(OpenThrottle):
    """Of several people, the last one had a message just now."""

    def take(self, ask: Ask) -> Grant:
        rests = {len(ask.costs) - 1: 6.0} if len(ask.people) > 1 else {}
        return Grant(len(ask.costs), rests=rests)


def read(client: FlaskClient) -> dict[str, dict[tuple[str, ...], float]]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            found.setdefault(one.name, {})[tuple(one.labels.values())] = one.value
    return found


def test_without_a_token_in_the_settings_there_is_no_such_page(app: Flask) -> None:
    assert app.test_client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("shown", ["", "Bearer ", f"Bearer {TOKEN[:-1]}", TOKEN, f"Basic {TOKEN}"])
def test_whoever_does_not_show_the_token_learns_nothing(watched: FlaskClient, shown: str) -> None:
    answer = watched.get("/metrics", headers={"Authorization": shown})
    assert (answer.status_code, b"tidings" in answer.data) == (401, False)


def test_a_lane_is_told_by_its_pace_its_slices_and_what_came_of_its_messages(
    app: Flask, watched: FlaskClient
) -> None:
    def answer(to: str, body: str) -> Reply:
        return Reply(400, b'{"code": 21211}') if to == number(0) else accepted(to, body)

    with app.app_context():
        newsroom = Newsroom(app)
        newsroom.now = utcnow()
        newsroom.join(5)
        broadcast_id = newsroom.broadcast()
        lane = newsroom.lane(FakeProvider(answer), meter=app.extensions["tidings"].meter)
        before = read(watched)
        lane.drain(newsroom.now + timedelta(seconds=10))
        stop_broadcasts.pause(broadcast_id, by="ada", reason="", now=newsroom.now)
    after = read(watched)

    assert before["tidings_sender_rate"] == {("city-desk",): 1000.0}
    assert before["tidings_slices"] == {("city-desk", "open"): 1.0}
    assert after["tidings_slices"] == {("city-desk", "done"): 1.0}
    assert after["tidings_outcomes_total"] == {("taken", "city-desk"): 4, ("invalid_address", "city-desk"): 1}
    assert after["tidings_permits_total"] == {("city-desk",): 5}
    assert after["tidings_in_flight"] == {("city-desk",): 0}
    assert after["tidings_broadcast_people"] == {
        (str(broadcast_id), "", "sent"): 4,
        (str(broadcast_id), "invalid_address", "failed"): 1,
    }
    assert after["tidings_unknown_deliveries"] == {(): 0}
    assert after["tidings_redis_up"] == {(): 1}


def test_what_waits_grows_old_by_the_second(app: Flask, watched: FlaskClient) -> None:
    with app.app_context():
        newsroom = Newsroom(app)
        newsroom.now = utcnow() - timedelta(seconds=90)
        newsroom.join(1)
        newsroom.broadcast()
    assert 90 <= read(watched)["tidings_oldest_due_seconds"]["city-desk",] < 150

    with app.app_context(), transaction() as session:
        session.query(Sender).update({"paused_at": utcnow()})
    assert read(watched)["tidings_sender_paused"] == {("city-desk",): 1}


def test_an_answer_that_is_tried_again_is_due_from_then_on(app: Flask, watched: FlaskClient) -> None:
    with app.app_context():
        newsroom = Newsroom(app)
        newsroom.now = utcnow() - timedelta(seconds=90)
        newsroom.text("START")
        due = utcnow() - timedelta(seconds=30)
        with transaction() as session:
            session.query(Delivery).update({"due_at": due})
    assert 30 <= read(watched)["tidings_oldest_due_seconds"]["city-desk",] < 80

    with app.app_context(), transaction() as session:
        session.query(Delivery).update({"due_at": utcnow() + timedelta(minutes=5)})
    assert read(watched)["tidings_oldest_due_seconds"]["city-desk",] == 0


def test_a_slice_whose_worker_fell_silent_is_due_since_its_lease_ended(
    app: Flask, watched: FlaskClient
) -> None:
    with app.app_context():
        newsroom = Newsroom(app)
        newsroom.now = utcnow() - timedelta(seconds=200)
        newsroom.join(1)
        newsroom.broadcast()
        with transaction() as session:
            session.query(Slice).update({"state": "leased", "lease_until": utcnow() - timedelta(seconds=40)})
    assert 40 <= read(watched)["tidings_oldest_due_seconds"]["city-desk",] < 90

    with app.app_context(), transaction() as session:
        session.query(Slice).update({"lease_until": utcnow() + timedelta(seconds=60)})
    assert read(watched)["tidings_oldest_due_seconds"]["city-desk",] == 0


def test_answers_use_permits_and_who_rests_is_told_apart_from_what_providers_answer(
    app: Flask, watched: FlaskClient
) -> None:
    with app.app_context():
        newsroom = Newsroom(app)
        newsroom.now = utcnow()
        newsroom.text("START")
        newsroom.join(2, first=5)
        newsroom.throttle = LastOneRests()
        newsroom.broadcast()
        lane = newsroom.lane(meter=app.extensions["tidings"].meter, kind=OneInSixSeconds)
        lane.drain(newsroom.now + timedelta(seconds=10))
    after = read(watched)

    assert after["tidings_outcomes_total"] == {("taken", "city-desk"): 3}
    assert after["tidings_permits_total"] == {("city-desk",): 3}
    assert after["tidings_rested_total"] == {("city-desk",): 1}


def test_limits_that_senders_share_are_told(app: Flask, watched: FlaskClient) -> None:
    runtime: Runtime = app.extensions["tidings"]
    runtime.settings = dataclasses.replace(runtime.settings, channel_rates={"sms": 100.0})
    with app.app_context(), transaction() as session:
        session.add(AccountRate(account="riverside", rate=80.0))

    assert read(watched)["tidings_shared_rate"] == {("account:riverside",): 80, ("channel:sms",): 100}


def test_a_worker_that_said_nothing_for_a_while_has_nothing_in_flight(app: Flask) -> None:
    now = utcnow()
    with app.app_context():
        meter = app.extensions["tidings"].meter
        meter.note(7, "here:1", {"taken": 3}, 12, now)
        assert (meter.read(7, now).in_flight, meter.read(7, now).counts) == (12, {"taken": 3})
        assert meter.read(7, now + timedelta(minutes=1)).in_flight == 0


def test_without_redis_the_rest_is_told_and_sending_goes_on(app: Flask, watched: FlaskClient) -> None:
    runtime: Runtime = app.extensions["tidings"]
    runtime.settings = dataclasses.replace(runtime.settings, redis_url="redis://127.0.0.1:1/0")
    for name in ("redis", "meter"):
        runtime.__dict__.pop(name, None)

    found = read(watched)

    assert found["tidings_redis_up"] == {(): 0}
    assert "tidings_outcomes_total" not in found
    runtime.meter.note(1, "here:1", {"taken": 1}, 0, utcnow())  # only logged
