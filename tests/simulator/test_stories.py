"""The same story on every gateway: people join, read a broadcast, leave, block us, and come back."""

import pytest

from app.gateways.http_sms import gateway_classes
from tests.gateways.samples.http_sms import SAMPLES as SMS
from tests.support.chat_city import ADA, GRACE, ChatCity
from tests.support.world import Newsroom

OURS = "+12025550177"


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
