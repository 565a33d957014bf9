"""Limits of accounts and channels: who shares which, as operators say it and as settings tell."""

import pytest

from app.domain.pace import Shared, read_rates
from app.gateways.registry import GATEWAYS, build
from app.services import sender_limits
from app.services.controller import NotFound, Refused
from app.services.gateways_of_senders import gateway_of
from app.services.manage_senders import add
from app.services.sender_limits import AccountRow
from app.storage.database import db
from app.storage.models import AuditEntry, Sender
from tests.support.world import ACCOUNT, TOKEN, Newsroom

DERIVED = f"twilio:{ACCOUNT}"


def second_number(newsroom: Newsroom) -> None:
    add(
        name="night-desk",
        gateway=GATEWAYS["twilio"],
        settings={"account_sid": ACCOUNT, "auth_token": TOKEN, "from": "+12025550177"},
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )


def name_account(newsroom: Newsroom, sender: str, account: str) -> str:
    return sender_limits.set_account(
        sender, account, registry=build, by="ada", controller=newsroom.controller, now=newsroom.now
    )


def set_rate(newsroom: Newsroom, account: str, rate: float | None) -> AccountRow:
    return sender_limits.set_rate(
        account, rate, registry=build, by="ada", controller=newsroom.controller, now=newsroom.now
    )


def accounts(newsroom: Newsroom) -> list[AccountRow]:
    return sender_limits.accounts(registry=build, controller=newsroom.controller)


def shared(newsroom: Newsroom, name: str, channels: str = "") -> tuple[Shared, ...]:
    sender = db.session.query(Sender).filter_by(name=name).one()
    gateway = gateway_of(sender, newsroom.controller, build)
    return sender_limits.shared_by(db.session(), sender, gateway, read_rates(channels))


def test_two_numbers_of_one_account_share_its_limit_without_being_told(newsroom: Newsroom) -> None:
    second_number(newsroom)

    set_rate(newsroom, DERIVED, 30)

    assert accounts(newsroom) == [AccountRow(DERIVED, 30, ("city-desk", "night-desk"))]
    assert (
        shared(newsroom, "city-desk") == shared(newsroom, "night-desk") == (Shared(f"account:{DERIVED}", 30),)
    )


def test_an_account_without_a_rate_limits_nobody(newsroom: Newsroom) -> None:
    set_rate(newsroom, DERIVED, 30)

    assert set_rate(newsroom, DERIVED, None) == AccountRow(DERIVED, None, ("city-desk",))
    assert shared(newsroom, "city-desk") == ()


def test_what_an_operator_says_goes_before_what_the_settings_tell(newsroom: Newsroom) -> None:
    second_number(newsroom)
    assert name_account(newsroom, "night-desk", "riverside-portfolio") == "riverside-portfolio"
    set_rate(newsroom, "riverside-portfolio", 5)

    assert shared(newsroom, "night-desk") == (Shared("account:riverside-portfolio", 5),)
    assert shared(newsroom, "city-desk") == ()
    assert name_account(newsroom, "night-desk", "") == DERIVED
    assert shared(newsroom, "night-desk") == ()


def test_a_channels_limit_comes_beside_the_accounts(newsroom: Newsroom) -> None:
    set_rate(newsroom, DERIVED, 30)

    assert shared(newsroom, "city-desk", "sms=100, whatsapp=80") == (
        Shared(f"account:{DERIVED}", 30),
        Shared("channel:sms", 100),
    )
    assert shared(newsroom, "city-desk", "whatsapp=80") == (Shared(f"account:{DERIVED}", 30),)


def test_a_rate_of_an_account_that_nobody_belongs_to_names_those_there_are(newsroom: Newsroom) -> None:
    with pytest.raises(NotFound, match=DERIVED):
        set_rate(newsroom, "twilio:other", 30)


@pytest.mark.parametrize("rate", [0, -1, 1e9])
def test_a_rate_that_cannot_be_is_refused(newsroom: Newsroom, rate: float) -> None:
    with pytest.raises(Refused, match="messages per second"):
        set_rate(newsroom, DERIVED, rate)


def test_a_name_with_blanks_is_refused_with_an_example(newsroom: Newsroom) -> None:
    with pytest.raises(Refused, match="riverside-portfolio"):
        name_account(newsroom, "city-desk", "my account")


def test_the_audit_log_says_who_changed_what(newsroom: Newsroom) -> None:
    name_account(newsroom, "city-desk", "riverside-portfolio")
    set_rate(newsroom, "riverside-portfolio", 5)

    entries = db.session.query(AuditEntry).order_by(AuditEntry.id).all()
    assert [(one.actor, one.action) for one in entries[-2:]] == [
        ("ada", "sender.account"),
        ("ada", "sender.account_rate"),
    ]


@pytest.mark.parametrize("words", ["sms", "sms=0", "sms=fast", "pigeon=3", "sms=1e9"])
def test_a_setting_of_channels_that_makes_no_sense_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"^(must be|names)"):
        read_rates(words)
