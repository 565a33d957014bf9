"""A small newsroom to test services in: one sender, one list, and people who text it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from flask import Flask

from app.domain.addresses import Address
from app.domain.messages import InboundMessage
from app.factory import create_core
from app.gateways.twilio import TwilioGateway
from app.runtime import runtime
from app.services import manage_lists, manage_senders
from app.services.controller import Controller
from app.services.receive_message import receive_message
from tests.conftest import on_a_shared_engine
from tests.support.application import settings_for

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ANNA, BERT, CARA = "+12025550101", "+12025550102", "+12025550103"
TWILIO = {"account_sid": "AC" + "0" * 32, "auth_token": "a-token-of-tests", "from": "+12025550199"}


@dataclass
class World:
    """An installation with the sender `news-us` and the list “News” of the word NEWS."""

    app: Flask
    controller: Controller
    sender_id: int
    list_id: int
    _numbers: "count[int]"

    def text(self, address: str, words: str, at: datetime = NOW) -> None:
        """Somebody sends us a text."""
        message = InboundMessage(f"SM{next(self._numbers)}", Address("sms", address), words)
        receive_message(message, sender_id=self.sender_id, controller=self.controller, now=at)

    def add_list(
        self, name: str, keyword: str, *, is_default: bool = False, purpose: str = "More news"
    ) -> int:
        """Make one more list of the sender."""
        return manage_lists.create_list(
            name=name,
            keyword=keyword,
            purpose=purpose,
            language="en",
            max_per_day=3,
            from_hour=7,
            until_hour=21,
            zone="Europe/London",
            sender_id=self.sender_id,
            is_default=is_default,
            any_hour_reason="tests",
            by="ops",
            controller=self.controller,
            now=NOW - timedelta(days=30),
        )


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    with app.app_context():
        controller = runtime().controller
        sender = manage_senders.add(
            name="news-us", gateway=TwilioGateway, settings=TWILIO, by="ops", controller=controller, now=NOW
        )
        made = World(app, controller, sender.id, 0, count(1))
        made.list_id = made.add_list("News", "NEWS", purpose="The day's news")
        yield made


@pytest.fixture
def app(database_url: str, valkey_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application without its pages: services know none, and to build them takes longer than most tests."""
    yield from on_a_shared_engine(create_core(settings_for(database_url, valkey_url, tmp_path)), database_url)
