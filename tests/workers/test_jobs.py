"""What lies on a queue is a wake-up and no more: one for each lane, lost without harm, and worked without Redis."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import update
from twilio.request_validator import RequestValidator

from app.clock import utcnow
from app.factory import create_app
from app.gateways.twilio import TwilioGateway
from app.queue import DRAIN_JOB, LANE, REPLIES, enqueue_import, enqueue_lane, lane_is_awake, others_wait
from app.runtime import runtime
from app.services import fan_out, manage_senders
from app.storage.database import db, transaction
from app.storage.models import Sender
from tests.support.application import settings_for
from tests.support.world import NUMBER, TOKEN, Newsroom, number
from workers import jobs


class Provider(ThreadingHTTPServer):
    """Takes every message over real HTTP and remembers whom it was for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.arrived: list[str] = []
        self.callbacks: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Take(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Provider

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.arrived.append(form["To"][0])
        self.server.callbacks.add(form["StatusCallback"][0].split("?")[0])
        body = json.dumps({"sid": f"SM{len(self.server.arrived):032x}"}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def provider(newsroom: Newsroom) -> Iterator[Provider]:
    """A provider on this machine, which the newsroom's sender talks to."""
    with Provider() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with transaction() as session:
            session.execute(update(Sender).values(base_url=server.url))
        yield server
        server.shutdown()


@pytest.fixture
def present(newsroom: Newsroom) -> Newsroom:
    """A newsroom whose clock shows what jobs read: the time of day."""
    newsroom.now = utcnow()
    return newsroom


@pytest.fixture
def lonely_app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application where nobody answers at REDIS_URL."""
    app = create_app(settings_for(database_url, "redis://127.0.0.1:1/0", tmp_path))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def waiting(queue: str) -> list[dict[str, object]]:
    """What the jobs on a queue were called with."""
    found = Queue(queue, connection=runtime().redis, serializer=JSONSerializer)
    assert {job.func_name for job in found.jobs} <= {DRAIN_JOB}
    return [job.kwargs for job in found.jobs]


def test_waking_a_lane_twice_puts_one_job_on_the_queue(newsroom: Newsroom) -> None:
    answers = [enqueue_lane(newsroom.sender_id) for _ in range(3)]

    assert answers == [True, False, False]
    assert waiting(LANE) == [{"sender_id": newsroom.sender_id, "queue": LANE}]


def test_replies_and_broadcasts_of_a_sender_are_woken_apart(newsroom: Newsroom) -> None:
    assert enqueue_lane(newsroom.sender_id, LANE)
    assert enqueue_lane(newsroom.sender_id, REPLIES)

    assert (len(waiting(LANE)), len(waiting(REPLIES))) == (1, 1)


def test_once_a_wake_up_was_heard_the_next_one_counts(newsroom: Newsroom) -> None:
    enqueue_lane(newsroom.sender_id)
    lane_is_awake(newsroom.sender_id, LANE)

    assert enqueue_lane(newsroom.sender_id)


def test_a_wake_up_that_was_lost_hinders_the_next_one_for_seconds_only(newsroom: Newsroom) -> None:
    """The marker stays when a worker dies with the job in its hands, so it must end by itself."""
    enqueue_lane(newsroom.sender_id)

    (marker,) = runtime().redis.keys("tidings:woken:*")

    assert 0 < runtime().redis.pttl(marker) <= 10_000


def test_an_emptied_redis_forgets_the_wake_up_and_takes_the_next(newsroom: Newsroom) -> None:
    enqueue_lane(newsroom.sender_id)
    runtime().redis.flushall()

    assert enqueue_lane(newsroom.sender_id)
    assert len(waiting(LANE)) == 1


def test_without_redis_nobody_is_woken_and_nothing_breaks(lonely_app: Flask) -> None:
    with lonely_app.app_context():
        assert enqueue_lane(1) is False
        assert enqueue_import(1) is False


def test_without_redis_a_stop_is_taken_and_in_force(lonely_app: Flask) -> None:
    with lonely_app.app_context():
        newsroom = Newsroom(lonely_app)
        newsroom.join(2)
    form = {
        "MessageSid": "SM1",
        "AccountSid": "AC" + "1" * 32,
        "From": number(1),
        "To": NUMBER,
        "Body": "STOP",
    }
    signature = RequestValidator(TOKEN).compute_signature("http://localhost/hooks/city-desk", form)

    answer = lonely_app.test_client().post(
        "/hooks/city-desk",
        data=urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )

    assert answer.status_code == 200
    with lonely_app.app_context():
        broadcast_id = newsroom.broadcast()
        assert newsroom.tally(broadcast_id).audience == 1


def test_without_redis_the_desk_opens(lonely_app: Flask) -> None:
    assert lonely_app.test_client().get("/", follow_redirects=True).status_code == 200


def test_a_drain_hands_the_broadcast_to_the_provider_over_http(present: Newsroom, provider: Provider) -> None:
    people = present.join(30)
    broadcast_id = present.broadcast()

    done = jobs.drain(present.sender_id)

    assert done is not None
    assert done.handed_over == 30
    assert sorted(provider.arrived) == people
    assert provider.callbacks == {"http://localhost/hooks/city-desk"}
    assert present.tally(broadcast_id).sent == 30


def test_a_slow_lane_goes_behind_another_that_has_no_worker(present: Newsroom, provider: Provider) -> None:
    present.join(5)
    broadcast_id = present.broadcast()
    with transaction() as session:
        session.execute(update(Sender).values(rate=1.0))
    other = present.sender_id + 1
    enqueue_lane(other)

    done = jobs.drain(present.sender_id)

    assert done is not None
    assert done.gave_way
    assert [one["sender_id"] for one in waiting(LANE)] == [other, present.sender_id]
    assert present.tally(broadcast_id).pending == 5 - len(provider.arrived) > 0


def test_its_own_wake_up_is_no_other_lane(newsroom: Newsroom) -> None:
    enqueue_lane(newsroom.sender_id)
    assert not others_wait(newsroom.sender_id)

    enqueue_lane(newsroom.sender_id + 1)
    assert others_wait(newsroom.sender_id)


def test_a_worker_has_as_many_connections_as_the_settings_say(database_url: str, tmp_path: Path) -> None:
    settings = replace(settings_for(database_url, "redis://127.0.0.1:1/0", tmp_path), connections=3)
    app = create_app(settings)
    with app.app_context():
        gateway = TwilioGateway({"account_sid": "AC" + "0" * 32, "auth_token": "0" * 32, "from": number(0)})
        transport = jobs._transport(gateway)
        assert transport is not None
        assert transport.free == 3
        transport.close()
        db.session.remove()
        db.engine.dispose()


def test_a_job_that_runs_twice_sends_nothing_twice(present: Newsroom, provider: Provider) -> None:
    people = present.join(5)
    present.broadcast()

    jobs.drain(present.sender_id)
    jobs.drain(present.sender_id)

    assert sorted(provider.arrived) == people


def test_a_drain_of_replies_leaves_broadcasts_alone(present: Newsroom, provider: Provider) -> None:
    present.join(3)
    present.broadcast()
    present.text("HELP", number(9))

    jobs.drain(present.sender_id, replies_only=True)

    assert provider.arrived == [number(9)]


def test_a_paused_senders_lane_stays_still(present: Newsroom, provider: Provider) -> None:
    present.join(3)
    present.broadcast()
    manage_senders.pause("city-desk", reason="an outage", by="ops", now=present.now)

    assert jobs.drain(present.sender_id) is None
    assert provider.arrived == []


def test_a_sender_that_is_gone_is_no_error(newsroom: Newsroom) -> None:
    assert jobs.drain(newsroom.sender_id + 1) is None


def test_a_broadcast_that_is_stale_by_the_time_of_day_is_not_sent(
    newsroom: Newsroom, provider: Provider
) -> None:
    """Jobs read the clock themselves: this newsroom's noon lies long ago."""
    newsroom.join(2)
    broadcast_id = newsroom.broadcast()

    jobs.drain(newsroom.sender_id)
    fan_out.end_finished(newsroom.now + timedelta(seconds=1))

    assert provider.arrived == []
    assert newsroom.tally(broadcast_id).reasons == {"expired": 2}


def test_a_wait_that_the_provider_asked_for_holds_though_redis_was_emptied(
    present: Newsroom, provider: Provider
) -> None:
    people = present.join(2)
    present.broadcast()
    with transaction() as session:
        session.execute(update(Sender).values(rests_until=utcnow() + timedelta(seconds=60)))
    runtime().redis.flushall()

    resting = jobs.drain(present.sender_id)

    assert resting is not None
    assert (resting.handed_over, provider.arrived) == (0, [])

    with transaction() as session:
        session.execute(update(Sender).values(rests_until=utcnow() - timedelta(seconds=1)))
    runtime().redis.flushall()
    jobs.drain(present.sender_id)
    assert sorted(provider.arrived) == sorted(people)
