"""The same story on every gateway: people join, read a broadcast, leave, block us, and come back."""

import pytest

from app.domain.messages import ErrorKind
from app.gateways.http_sms import gateway_classes
from app.simulator.records import OptOutMode
from tests.gateways.samples.http_sms import SAMPLES as SMS
from tests.support.chat_city import ADA, GRACE, ChatCity
from tests.support.stream_city import StreamCity, until
from tests.support.twilio_city import TwilioCity
from tests.support.world import Newsroom

OURS, JONAS = "+12025550177", "+493023125017"


@pytest.mark.parametrize("provider", sorted(gateway_classes()))
def test_an_sms_provider_carries_the_whole_story(newsroom: Newsroom, provider: str) -> None:
    city = ChatCity(newsroom, provider, OURS, {**SMS[provider].settings, "from": OURS})
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
