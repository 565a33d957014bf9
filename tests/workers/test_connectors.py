"""Which senders a connector works, and that the queue leaves them alone."""

import click
import pytest
from sqlalchemy import select

from app.gateways.registry import gateway_class
from app.services.manage_senders import add
from app.storage.database import db
from app.storage.models import Sender
from tests.gateways.samples.xmpp import SETTINGS
from tests.support.world import Newsroom
from workers import jobs
from workers.connectors import sender_named, senders_with_connection


def test_only_senders_with_a_connection_of_their_own_have_a_connector(newsroom: Newsroom) -> None:
    assert senders_with_connection() == []
    with pytest.raises(click.UsageError, match=r"city-desk needs no connector\. Senders that do: none"):
        sender_named("city-desk")
    add(
        name="city-xmpp",
        gateway=gateway_class("xmpp"),
        settings=SETTINGS,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )

    assert senders_with_connection() == ["city-xmpp"]
    assert sender_named("city-xmpp") == db.session.scalar(select(Sender.id).where(Sender.name == "city-xmpp"))
    assert jobs.drain(sender_named("city-xmpp")) is None
