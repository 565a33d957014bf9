"""The control API sets the scene, tells what happened, and says what is wrong with a bad request."""

from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from app.simulator.limits import FaultPlan, Faults
from app.simulator.world import World
from tests.simulator.support import (
    ACCOUNT,
    ADA,
    NUMBER,
    TOKEN,
    Product,
    eventually,
    post_message,
    post_over_network,
)

SENDER = {"number": "+12025550177", "account_sid": ACCOUNT, "auth_token": TOKEN}


def test_a_sender_is_added_and_its_token_is_never_shown(client: FlaskClient) -> None:
    wanted = SENDER | {"webhook_url": "http://127.0.0.1:8000/hooks/a", "rate": 5, "opt_out_mode": "advanced"}

    reply = client.put("/control/senders", json=wanted)

    assert reply.status_code == 200
    assert (reply.json["number"], reply.json["rate"], reply.json["opt_out_mode"]) == (
        "+12025550177",
        5,
        "advanced",
    )
    assert TOKEN not in reply.text
    assert TOKEN not in client.get("/control/state").text
    assert post_message(client, From="+12025550177").status_code == 201


def test_a_sender_put_again_is_replaced(client: FlaskClient, world: World) -> None:
    client.put("/control/senders", json=SENDER)
    client.put("/control/senders", json=SENDER | {"rate": 2.5})

    assert world.state.senders["+12025550177"].rate == 2.5
    assert len(world.state.senders) == 2


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"number": ""}, "number"),
        ({"auth_token": None}, "auth_token"),
        ({"account_sid": 5}, "account_sid"),
        ({"rate": 0}, "rate"),
        ({"rate": True}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"opt_out_mode": "sometimes"}, "opt_out_mode"),
        ({"webhook_url": "http://news.example.org/hooks"}, "not on this machine"),
        ({"webhook_url": "ftp://127.0.0.1/"}, "webhook_url"),
        ({"colour": "green"}, "colour"),
    ],
)
def test_a_bad_sender_is_refused_by_name(client: FlaskClient, changes: dict[str, Any], word: str) -> None:
    reply = client.put("/control/senders", json=SENDER | changes)

    assert reply.status_code == 400
    assert word in reply.json["error"]


def test_a_text_from_any_phone_reaches_the_product(client: FlaskClient, product: Product, hooks: str) -> None:
    client.put("/control/senders", json=SENDER | {"webhook_url": hooks})

    reply = client.post(
        "/control/inbound", json={"from": "+447700900001", "to": SENDER["number"], "body": "Hi"}
    )

    assert (reply.json["webhook_status"], reply.json["problem"]) == (204, "")
    assert product.heard[0].form["FromCountry"] == "GB"
    assert client.get("/control/stats").json["inbound"] == {"sent": 1, "acknowledged": 1, "failed": 0}


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("inbound", {"from": ADA, "to": "+12025550199", "body": "Hi"}, 404, "+12025550199"),
        ("inbound", {"from": "Ada", "to": NUMBER, "body": "Hi"}, 400, "from"),
        ("inbound", {"from": ADA, "to": NUMBER}, 400, "body"),
        ("inbound", ["no object"], 400, "JSON object"),
        ("block", {"phone": ADA, "sender": NUMBER, "blocked": "yes"}, 400, "blocked"),
        ("block", {"phone": ADA, "sender": "+12025550199"}, 404, "+12025550199"),
        ("failures", {"error_rate": 0.7, "drop_rate": 0.7}, 400, "more than 1"),
        ("failures", {"latency_ms": -1}, 400, "latency_ms"),
        ("failures", {"latency_ms": 70_000}, 400, "latency_ms"),
        ("failures", {"chaos": 1}, 400, "chaos"),
    ],
)
def test_a_bad_request_says_what_is_wrong(
    client: FlaskClient, path: str, body: Any, status: int, word: str
) -> None:
    reply = client.post(f"/control/{path}", json=body)

    assert reply.status_code == status
    assert word in reply.json["error"]


def test_stats_count_messages_recipients_and_duplicates(client: FlaskClient) -> None:
    for to, body in ((ADA, "One"), (ADA, "One"), (ADA, "Two"), ("+12025550144", "One")):
        post_message(client, to=to, body=body)

    stats = client.get("/control/stats").json

    assert (stats["total"], stats["distinct"], stats["duplicates"]) == (4, 2, 1)
    assert stats["by_status"] == {"delivered": 4}


def test_messages_to_a_number_are_listed_newest_first(client: FlaskClient) -> None:
    for body in ("One", "Two", "Three"):
        post_message(client, body=body)
    post_message(client, to="+12025550144")

    found = client.get("/control/messages", query_string={"to": ADA, "limit": 2}).json["messages"]

    assert [message["body"] for message in found] == ["Three", "Two"]


def test_a_reset_forgets_messages_and_keeps_senders(client: FlaskClient, world: World) -> None:
    post_message(client)
    world.block(ADA, NUMBER, True)

    client.post("/control/reset")

    assert client.get("/control/stats").json["total"] == 0
    state = client.get("/control/state").json
    assert (state["handset_blocks"], [each["number"] for each in state["senders"]]) == ([], [NUMBER])


def test_a_receipt_that_comes_after_a_reset_counts_for_nothing(world: World, client: FlaskClient) -> None:
    message = world.state.accept(
        world.state.senders[NUMBER], ADA, "Hello", 1, world.clock(), callback="", by_service=False
    )
    world.reset()

    assert not world.state.advance(message, "delivered", None, world.clock())
    assert world.state.counts()["by_status"] == {}


def test_a_block_is_set_and_lifted(client: FlaskClient) -> None:
    wanted = {"phone": ADA, "sender": NUMBER}

    client.post("/control/block", json=wanted)
    assert client.get("/control/state").json["handset_blocks"] == [wanted]

    client.post("/control/block", json=wanted | {"blocked": False})
    assert client.get("/control/state").json["handset_blocks"] == []


def test_planned_errors_are_answered_503_and_not_accepted(client: FlaskClient) -> None:
    client.post("/control/failures", json={"error_rate": 1})

    assert (post_message(client).status_code, client.get("/control/stats").json["total"]) == (503, 0)
    client.post("/control/failures", json={})
    assert post_message(client).status_code == 201


def test_a_dropped_request_is_cut_and_not_accepted(base: str, world: World) -> None:
    world.faults.plan(Faults(drop_rate=1))

    with pytest.raises(requests.exceptions.ConnectionError):
        post_over_network(base, ADA)

    assert world.state.total == 0


def test_a_lost_reply_is_cut_but_the_message_arrives(base: str, world: World) -> None:
    world.faults.plan(Faults(lost_reply_rate=1))

    with pytest.raises(requests.exceptions.ConnectionError):
        post_over_network(base, ADA)

    eventually(lambda: world.state.counts()["by_status"] == {"delivered": 1})


def test_the_same_seed_draws_the_same_faults() -> None:
    draws = []
    for _ in range(2):
        plan = FaultPlan()
        plan.plan(Faults(error_rate=0.3, drop_rate=0.3, lost_reply_rate=0.3, seed=7))
        draws.append([plan.draw() for _ in range(50)])

    assert draws[0] == draws[1]
    assert set(draws[0]) == {"serve", "error", "drop", "lose_reply"}


@pytest.mark.parametrize("host", ["evil.example", "192.0.2.7:8001"])
def test_another_host_name_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/control/state", headers={"Host": host}).status_code == 403


def test_a_caller_from_another_machine_is_refused(client: FlaskClient) -> None:
    reply = client.get("/control/state", environ_overrides={"REMOTE_ADDR": "192.0.2.7"})

    assert reply.status_code == 403


def test_health_answers(client: FlaskClient) -> None:
    assert client.get("/health").text == "ok\n"
