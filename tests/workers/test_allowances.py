"""The clock's errand asks the simulated platform over the wire what each sender may still send."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.services import allowances
from app.services.manage_senders import pause
from app.simulator.messengers import Account
from app.simulator.world import World
from app.storage.database import db
from app.storage.models import SenderAllowance
from tests.gateways.samples.line import SETTINGS
from tests.support.line_sender import line_sender
from tests.support.world import Newsroom
from workers.allowances import TELLERS, read_allowances


@pytest.fixture
def account() -> Account:
    return Account(
        "line", SETTINGS["id"], "http://127.0.0.1:9/hooks/city", settings={**SETTINGS, "monthly_limit": "5"}
    )


@pytest.fixture
def line(newsroom: Newsroom, account: Account) -> Iterator[int]:
    """The newsroom's sender on LINE at the simulator."""
    world = World()
    world.chats.put(account)
    with line_sender(newsroom, world) as sender_id:
        yield sender_id


def known(sender_id: int) -> tuple[int | None, int | None, str | None]:
    db.session.rollback()
    row = db.session.get_one(SenderAllowance, sender_id)
    return row.most, row.used, row.problem


def test_those_who_can_tell_are_asked(newsroom: Newsroom, line: int) -> None:
    read_allowances(lambda: newsroom.now)

    assert known(line) == (5, 0, None)
    assert db.session.get(SenderAllowance, newsroom.sender_id) is None
    assert {"line", "whatsapp"} == TELLERS


def test_a_refused_question_is_asked_again_in_an_hour_and_keeps_what_was_told(
    newsroom: Newsroom, line: int, account: Account
) -> None:
    read_allowances(lambda: newsroom.now)
    account.settings["channel_token"] = "another"
    newsroom.later(minutes=30)
    read_allowances(lambda: newsroom.now)
    assert known(line) == (5, 0, None)

    newsroom.later(minutes=31)
    read_allowances(lambda: newsroom.now)
    assert known(line) == (5, 0, "the provider answered HTTP 401")

    account.settings["channel_token"] = SETTINGS["channel_token"]
    newsroom.later(minutes=61)
    read_allowances(lambda: newsroom.now)
    assert known(line) == (5, 0, None)


def test_a_paused_sender_is_left_in_peace(newsroom: Newsroom, line: int) -> None:
    pause("city-line", reason="an outage", by="ada", now=newsroom.now)

    assert allowances.claim(TELLERS, newsroom.now + timedelta(hours=2)) == []
