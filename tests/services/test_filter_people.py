"""People are found by number, status, list, language, town, tag and channel, page by page, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import text, update

from app.domain.keywords import LANGUAGES
from app.services import filter_people, find_people
from app.services.close_list import close_list
from app.services.controller import Refused
from app.services.filter_people import Filter, look_up
from app.services.set_place import set_place
from app.services.silent_people import silences
from app.storage import people_pages
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Subscriber, Subscription
from tests.support.world import Newsroom, number


def found(wanted: Filter, before: int | None = None) -> list[str]:
    people = look_up(wanted, region="US", before=before)
    db.session.rollback()
    return [row.address for row in people.rows]


def change(address: str, **values: object) -> None:
    with transaction() as session:
        session.execute(update(Subscriber).where(Subscriber.address == address).values(**values))


def id_of(address: str) -> int:
    one = db.session.query(Subscriber.id).filter_by(address=address).scalar()
    db.session.rollback()
    return int(one)


def test_each_filter_finds_whom_it_is_true_of_and_all_hold_together(newsroom: Newsroom) -> None:
    numbers = newsroom.join(5)
    other = newsroom.new_list("Sport", "SPORT")
    newsroom.text("SPORT", numbers[1])
    newsroom.text("STOP", numbers[2])
    change(numbers[0], language="de")
    change(numbers[3], blocked_at=newsroom.now)
    set_place(id_of(numbers[4]), "Bad Homburg", by="ada", now=newsroom.now)

    assert found(Filter(status="stopped")) == [numbers[2]]
    assert found(Filter(list_id=other)) == [numbers[1]]
    assert found(Filter(list_id=other, status="stopped")) == []
    assert found(Filter(language="de")) == [numbers[0]]
    assert found(Filter(status="blocked")) == [numbers[3]]
    assert found(Filter(place="bad  homburg")) == [numbers[4]]
    assert found(Filter(channel="telegram")) == []
    assert len(found(Filter(channel="sms"))) == 5
    assert found(Filter(query=numbers[1][-4:], language="de")) == []
    assert found(Filter(query=numbers[1], status="active")) == [numbers[1]]
    assert "de" in LANGUAGES
    with pytest.raises(Refused, match="last four digits or more"):
        look_up(Filter(query="12"), region="US")


def test_people_are_found_by_the_tag_of_the_link_that_they_came_by(newsroom: Newsroom) -> None:
    numbers = newsroom.join(2)
    with transaction() as session:
        session.connection().exec_driver_sql("SELECT 1")
        ref = session.query(Subscriber.subject_ref).filter_by(address=numbers[0]).scalar()
        entry = ConsentEvent(
            event_id="0" * 36, v=1, ledger="tests", seq=9001, subject_ref=ref, event_type="consent_given",
            occurred_at="x", recorded_at="x", channel="sms", scope="list", cta_ref="sms:city:city_poster-7",
            act="keyword_exact", actor="person", prev_hash="0" * 64, entry_hash="0" * 64,
        )  # fmt: skip
        session.add(entry)
        mine = (
            Subscription.subscriber_id == session.query(Subscriber.id).filter_by(address=numbers[0]).scalar()
        )
        session.execute(update(Subscription).where(mine).values(granted_seq=9001))

    assert found(Filter(tag="poster-7")) == [numbers[0]]
    assert found(Filter(tag="poster-7", list_id=newsroom.list_id)) == [numbers[0]]
    assert found(Filter(tag="ster-7")) == []


def test_pages_go_on_where_the_last_one_ended_and_name_nobody_twice(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = newsroom.join(7)
    monkeypatch.setattr(people_pages, "STRETCH", 2)
    monkeypatch.setattr(people_pages, "MOST_IDS", 4)
    everybody = Filter(channel="sms")

    pages, before = [], None
    while True:
        one = look_up(everybody, region="US", before=before, limit=3)
        pages.append([row.address for row in one.rows])
        before = one.before
        if before is None:
            break

    assert [address for page in pages for address in page] == numbers[::-1]
    assert len(pages[0]) == 3


def test_a_page_that_looked_at_its_share_says_where_to_go_on(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = newsroom.join(9)
    change(numbers[0], language="de")
    set_place(id_of(numbers[0]), "Rome", by="ada", now=newsroom.now)
    monkeypatch.setattr(people_pages, "STRETCH", 2)
    monkeypatch.setattr(people_pages, "MOST_IDS", 4)

    first = look_up(Filter(language="de"), region="US")
    assert (first.rows, first.before is None) == ([], False)
    second = look_up(Filter(language="de"), region="US", before=first.before)
    third = look_up(Filter(language="de"), region="US", before=second.before)
    assert [row.address for row in (*second.rows, *third.rows)] == [numbers[0]]
    assert third.before is None
    assert found(Filter(place="Rome")) == [numbers[0]]  # by the index, everybody at once


def test_an_erased_person_is_found_by_nothing(newsroom: Newsroom) -> None:
    (person,) = newsroom.join(1)
    change(person, erased_at=newsroom.now)

    assert found(Filter(channel="sms")) == []
    assert not Filter()
    assert replace(Filter(), tag="x")


def test_it_is_told_why_somebody_gets_nothing(newsroom: Newsroom) -> None:
    first, second = newsroom.join(2)
    newsroom.text("STOP", first)

    (silence,) = silences(id_of(first))

    assert (silence.list_name, silence.state, silence.act) == ("City", "stopped", "keyword_exact")
    assert silence.since is not None
    assert silences(id_of(second)) == []
    close_list("City", by="ada", controller=newsroom.controller, now=newsroom.now)
    assert [(one.state, one.closed) for one in silences(id_of(second))] == [("stopped", True)]


def test_numbers_and_towns_are_found_by_an_index(newsroom: Newsroom) -> None:
    served = db.engine.dialect.name == "postgresql"
    newsroom.join(3)
    people = [
        Subscriber(
            channel="sms", address=f"+9991777{n:04}", subject_ref=f"x{n}", language="en",
            attributes={"city": f"Town {n}"}, created_at=newsroom.now,
        )
        for n in range(1, 5001)
    ]  # fmt: skip
    with transaction() as session:
        session.add_all(people)
    db.session.execute(text("ANALYZE subscriber"))
    db.session.commit()

    for condition, index in (
        (people_pages.tail_is("4321"), "ix_subscriber_tail"),
        (find_people.matching("+447700900123", "447700900123", "GB"), "address"),
        (people_pages.lives_in("Town 77"), "ix_subscriber_place" if served else "ix_subscriber_town"),
    ):
        rows = db.session.query(Subscriber.id).filter(condition, Subscriber.id < 10**9)
        statement = rows.statement.compile(db.engine, compile_kwargs={"render_postcompile": True})
        with db.engine.connect() as connection:
            if served:
                plan = str(connection.exec_driver_sql(f"EXPLAIN {statement}", statement.params).all())
            else:
                values = tuple(statement.params[name] for name in statement.positiontup)
                plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
        assert index in plan, plan
    assert found(Filter(query="7774321")) == ["+99917774321"]
    assert found(Filter(place="town 77")) == ["+99917770077"]


def test_the_default_page_has_25_people(newsroom: Newsroom) -> None:
    numbers = newsroom.join(27)

    assert found(Filter(channel="sms")) == numbers[:1:-1]
    assert filter_people.PAGE == 25
    assert number(0) == numbers[0]
