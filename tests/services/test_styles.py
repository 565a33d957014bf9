"""Styled words on their way out: who gets which marks, what is counted, and which broadcasts are read for them."""

from datetime import timedelta
from typing import ClassVar

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import select, update

from app.config import read_periods
from app.domain.short_links import Clicks
from app.domain.styles import Style
from app.factory import init_migrations
from app.gateways.twilio import TwilioGateway
from app.services import fan_out, review_broadcasts, schedule_broadcasts, short_links, write_drafts
from app.services.rights import export_person
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Subscriber
from tests.support.world import FakeProvider, Newsroom

TEXT = r"*Riverside:* the _new_ bridge is open, {{first_name|friend}}. \*no lorries"
MOMENT = timedelta(seconds=20)
READ = "Riverside: the new bridge is open, friend. *no lorries"


class Styling(TwilioGateway):
    """Says that it shows bold, and writes down what the lane gave it."""

    given: ClassVar[list[tuple[str, object]]] = []

    def encode(self, batch):  # type: ignore[no-untyped-def]
        self.given += [(one.text, one.styles) for one in batch.recipients]
        return super().encode(batch)


@pytest.fixture(autouse=True)
def _nothing_given() -> None:
    Styling.given.clear()


def draft(newsroom: Newsroom, text: str = TEXT) -> int:
    return write_drafts.create_draft(
        title="Bridge", text=text, list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )


def unstyled(broadcast_id: int) -> None:
    """Make it one of those from before there were styles."""
    with transaction() as session:
        session.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(styled=False))


def bodies(newsroom: Newsroom, broadcast_id: int) -> set[str]:
    schedule_broadcasts.schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    provider = FakeProvider()
    newsroom.send(provider)
    return {body for _, body in provider.arrived}


def test_an_sms_has_no_marks(newsroom: Newsroom) -> None:
    newsroom.join(2)

    assert bodies(newsroom, draft(newsroom)) == {READ}


def test_what_is_from_before_styles_goes_out_as_it_was_typed(newsroom: Newsroom) -> None:
    newsroom.join(1)
    old = draft(newsroom)
    unstyled(old)

    assert bodies(newsroom, old) == {TEXT.replace("{{first_name|friend}}", "friend")}


def test_words_that_are_saved_again_are_read_for_marks(newsroom: Newsroom) -> None:
    newsroom.join(1)
    old = draft(newsroom)
    unstyled(old)
    write_drafts.save_draft(
        old, title="x", text=TEXT, list_ids=[newsroom.list_id], revision=1, by="ada", now=newsroom.now
    )

    assert bodies(newsroom, old) == {READ}


def test_a_gateway_gets_the_spans_of_each_persons_own_text(newsroom: Newsroom) -> None:
    newsroom.join(2)
    with transaction() as session:
        ada, _ = session.scalars(select(Subscriber).order_by(Subscriber.id)).all()
        ada.attributes = {"first_name": "*Ada*"}
    newsroom.broadcast("Dear *{{first_name|friend}}*, good _day_")
    newsroom.lane(kind=Styling).drain(newsroom.now + MOMENT)

    assert Styling.given == [
        ("Dear *Ada*, good day", ((5, 10, Style.BOLD), (17, 20, Style.ITALIC))),
        ("Dear friend, good day", ((5, 11, Style.BOLD), (18, 21, Style.ITALIC))),
    ]


def test_an_answer_is_never_read_for_marks(newsroom: Newsroom) -> None:
    newsroom.text("HELP")
    newsroom.lane(kind=Styling).drain(newsroom.now + MOMENT, replies_only=True)

    assert [styles for _, styles in Styling.given] == [None]


def test_marks_make_no_part_of_an_sms(newsroom: Newsroom) -> None:
    newsroom.join(1)
    text = f"*{'x' * 156}* __"

    assert review_broadcasts.check(draft(newsroom, text), now=newsroom.now).parts == 1
    old = draft(newsroom, text)
    unstyled(old)
    assert review_broadcasts.check(old, now=newsroom.now).parts == 2


def test_a_link_in_bold_is_counted_like_others(newsroom: Newsroom) -> None:
    short_links.set_clicks(
        "City", Clicks.LINKS, public_url="https://n.example.org", by="ada", now=newsroom.now
    )
    newsroom.join(1)

    (body,) = bodies(newsroom, draft(newsroom, "*https://news.example.org/long_path*, read it"))

    ((link),) = [row.address for row in short_links.links_of(db.session(), 1)]
    assert body == f"{link}, read it"
    assert {row.url for row in short_links.links_of(db.session(), 1)} == {
        "https://news.example.org/long_path"
    }


def test_a_person_is_told_what_they_read(newsroom: Newsroom) -> None:
    newsroom.join(1)
    bodies(newsroom, draft(newsroom))

    person = db.session.scalars(select(Subscriber.id)).first()
    assert person is not None
    found = export_person.export(
        person,
        language="en",
        periods=read_periods(""),
        controller=newsroom.controller,
        by="ada",
        now=newsroom.now,
    )
    assert READ in str(found)


def test_the_migration_leaves_what_is_planned_as_it_was(newsroom: Newsroom) -> None:
    newsroom.join(1)
    newsroom.broadcast_waiting(TEXT)
    draft(newsroom)
    db.session.remove()

    init_migrations(newsroom.app)
    downgrade(revision="0045")
    upgrade()

    assert dict(db.session.execute(select(Broadcast.state, Broadcast.styled)).all()) == {
        "scheduled": False,
        "draft": True,
    }
