"""WhatsApp at Twilio in the simulator: templates, the window, and WhatsApp's failures in Twilio's codes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.simulator.application import create_app
from app.simulator.records import BadSender, Sender, read_sender
from app.simulator.wire import Answer
from app.simulator.world import World
from tests.simulator.support import ACCOUNT, NUMBER, TOKEN, post_message

OURS, GRACE = f"whatsapp:{NUMBER}", "+447700900118"
TEMPLATE = "HX" + "1" * 32
HOOK = "http://127.0.0.1:9/hooks/city"


class Clock:
    """A clock that tests turn."""

    now = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> Iterator[World]:
    world = World(clock)
    world.wire.send = lambda *_, **__: Answer(200, b"")  # type: ignore[method-assign]
    world.state.put_sender(Sender(OURS, ACCOUNT, TOKEN, HOOK, content={TEMPLATE: "News: {{1}}, {{2}}"}))
    yield world
    world.stop()


@pytest.fixture
def client(world: World) -> FlaskClient:
    return create_app(world).test_client()


def ended(world: World, client: FlaskClient, phone: str = GRACE, **changes: str) -> tuple[str, int | None]:
    """Send and return the last status and code of the message."""
    sid = post_message(client, f"whatsapp:{phone}", From=OURS, StatusCallback=HOOK, **changes).get_json()[
        "sid"
    ]
    world.receipts.work_off()
    message = world.state.message(sid)
    assert message is not None
    return message.status, message.error_code


def shown(world: World) -> list[str]:
    return [one.text for one in world.conversations.bubbles(GRACE) if one.kind == "in"]


def test_free_text_is_delivered_within_a_day_of_somebodys_words_alone(
    world: World, client: FlaskClient, clock: Clock
) -> None:
    assert ended(world, client) == ("failed", 63016)
    world.inbound.text(GRACE, OURS, "Hello")
    assert ended(world, client) == ("delivered", None)
    clock.now += timedelta(hours=25)
    assert ended(world, client) == ("failed", 63016)
    assert shown(world) == ["Good morning"]
    assert world.conversations.bubbles(GRACE)[-1].channel == "whatsapp"


def test_a_template_is_delivered_at_any_time_with_its_variables(world: World, client: FlaskClient) -> None:
    more = {"ContentSid": TEMPLATE, "ContentVariables": '{"1": "bridge", "2": "open"}'}

    assert ended(world, client, **more) == ("delivered", None)
    assert shown(world) == ["News: bridge, open"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ContentSid": "HX" + "2" * 32}, 21655),
        ({"ContentSid": TEMPLATE, "ContentVariables": '{"1": "bridge"}'}, 21656),
        ({"ContentSid": TEMPLATE, "ContentVariables": '{"1": "a\\nb", "2": "c"}'}, 21656),
        ({"ContentSid": TEMPLATE, "ContentVariables": "[]"}, 21656),
        ({"To": GRACE}, 21910),
    ],
)
def test_what_does_not_fit_is_refused(client: FlaskClient, changes: dict[str, str], code: int) -> None:
    answer = post_message(client, **{"to": f"whatsapp:{GRACE}", "From": OURS, **changes})

    assert (answer.status_code, answer.get_json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("ending", "code"), [("0404", 63024), ("0403", 63014), ("0424", 63016), ("0449", 63049), ("0614", 63024)]
)
def test_magic_people_fail_in_whatsapps_codes(
    world: World, client: FlaskClient, ending: str, code: int
) -> None:
    phone = f"+44770090{ending}"
    world.inbound.text(phone, OURS, "Hello")

    assert ended(world, client, phone) == ("failed", code)


def test_a_senders_content_is_texts_by_content_sid() -> None:
    sender = {"number": OURS, "account_sid": ACCOUNT, "auth_token": TOKEN}

    assert read_sender({**sender, "content": {TEMPLATE: "News"}}).content == {TEMPLATE: "News"}
    for wrong in ("HX1", {"MG1": "News"}, {TEMPLATE: 7}):
        with pytest.raises(BadSender, match="content: must be an object of texts"):
            read_sender({**sender, "content": wrong})
