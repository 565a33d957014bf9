"""Numbers whose last four digits ask for a failure get it; reserved numbers of tests never do by accident."""

import time

import pytest
import requests
from flask.testing import FlaskClient

from app.simulator.conversations import PERSONAS
from app.simulator.limits import TokenBuckets
from app.simulator.magic import ENDINGS
from app.simulator.world import World
from tests.simulator.support import NUMBER, Product, eventually, post_message, post_over_network

DRAMA = "+44770090"


def test_fictional_american_and_berlin_numbers_are_never_magic() -> None:
    american = [f"+120255501{index:02d}" for index in range(100)]
    berlin = [f"+493023125{index:03d}" for index in range(1000)]

    assert [number for number in american + berlin if number[-4:] in ENDINGS] == []
    assert [persona.name for persona in PERSONAS if persona.number[-4:] in ENDINGS] == []


def test_every_ending_can_be_dialled_in_the_british_drama_range() -> None:
    assert {ending for ending in ENDINGS if 0 <= int(ending) <= 999} == set(ENDINGS)


@pytest.mark.parametrize(("ending", "code"), [("0404", 21211), ("0610", 21610)])
def test_a_number_that_is_always_refused(client: FlaskClient, ending: str, code: int) -> None:
    for _ in range(2):
        reply = post_message(client, to=DRAMA + ending)
        assert (reply.status_code, reply.json["code"]) == (400, code)

    assert client.get("/control/stats").json["total"] == 0


def test_0429_is_throttled_once_for_two_seconds(client: FlaskClient) -> None:
    first, second = post_message(client, to=DRAMA + "0429"), post_message(client, to=DRAMA + "0429")

    assert (first.status_code, first.json["code"], first.headers["Retry-After"]) == (429, 20429, "2")
    assert second.status_code == 201


def test_0500_fails_once(client: FlaskClient) -> None:
    first, second = post_message(client, to=DRAMA + "0500"), post_message(client, to=DRAMA + "0500")

    assert (first.status_code, first.json["code"]) == (500, 20500)
    assert second.status_code == 201


@pytest.mark.parametrize(("ending", "code"), [("0202", "30005"), ("0403", "30004")])
def test_a_message_that_is_undelivered_later(
    client: FlaskClient, product: Product, hooks: str, ending: str, code: str
) -> None:
    sid = post_message(client, to=DRAMA + ending, StatusCallback=hooks).json["sid"]

    eventually(lambda: len(product.heard) == 2)

    assert product.statuses() == ["sent", "undelivered"]
    assert product.heard[1].form["ErrorCode"] == code
    kept = client.get("/control/messages").json["messages"][0]
    assert (kept["sid"], kept["status"], kept["error_code"]) == (sid, "undelivered", int(code))


def test_0299_repeats_and_reorders_its_receipts_but_stays_delivered(
    client: FlaskClient, product: Product, hooks: str
) -> None:
    post_message(client, to=DRAMA + "0299", StatusCallback=hooks)

    eventually(lambda: len(product.heard) == 3)

    assert product.statuses() == ["delivered", "sent", "delivered"]
    assert client.get("/control/stats").json["by_status"] == {"delivered": 1}


def test_0504_accepts_and_never_answers(base: str, world: World) -> None:
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(
            f"{base}/2010-04-01/Accounts/{'AC' + '1' * 32}/Messages.json",
            data={"From": NUMBER, "To": DRAMA + "0504", "Body": "Hello"},
            auth=("AC" + "1" * 32, "0123456789abcdef0123456789abcdef"),
            headers={"Connection": "close"},
            timeout=0.5,
        )

    eventually(lambda: world.state.counts()["by_status"] == {"delivered": 1})


def test_more_silent_connections_than_may_be_held_are_cut_at_once(base: str, world: World) -> None:
    assert world.held.acquire(blocking=False)
    assert world.held.acquire(blocking=False)
    began = time.monotonic()

    with pytest.raises(requests.exceptions.ConnectionError):
        post_over_network(base, DRAMA + "0504")

    assert time.monotonic() - began < 5
    assert world.state.total == 1


def test_a_reset_makes_one_time_failures_happen_again(client: FlaskClient) -> None:
    post_message(client, to=DRAMA + "0500")
    client.post("/control/reset")

    assert post_message(client, to=DRAMA + "0500").status_code == 500


def test_a_bucket_gives_one_second_s_worth_at_once_and_then_the_rate() -> None:
    buckets = TokenBuckets()

    at_once = [buckets.take(NUMBER, 3.0, 100.0) for _ in range(4)]

    assert at_once[:3] == [0.0, 0.0, 0.0]
    assert at_once[3] == pytest.approx(1 / 3)
    assert buckets.take(NUMBER, 3.0, 100.34) == 0.0
    assert buckets.take("+12025550101", 3.0, 100.34) == 0.0
