"""The same story on every gateway: people join, read a broadcast, leave, block us, and come back."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.messages import ErrorKind
from app.domain.policy.brakes import Brakes
from app.domain.statuses import DeliveryStatus
from app.gateways.http_sms import gateway_classes
from app.gateways.registry import GATEWAYS
from app.services.watch_broadcasts import watch
from app.simulator.records import OptOutMode
from app.simulator.world import World
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Sender
from tests.gateways.samples.http_sms import SAMPLE as OWN
from tests.gateways.samples.http_sms import SAMPLES as SMS
from tests.gateways.samples.telegram import SETTINGS as TELEGRAM
from tests.support.chat_city import ADA, GRACE, ChatCity
from tests.support.stream_city import StreamCity, until
from tests.support.twilio_city import TwilioCity
from tests.support.world import Newsroom

OURS, JONAS = "+12025550177", "+493023125017"


@pytest.mark.parametrize("provider", sorted(gateway_classes()))
def test_an_sms_provider_carries_the_whole_story(newsroom: Newsroom, provider: str) -> None:
    _sms_story(ChatCity(newsroom, provider, OURS, {**SMS[provider].settings, "from": OURS}))


def test_a_provider_that_the_operator_described_carries_the_whole_story(newsroom: Newsroom) -> None:
    _sms_story(Described(newsroom, "http_sms", OURS, {**OWN.settings, "from": OURS}))


class Described(ChatCity):
    """Its file is that of Kannel, and so is the other side."""

    platform = "kannel"


def _sms_story(city: ChatCity) -> None:
    arrived, lost = outcomes(city)
    city.says(ADA, "CITY")
    city.says(GRACE, "CITY")
    assert [city.state(one) for one in (ADA, GRACE)] == ["active", "active"]
    assert "STOP" in city.shown(ADA)[-1]

    assert city.broadcast("The bridge is open.") == [arrived, arrived]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The bridge is open."] * 2

    city.says(GRACE, "STOP")
    assert city.state(GRACE) == "stopped"
    city.blocks(ADA)
    assert [one.partition(" ")[0] for one in city.broadcast("Nobody reads this.")] == [lost]
    assert "Nobody reads this." not in city.shown(ADA) + city.shown(GRACE)

    city.blocks(ADA, False)
    city.says(ADA, "CITY")
    city.says(GRACE, "CITY")
    assert city.broadcast("The road is open.") == [arrived, arrived]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The road is open."] * 2
    assert [city.shown(one).count("The bridge is open.") for one in (ADA, GRACE)] == [1, 1]


def outcomes(city: ChatCity) -> tuple[str, str]:
    """How what arrives ends with us, and what a handset refuses: a provider without reports says neither."""
    reports = city.gateway.capabilities().receipts
    return ("delivered", "failed") if reports else ("sent", "sent")


def test_twilio_carries_the_whole_story(newsroom: Newsroom) -> None:
    city = TwilioCity(newsroom)
    city.says(ADA, "CITY")
    city.says(GRACE, "CITY")
    assert city.broadcast("The bridge is open.") == ["delivered", "delivered"]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The bridge is open."] * 2

    city.says(GRACE, "STOP")
    city.blocks(ADA)
    assert city.state(GRACE) == "stopped"
    assert city.broadcast("Nobody reads this.") == ["failed blocked"]

    city.blocks(ADA, False)
    assert city.broadcast("Nor this, before Ada says so.") == []
    city.says(ADA, "CITY")
    city.says(GRACE, "CITY")
    assert city.broadcast("The road is open.") == ["delivered", "delivered"]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The road is open."] * 2


@pytest.mark.parametrize("mode", ["default", "advanced"])
def test_whoever_stops_at_twilio_itself_is_reached_by_nobody_until_they_text_start(
    newsroom: Newsroom, mode: OptOutMode
) -> None:
    city = TwilioCity(newsroom, mode=mode)
    city.says(ADA, "CITY")
    city.says(ADA, "STOP")

    assert city.state(ADA) == "stopped"
    assert city.shown(ADA)[-1].startswith("You are unsubscribed and get no more messages from this number")
    (refused,) = city.send(ADA)
    assert refused.error is not None
    assert (refused.error.code, refused.error.kind) == ("21610", ErrorKind.OPTED_OUT)

    city.says(ADA, "START")
    city.says(ADA, "CITY")
    assert city.state(ADA) == "active"
    assert city.broadcast("The road is open.") == ["delivered"]
    assert city.shown(ADA)[-1] == "The road is open."


def test_an_opt_out_that_only_twilio_knows_becomes_a_withdrawal(newsroom: Newsroom) -> None:
    city = TwilioCity(newsroom)
    city.says(ADA, "CITY")
    city.world.state.opted_out.add((ADA, city.number))  # said to Twilio before the number was ours

    assert city.broadcast("The bridge is open.") == ["failed opted_out"]
    assert city.state(ADA) == "stopped"
    assert city.broadcast("Nobody reads this.") == []


def test_whatsapp_at_twilio_carries_the_whole_story(newsroom: Newsroom) -> None:
    city = TwilioCity(newsroom, "twilio_whatsapp")
    city.says(JONAS, "CITY")
    city.says(GRACE, "CITY")
    assert "STOP" in city.shown(JONAS)[-1]
    assert city.broadcast("The bridge is open.") == ["delivered", "delivered"]
    assert city.shown(JONAS)[-1] == "City desk: The bridge is open."

    city.says(GRACE, "STOP")
    city.blocks(JONAS)
    assert city.state(GRACE) == "stopped"
    assert city.broadcast("Nobody reads this.") == ["failed blocked"]

    city.blocks(JONAS, False)
    city.says(JONAS, "CITY")
    city.says(GRACE, "CITY")
    newsroom.later(hours=30)  # the window has closed; the template opens it
    assert city.broadcast("The road is open.") == ["delivered", "delivered"]
    assert [city.shown(one)[-1] for one in (JONAS, GRACE)] == ["City desk: The road is open."] * 2


def test_a_template_that_twilio_does_not_know_stops_the_broadcast_and_the_author_reads_why(
    newsroom: Newsroom,
) -> None:
    city = TwilioCity(newsroom, "twilio_whatsapp")
    for digit in range(6):
        city.says(f"+44770090010{digit}", "CITY")
    city.world.state.put_sender(replace(city.world.state.senders[city.number], content={}))
    broadcast_id = newsroom.broadcast("The bridge is open.")

    city.drain()
    with transaction() as session:  # lists for any hour, as that of these tests, have no brakes
        session.get_one(BroadcastList, newsroom.list_id).any_hour_reason = None
    (watched,) = watch(Brakes(), newsroom.now)

    assert newsroom.tally(broadcast_id).reasons == {"content": 6}
    assert watched.reason.startswith("Stopped by itself: the provider refused the text for 6 of 6 people.")
    db.session.rollback()
    assert db.session.get_one(Sender, city.sender_id).paused_at is None


def test_smpp_carries_the_whole_story(newsroom: Newsroom) -> None:
    city = StreamCity(newsroom, "smpp", OURS, {"system_id": "riverside", "password": "a-secret"})
    long = ("Brücke offen, ab {morgen} auch die Fähre. " * 5).strip()
    with city.connected():
        city.says(ADA, "CITY", "active")
        city.says(GRACE, "CITY", "active")
        assert city.broadcast(long) == ["delivered", "delivered"]
        assert [city.shown(one)[-1] for one in (ADA, GRACE)] == [long] * 2

        city.says(GRACE, "STOP", "stopped")
        city.blocks(ADA)
        assert city.broadcast("Nobody reads this.") == ["failed temporary"]

        city.blocks(ADA, False)
        city.says(GRACE, "CITY", "active")
        assert city.broadcast("Дорога открыта 🌍") == ["delivered", "delivered"]
        assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["Дорога открыта 🌍"] * 2


def test_xmpp_carries_the_whole_story(newsroom: Newsroom) -> None:
    city = StreamCity(newsroom, "xmpp", "city@news.localhost", {"secret": "a-component-secret"})
    with city.connected():
        city.comes(ADA, "active")  # to subscribe to our presence is as clear as START
        city.says(GRACE, "CITY", "active")
        assert city.broadcast("Brücke <offen> & frei 🌍") == ["delivered", "delivered"]
        assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["Brücke <offen> & frei 🌍"] * 2

        city.says(GRACE, "STOP", "stopped")
        city.blocks(ADA)  # takes us off the contacts
        until(lambda: city.state(ADA) == "stopped", "the withdrawal")
        assert city.broadcast("Nobody reads this.") == []

        city.blocks(ADA, False)
        city.says(ADA, "CITY", "active")
        city.says(GRACE, "CITY", "active")
        assert city.broadcast("The road is open.") == ["delivered", "delivered"]
        assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The road is open."] * 2


def test_telegram_carries_the_whole_story(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "telegram", f"@{TELEGRAM['bot']}", TELEGRAM)
    city.says(ADA, "/start city_poster7")  # a link of ours says which list
    city.says(GRACE, "CITY")
    assert [city.state(one) for one in (ADA, GRACE)] == ["active", "active"]
    assert city.broadcast("The bridge is open.") == ["sent", "sent"]  # Telegram has no receipts
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The bridge is open."] * 2

    city.says(GRACE, "STOP")
    city.blocks(ADA)
    assert [city.state(one) for one in (ADA, GRACE)] == ["stopped", "stopped"]
    assert city.broadcast("Nobody reads this.") == []

    city.blocks(ADA, False)
    assert city.state(ADA) == "stopped"  # to lift a block is no consent
    city.says(ADA, "CITY")
    city.says(GRACE, "CITY")
    assert city.broadcast("The road is open.") == ["sent", "sent"]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The road is open."] * 2
    assert [city.shown(one).count("The bridge is open.") for one in (ADA, GRACE)] == [1, 1]


def test_signal_carries_the_whole_story(newsroom: Newsroom) -> None:
    city = StreamCity(newsroom, "signal", OURS, {"accept": "community"})
    with city.connected():
        city.says(ADA, "CITY", "active")
        city.says(GRACE, "CITY", "active")
        assert city.broadcast("Brücke offen 🌍") == ["delivered", "delivered"]
        assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["Brücke offen 🌍"] * 2

        city.says(GRACE, "STOP", "stopped")
        city.blocks(ADA)  # of which Signal tells nobody: it is taken, and no report comes
        assert city.broadcast("Nobody reads this.", ends=DeliveryStatus.SENT) == ["sent"]
        assert "Nobody reads this." not in city.shown(ADA) + city.shown(GRACE)

        city.blocks(ADA, False)
        city.says(GRACE, "CITY", "active")
        assert city.broadcast("The road is open.") == ["delivered", "delivered"]
        assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The road is open."] * 2


HERE = "tests/simulator/test_stories.py"
STORIES = {
    **dict.fromkeys(gateway_classes(), f"{HERE}::test_an_sms_provider_carries_the_whole_story"),
    "http_sms": f"{HERE}::test_a_provider_that_the_operator_described_carries_the_whole_story",
    "inapp": "tests/public/test_inbox.py::test_stop_is_in_force_at_once_and_confirmed_where_it_was_pressed",
    "line": "tests/simulator/test_line.py::test_people_follow_join_read_stop_block_and_come_back",
    "matrix": "tests/simulator/test_matrix.py::test_somebody_joins_reads_stops_leaves_and_returns",
    "messenger": "tests/simulator/test_messenger.py::test_people_come_join_read_switch_off_and_on_and_block",
    "signal": f"{HERE}::test_signal_carries_the_whole_story",
    "smpp": f"{HERE}::test_smpp_carries_the_whole_story",
    "telegram": f"{HERE}::test_telegram_carries_the_whole_story",
    "twilio": f"{HERE}::test_twilio_carries_the_whole_story",
    "twilio_whatsapp": f"{HERE}::test_whatsapp_at_twilio_carries_the_whole_story",
    "viber": "tests/simulator/test_viber.py::test_people_open_subscribe_read_stop_and_come_back",
    "webpush": "tests/simulator/test_push.py::"
    "test_a_phone_turns_notifications_on_reads_presses_stops_and_takes_the_permission_back",
    "wechat": "tests/simulator/test_wechat.py::test_the_whole_story_of_followers",
    "wechat_subscription": "tests/simulator/test_wechat.py::test_the_whole_story_of_a_subscription_account",
    "whatsapp": "tests/simulator/test_whatsapp.py::test_people_join_read_switch_off_and_on_stop_and_fall_silent",
    "xmpp": f"{HERE}::test_xmpp_carries_the_whole_story",
}
"""Which test tells the story of each gateway."""
NOT_SIMULATED = {
    "inapp": "There is nobody on the other side: messages lie in our own database, and the story reads them there.",
}


def test_every_gateway_has_a_story_and_a_simulator_or_a_reason() -> None:
    assert set(STORIES) == set(GATEWAYS)
    root = Path(__file__).parents[2]
    for place in STORIES.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (root / file).read_text(encoding="utf-8"), place

    world = World()
    simulated = set(world.chats.channels) | {"twilio", "twilio_whatsapp"}
    alike = {"http_sms": "kannel", "wechat_subscription": "wechat"}
    assert {name for name in GATEWAYS if alike.get(name, name) not in simulated} == set(NOT_SIMULATED)
