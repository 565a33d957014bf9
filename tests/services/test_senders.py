"""Senders: what is refused, what is kept secret, what an operator may change."""

import pytest
from sqlalchemy import select

from app.gateways.registry import build
from app.gateways.telegram import TelegramGateway
from app.gateways.twilio import TwilioGateway
from app.services import manage_senders
from app.services.controller import Conflict, NotFound, Refused
from app.services.gateways_of_senders import open_settings
from app.storage.database import db
from app.storage.models import AuditEntry, Sender
from tests.services.conftest import NOW, TWILIO, World


def _add(world: World, **changes: object) -> manage_senders.SenderRow:
    values: dict[str, object] = {"name": "second", "gateway": TwilioGateway, "settings": TWILIO}
    return manage_senders.add(**(values | changes), by="ops", controller=world.controller, now=NOW)


def test_a_sender_is_listed_with_its_number_and_the_careful_rate_of_its_gateway(world: World) -> None:
    (row,) = manage_senders.list_senders()

    assert (row.name, row.address, row.channel, row.rate) == ("news-us", "+12025550199", "sms", 1.0)
    assert row.paused_at is None


def test_no_secret_is_in_a_row_the_database_or_the_audit_log(world: World) -> None:
    sender = db.session.scalars(select(Sender)).one()
    notes = [str(note.details) for note in db.session.scalars(select(AuditEntry))]

    assert b"a-token-of-tests" not in sender.sealed_settings
    assert "a-token-of-tests" not in repr(manage_senders.list_senders()) + "".join(notes)
    assert open_settings(sender, world.controller) == TWILIO


@pytest.mark.parametrize("name", ["", "News", "a b", "-news", "news-", "n" * 41, "ä"])
def test_a_name_that_cannot_be_part_of_an_address_is_refused(world: World, name: str) -> None:
    with pytest.raises(Refused, match="/hooks/<name>"):
        _add(world, name=name)


def test_a_second_sender_of_the_same_name_is_refused(world: World) -> None:
    with pytest.raises(Conflict, match="“news-us” already"):
        _add(world, name="news-us")


def test_a_missing_setting_is_named_with_an_example(world: World) -> None:
    with pytest.raises(Refused, match="auth_token is missing"):
        _add(world, settings={name: TWILIO[name] for name in ("account_sid", "from")})


@pytest.mark.parametrize("rate", [0.0, -1.0, 100_001.0, float("nan")])
def test_a_rate_that_cannot_be_is_refused(world: World, rate: float) -> None:
    with pytest.raises(Refused, match="messages per second"):
        _add(world, rate=rate)


def test_a_base_address_without_http_is_refused(world: World) -> None:
    with pytest.raises(Refused, match=r"127\.0\.0\.1:8001"):
        _add(world, base_url="localhost:8001")


def test_pausing_twice_keeps_the_first_moment_and_resuming_clears_it(world: World) -> None:
    manage_senders.pause("news-us", reason="token expired", by="ops", now=NOW)
    again = manage_senders.pause("news-us", reason="still", by="ops", now=NOW.replace(hour=13))
    resumed = manage_senders.resume("news-us", by="ops", now=NOW)

    assert (again.paused_at, again.paused_reason) == (NOW, "still")
    assert (resumed.paused_at, resumed.paused_reason) == (None, None)


def test_an_unknown_sender_is_answered_with_those_there_are(world: World) -> None:
    with pytest.raises(NotFound, match="Senders: news-us"):
        manage_senders.set_rate("nobody", 2.0, registry=build, by="ops", controller=world.controller, now=NOW)


def test_telegrams_pace_is_raised_by_paying_and_falls_with_it(world: World) -> None:
    given = {"by": "ops", "controller": world.controller, "now": NOW}
    bot = {"token": "123456:" + "A" * 35, "bot": "CityDeskBot", "secret": "a-secret-for-webhooks"}
    manage_senders.add(name="bot", gateway=TelegramGateway, settings=bot, rate=30.0, **given)
    with pytest.raises(Refused, match=r"takes 30 a second from one sender\. With --set paid_broadcast=yes"):
        manage_senders.set_rate("bot", 31.0, registry=build, **given)

    manage_senders.rotate_secrets("bot", gateway=TelegramGateway, settings={"paid_broadcast": "yes"}, **given)

    assert manage_senders.set_rate("bot", 1000.0, registry=build, **given).rate == 1000.0
    with pytest.raises(Refused, match=r"takes 1000 a second from one sender\.$"):
        manage_senders.set_rate("bot", 1001.0, registry=build, **given)
    free = manage_senders.rotate_secrets(
        "bot", gateway=TelegramGateway, settings={"paid_broadcast": "no"}, **given
    )
    assert free.rate == 30.0


def test_rotating_one_secret_keeps_the_other_settings(world: World) -> None:
    manage_senders.rotate_secrets(
        "news-us",
        gateway=TwilioGateway,
        settings={"auth_token": "a-new-token"},
        by="ops",
        controller=world.controller,
        now=NOW,
    )

    settings = open_settings(db.session.scalars(select(Sender)).one(), world.controller)
    assert settings == TWILIO | {"auth_token": "a-new-token"}
