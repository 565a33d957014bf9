"""Senders whose secrets we make ourselves: given none they are made, given one it is kept, and all are sealed."""

from sqlalchemy import select

from app.gateways.registry import gateway_class
from app.services.gateways_of_senders import open_settings
from app.services.manage_senders import add, rotate_secrets
from app.storage.database import db
from app.storage.models import Sender
from tests.gateways.samples.webpush import PRIVATE, PUBLIC
from tests.support.world import Newsroom


def added(newsroom: Newsroom, name: str, **settings: str) -> Sender:
    add(
        name=name,
        gateway=gateway_class("webpush"),
        settings={"subject": "mailto:desk@example.org", **settings},
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )
    return db.session.scalars(select(Sender).where(Sender.name == name)).one()


def test_a_key_pair_is_made_for_each_sender_that_comes_without_and_only_its_public_half_is_shown(
    newsroom: Newsroom,
) -> None:
    one, two, own = (
        added(newsroom, "one"),
        added(newsroom, "two"),
        added(newsroom, "own", private_key=PRIVATE),
    )

    keys = [open_settings(sender, newsroom.controller)["private_key"] for sender in (one, two, own)]

    assert len({*keys, PRIVATE}) == 3
    assert own.address == PUBLIC
    assert not any(
        key.encode() in sender.sealed_settings for key, sender in zip(keys, (one, two, own), strict=True)
    )
    assert not any(key in sender.address for key, sender in zip(keys, (one, two, own), strict=True))


def test_another_setting_changes_without_a_new_key(newsroom: Newsroom) -> None:
    before = added(newsroom, "city-push").address

    row = rotate_secrets(
        "city-push",
        gateway=gateway_class("webpush"),
        settings={"ttl": "3600"},
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )

    assert row.address == before
