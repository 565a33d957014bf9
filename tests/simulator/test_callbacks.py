"""Receipts reach the product signed, in order, and each exactly once unless the product was away."""

from collections import Counter
from threading import Event

import pytest
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator

from app.simulator import callbacks
from app.simulator.application import create_app
from app.simulator.server import Server
from app.simulator.wire import CannotDeliver, Wire
from app.simulator.world import World
from tests.simulator.support import ADA, NUMBER, SERVICE, TOKEN, Product, eventually, post_message, sender


def test_sent_comes_before_delivered_and_both_are_signed(
    client: FlaskClient, product: Product, hooks: str
) -> None:
    address = f"{hooks}?delivery=42&part=a%20b"
    sid = post_message(client, StatusCallback=address).json["sid"]

    eventually(lambda: len(product.heard) == 2)

    assert product.statuses() == ["sent", "delivered"]
    for heard in product.heard:
        assert heard.url.endswith("?delivery=42&part=a%20b")
        assert RequestValidator(TOKEN).validate(address, heard.form, heard.signature)
        assert (heard.form["MessageSid"], heard.form["To"], heard.form["From"]) == (sid, ADA, NUMBER)
        assert "ErrorCode" not in heard.form


def test_a_signature_with_another_token_would_not_validate(
    client: FlaskClient, product: Product, hooks: str
) -> None:
    post_message(client, StatusCallback=hooks)

    eventually(lambda: product.heard)

    heard = product.heard[0]
    assert not RequestValidator("f" * 32).validate(hooks, heard.form, heard.signature)


def test_the_signature_is_the_known_one() -> None:
    form = {
        "MessageSid": "SM" + "1" * 32,
        "AccountSid": "AC" + "2" * 32,
        "From": "+14155550100",
        "To": "+14155550101",
        "Body": "STOP",
        "NumMedia": "0",
        "OptOutType": "STOP",
    }
    product = Product()
    server = Server("127.0.0.1", 0, product)
    server.start()
    wire = Wire()

    wire.post(f"http://127.0.0.1:{server.port}/x?x=1", form, TOKEN, "event")
    signed_here = product.heard[0].signature
    wire.close()
    server.stop()

    oracle = RequestValidator(TOKEN)
    assert oracle.compute_signature(product.heard[0].url, form) == signed_here
    known = oracle.compute_signature("https://news.example.org/hooks/twilio/ch1?x=1", form)
    assert known == "W65aniKizmqj4E+Vjj2ff7tXE4o="


def test_a_service_is_named_in_its_receipts(
    client: FlaskClient, world: World, product: Product, hooks: str
) -> None:
    world.state.put_sender(sender(messaging_service_sid=SERVICE))

    post_message(client, From=None, MessagingServiceSid=SERVICE, StatusCallback=hooks)

    eventually(lambda: len(product.heard) == 2)
    assert {heard.form["MessagingServiceSid"] for heard in product.heard} == {SERVICE}


def test_a_refused_receipt_is_counted_and_not_repeated(
    client: FlaskClient, world: World, product: Product, hooks: str
) -> None:
    product.status = "403 Forbidden"

    post_message(client, StatusCallback=hooks)

    eventually(lambda: world.receipts.counts() == {"sent": 2, "acknowledged": 0, "failed": 2, "queued": 0})
    assert len(product.heard) == 2


def test_a_product_that_was_away_gets_its_receipts_on_the_second_try(
    client: FlaskClient, world: World, product: Product
) -> None:
    away = Server("127.0.0.1", 0, product)
    away.server_close()
    post_message(client, StatusCallback=f"http://127.0.0.1:{away.port}/hooks")
    eventually(lambda: world.receipts.counts()["sent"] == 1)

    back = Server("127.0.0.1", away.port, product)
    back.start()
    eventually(lambda: product.statuses() == ["sent", "delivered"])
    back.stop()

    eventually(lambda: world.receipts.counts() == {"sent": 3, "acknowledged": 2, "failed": 0, "queued": 0})


def test_an_idle_connection_that_was_closed_costs_nothing(
    client: FlaskClient, world: World, product: Product
) -> None:
    first = Server("127.0.0.1", 0, product)
    first.start()
    address = f"http://127.0.0.1:{first.port}/hooks"
    post_message(client, StatusCallback=address)
    eventually(lambda: len(product.heard) == 2)
    first.stop()

    second = Server("127.0.0.1", first.port, product)
    second.start()
    post_message(client, StatusCallback=address)
    eventually(lambda: len(product.heard) == 4)
    second.stop()

    assert world.receipts.counts()["sent"] == 4


def test_a_crowd_of_receipts_arrives_complete(
    client: FlaskClient, world: World, product: Product, hooks: str
) -> None:
    for index in range(1000):
        post_message(
            client, to=f"+120255501{index % 100:02d}", body=f"{index}", StatusCallback=f"{hooks}?d={index}"
        )

    eventually(lambda: world.receipts.counts()["queued"] == 0, seconds=30)

    got = Counter((heard.url, heard.form["MessageStatus"]) for heard in product.heard)
    assert len(got) == 2 * (1000 - 10)  # the ten messages from the sender to itself were refused
    assert set(got.values()) == {1}
    assert len({heard.event_id for heard in product.heard}) == len(product.heard)


def test_a_full_queue_refuses_and_loses_nothing(client: FlaskClient, product: Product, hooks: str) -> None:
    answered = Event()
    product.wait = lambda: answered.wait(10)
    world = World(pauses=(0.0, 0.0))
    world.receipts = callbacks.Receipts(world.wire, lambda *_: None, (0.0, 0.0), limit=3)
    world.state.put_sender(sender())
    world.start()
    busy = create_app(world).test_client()

    statuses = [post_message(busy, StatusCallback=hooks).status_code for _ in range(5)]
    answered.set()
    eventually(lambda: len(product.heard) == 6)
    world.stop()

    assert statuses == [201, 201, 201, 429, 429]


def test_the_wire_never_leaves_this_machine() -> None:
    wire = Wire()

    with pytest.raises(CannotDeliver, match="not on this machine"):
        wire.post("http://news.example.org/", {}, TOKEN, "event")
