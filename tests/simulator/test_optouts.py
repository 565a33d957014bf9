"""STOP, START and HELP as Twilio treats them, in its three modes."""

import pytest
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator

from app.simulator.inbound import read_twiml
from app.simulator.world import World
from tests.simulator.support import ADA, NUMBER, SERVICE, TOKEN, Product, eventually, post_message, sender

STOPS = ["STOP", "stopall", "Unsubscribe", "CANCEL", "end", "quit", "REVOKE", "OptOut", " stop\n"]


@pytest.fixture
def mode(request: pytest.FixtureRequest, world: World, hooks: str) -> str:
    world.state.put_sender(sender(webhook_url=hooks, opt_out_mode=request.param))
    return str(request.param)


def shown(world: World) -> list[tuple[str, str]]:
    return [(bubble.kind, bubble.text.split(".")[0]) for bubble in world.conversations.bubbles(ADA)]


@pytest.mark.parametrize("mode", ["none"], indirect=True)
def test_without_handling_the_product_hears_stop_and_nobody_is_blocked(
    mode: str, client: FlaskClient, world: World, product: Product, hooks: str
) -> None:
    outcome = world.inbound.text(ADA, NUMBER, "STOP")

    heard = product.heard[0]
    assert RequestValidator(TOKEN).validate(hooks, heard.form, heard.signature)
    assert (heard.form["Body"], heard.form["From"], heard.form["To"]) == ("STOP", ADA, NUMBER)
    assert (heard.form["MessageSid"], outcome.webhook_status) == (outcome.sid, 204)
    assert "OptOutType" not in heard.form
    assert shown(world) == [("out", "STOP")]
    assert post_message(client).status_code == 201


@pytest.mark.parametrize("mode", ["default", "advanced"], indirect=True)
@pytest.mark.parametrize("word", STOPS)
def test_a_stop_word_blocks_and_the_provider_replies(
    mode: str, word: str, client: FlaskClient, world: World, product: Product
) -> None:
    world.inbound.text(ADA, NUMBER, word)

    assert product.heard[0].form["Body"] == word
    assert product.heard[0].form.get("OptOutType") == ("STOP" if mode == "advanced" else None)
    assert shown(world)[-1] == ("in", "You are unsubscribed and get no more messages from this number")
    assert post_message(client).json["code"] == 21610


@pytest.mark.parametrize("mode", ["default", "advanced"], indirect=True)
@pytest.mark.parametrize("text", ["STOP PLEASE", "please cancel", "stop.", "halt"])
def test_a_sentence_does_not_block(mode: str, text: str, client: FlaskClient, world: World) -> None:
    world.inbound.text(ADA, NUMBER, text)

    assert len(shown(world)) == 1
    assert post_message(client).status_code == 201


@pytest.mark.parametrize("mode", ["default", "advanced"], indirect=True)
@pytest.mark.parametrize("word", ["START", "unstop", "Yes"])
def test_a_start_word_lifts_the_block(mode: str, word: str, client: FlaskClient, world: World) -> None:
    world.inbound.text(ADA, NUMBER, "STOP")

    world.inbound.text(ADA, NUMBER, word)

    assert shown(world)[-1] == ("in", "You are subscribed again")
    assert post_message(client).status_code == 201


@pytest.mark.parametrize("mode", ["default"], indirect=True)
def test_yes_from_somebody_who_is_not_blocked_is_left_to_the_product(mode: str, world: World) -> None:
    world.inbound.text(ADA, NUMBER, "YES")

    assert shown(world) == [("out", "YES")]


@pytest.mark.parametrize("mode", ["advanced"], indirect=True)
@pytest.mark.parametrize(("word", "kind"), [("help", "HELP"), ("INFO", "HELP"), ("start", "START")])
def test_advanced_opt_out_names_what_it_answered(
    mode: str, word: str, kind: str, world: World, product: Product
) -> None:
    outcome = world.inbound.text(ADA, NUMBER, word)

    assert product.heard[0].form["OptOutType"] == outcome.opt_out_type == kind
    assert shown(world)[-1][0] == "in"


def test_a_block_covers_the_whole_messaging_service(client: FlaskClient, world: World) -> None:
    for number in (NUMBER, "+12025550101"):
        world.state.put_sender(sender(number=number, messaging_service_sid=SERVICE, opt_out_mode="default"))
    world.state.put_sender(sender(number="+12025550102"))

    world.inbound.text(ADA, NUMBER, "STOP")

    assert post_message(client, From="+12025550101").json["code"] == 21610
    assert post_message(client, From="+12025550102").status_code == 201


@pytest.mark.parametrize("mode", ["none"], indirect=True)
def test_a_reply_in_the_webhook_s_answer_reaches_the_phone(mode: str, world: World, product: Product) -> None:
    product.status = "200 OK"
    product.body = (
        b"<Response><Message>Welcome &amp; hello</Message><Message><Body>Two</Body></Message></Response>"
    )

    world.inbound.text(ADA, NUMBER, "START")

    assert shown(world) == [("out", "START"), ("in", "Welcome & hello"), ("in", "Two")]


@pytest.mark.parametrize(
    "answer", [b"", b"<Response/>", b"OK", b"<Response><Message></Message></Response>", b"\xff<"]
)
def test_other_answers_show_nothing(answer: bytes) -> None:
    assert read_twiml(answer) == []


@pytest.mark.parametrize("mode", ["none"], indirect=True)
def test_a_webhook_that_fails_is_shown_on_the_phone(mode: str, world: World, product: Product) -> None:
    product.status = "403 Forbidden"

    outcome = world.inbound.text(ADA, NUMBER, "START")

    assert (outcome.webhook_status, outcome.problem) == (403, "HTTP 403")
    assert shown(world)[-1] == ("note", "HTTP 403")
    assert world.inbound.counts() == {"sent": 1, "acknowledged": 0, "failed": 1}


def test_a_handset_s_block_is_reported_as_undelivered(
    client: FlaskClient, world: World, product: Product, hooks: str
) -> None:
    world.block(ADA, NUMBER, True)

    assert post_message(client, StatusCallback=hooks).status_code == 201
    eventually(lambda: len(product.heard) == 2)

    assert product.statuses() == ["sent", "undelivered"]
    assert product.heard[1].form["ErrorCode"] == "30004"
    assert shown(world) == []
