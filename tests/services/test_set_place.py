"""The town of a person: noted, taken away, refused, and chosen by a segment."""

import pytest
from sqlalchemy import select

from app.domain.segments import Among, Clause, Segment, Trait
from app.services import read_segments
from app.services.controller import NotFound, Refused
from app.services.set_place import set_place, set_place_at
from app.storage.database import db, transaction
from app.storage.models import AuditEntry, Subscriber
from tests.support.world import Newsroom


def person_of(newsroom: Newsroom) -> Subscriber:
    newsroom.join(2)
    return db.session.scalars(select(Subscriber).order_by(Subscriber.id)).first()  # type: ignore[return-value]


def test_a_town_is_noted_and_a_segment_finds_it_whatever_its_capitals(newsroom: Newsroom) -> None:
    subscriber_id = person_of(newsroom).id

    set_place(subscriber_id, "  Bad \n Homburg ", by="ada", now=newsroom.now)

    assert db.session.get_one(Subscriber, subscriber_id).place == "Bad Homburg"
    rule = Segment((Clause(Among(Trait.PLACE, ("bad homburg",))),))
    assert read_segments.count(rule, [newsroom.list_id], newsroom.now).people == 1
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "subscriber.place")).one()
    assert (entry.subject, entry.details) == (f"subscriber {subscriber_id}", {})


def test_an_empty_town_takes_it_away_and_leaves_the_rest(newsroom: Newsroom) -> None:
    person = person_of(newsroom)
    address, subscriber_id = person.address, person.id
    with transaction() as session:
        session.get_one(Subscriber, subscriber_id).attributes = {"first_name": "Ada", "city": "Rome"}

    shown = set_place_at(address, "", by="ada", controller=newsroom.controller, now=newsroom.now)

    assert shown.place == ""
    assert db.session.get_one(Subscriber, subscriber_id).attributes == {"first_name": "Ada"}


def test_what_is_no_town_is_refused(newsroom: Newsroom) -> None:
    subscriber_id = person_of(newsroom).id

    for wrong in ("x" * 101, "Ro\x00me"):
        with pytest.raises(Refused, match="A town has at most 100 characters, on one line"):
            set_place(subscriber_id, wrong, by="ada", now=newsroom.now)
    with pytest.raises(NotFound, match="no such person"):
        set_place(999_999, "Rome", by="ada", now=newsroom.now)
    with transaction() as session:
        session.get_one(Subscriber, subscriber_id).erased_at = newsroom.now
    with pytest.raises(Refused, match="erased already"):
        set_place(subscriber_id, "Rome", by="ada", now=newsroom.now)
