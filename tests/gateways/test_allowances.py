"""What LINE and Meta tell of a sender's allowance, read; and the simulator's answers to the same questions."""

import json
from datetime import UTC, datetime

import pytest

from app.domain.allowances import Allowance, Span, Standing
from app.gateways.allowances import CannotSay, TellsAllowance, ask_allowance
from app.gateways.base import Reply
from app.gateways.registry import build
from tests.gateways.samples import line, whatsapp
from tests.support.chat_city import ADA, Line, Platform


def teller(name: str) -> TellsAllowance:
    gateway = build(name, {"line": line.SETTINGS, "whatsapp": whatsapp.SETTINGS}[name], None)
    assert isinstance(gateway, TellsAllowance)
    return gateway


def reply(**body: object) -> Reply:
    return Reply(200, json.dumps(body).encode())


def test_line_is_asked_for_the_plan_and_for_what_is_used() -> None:
    gateway = teller("line")

    assert [one.url for one in gateway.allowance_calls()] == [
        "https://api.line.me/v2/bot/message/quota",
        "https://api.line.me/v2/bot/message/quota/consumption",
    ]
    told = gateway.allowance_of([reply(type="limited", value=5000), reply(totalUsage=3800)])
    assert told == Allowance(Span.MONTH, 5000, 3800, "Asia/Tokyo")


def test_a_plan_without_a_limit_is_none_and_not_zero() -> None:
    assert teller("line").allowance_of([reply(type="none"), reply(totalUsage=9)]).most is None


def test_a_limit_without_a_number_is_not_known() -> None:
    with pytest.raises(CannotSay, match="without value"):
        teller("line").allowance_of([reply(type="limited"), reply(totalUsage=9)])


def test_the_month_ends_at_midnight_in_japan() -> None:
    told = Allowance(Span.MONTH, 10, 0, "Asia/Tokyo")

    ends = told.resets_at(datetime(2026, 11, 30, 14, 59, tzinfo=UTC))
    later = told.resets_at(datetime(2026, 11, 30, 15, 0, tzinfo=UTC))

    assert (ends, later) == (datetime(2026, 11, 30, 15, tzinfo=UTC), datetime(2026, 12, 31, 15, tzinfo=UTC))
    assert Allowance(Span.MOVING_DAY, 10).resets_at(datetime(2026, 11, 30, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("tier", "most"), [("TIER_250", 250), ("TIER_2K", 2000), ("TIER_100K", 100_000), ("TIER_UNLIMITED", None)]
)
def test_a_tier_is_so_many_people_in_a_moving_day(tier: str, most: int | None) -> None:
    told = teller("whatsapp").allowance_of([reply(messaging_limit_tier=tier, quality_rating="RED")])

    assert told == Allowance(Span.MOVING_DAY, most, standing=Standing.LOW)


@pytest.mark.parametrize("tier", ["TIER_NOT_SET", "TIER_9M"])
def test_a_tier_that_no_table_has_is_not_known_and_named(tier: str) -> None:
    with pytest.raises(CannotSay, match=tier):
        teller("whatsapp").allowance_of([reply(messaging_limit_tier=tier)])


def simulated(
    channel: str, address: str, settings: dict[str, str], **more: str
) -> tuple[Platform, TellsAllowance]:
    platform = Platform(channel, address, {**settings})
    platform.account.settings.update(more)
    assert isinstance(platform.gateway, TellsAllowance)
    return platform, platform.gateway


def test_the_simulated_line_counts_what_went_out() -> None:
    platform, gateway = simulated("line", line.SETTINGS["id"], dict(line.SETTINGS), monthly_limit="3")
    platform.world.chats.open(ADA, platform.account)
    platform.send(f"U{ADA.removeprefix('+'):0>32}")

    assert ask_allowance(gateway, Line(platform.client)) == Allowance(Span.MONTH, 3, 1, "Asia/Tokyo")


def test_the_simulated_number_tells_its_tier() -> None:
    settings = dict(whatsapp.SETTINGS)
    platform, gateway = simulated("whatsapp", settings["number"], settings, tier="TIER_2K")

    assert ask_allowance(gateway, Line(platform.client)).most == 2000
    platform.account.settings["tier"] = "TIER_NOT_SET"
    with pytest.raises(CannotSay, match="TIER_NOT_SET"):
        ask_allowance(gateway, Line(platform.client))


def test_a_wrong_token_is_no_allowance() -> None:
    platform, gateway = simulated("line", line.SETTINGS["id"], dict(line.SETTINGS))
    platform.account.settings["channel_token"] = "another"

    with pytest.raises(CannotSay, match="HTTP 401"):
        ask_allowance(gateway, Line(platform.client))
