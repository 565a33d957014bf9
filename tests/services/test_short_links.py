"""Clicks: off by default, then counted by the hour, and by person only of those who agreed to that."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.config import read_periods
from app.domain.clicks import SAYS
from app.domain.placeholders import read
from app.domain.short_links import Clicks
from app.services import (
    notices,
    record_clicks,
    review_broadcasts,
    schedule_broadcasts,
    short_links,
    write_drafts,
)
from app.services.controller import NotFound, Refused
from app.services.lists_of_sender import present_notice
from app.services.rich_messages import PLAIN
from app.services.rights import erase_subscriber, export_person
from app.services.rights.timers import OldClicks
from app.storage.database import db, transaction
from app.storage.models import ClickHour, Delivery, PersonClick, ShortLink
from tests.support.world import FakeProvider, Newsroom, number

LONG = "https://news.example.org/2026/03/02/the-bridge-is-open-again-after-eleven-months?utm_source=sms"
TEXT = f"Riverside: the bridge is open. {LONG}"
BASE = "https://n.example.org"


@pytest.fixture
def counts(newsroom: Newsroom) -> Callable[[Clicks], None]:
    def turn_on(clicks: Clicks) -> None:
        short_links.set_clicks("City", clicks, public_url=BASE, by="ada", now=newsroom.now)

    return turn_on


def say_so(newsroom: Newsroom) -> None:
    """Write notices in both languages that say that clicks are kept."""
    for language in ("en", "de"):
        words = present_notice(db.session(), newsroom.list_id, language)
        version, text = words.version, words.text
        db.session.rollback()
        notices.write(
            newsroom.list_id,
            language,
            text=f"{text} {SAYS[language]}",
            purpose="News of City",
            after_version=version,
            confirmed=True,
            by="ada",
            controller=newsroom.controller,
            now=newsroom.now,
        )


def send(newsroom: Newsroom, text: str = TEXT) -> dict[str, str]:
    """Send a broadcast; returns what each number got."""
    provider = FakeProvider()
    newsroom.broadcast(text)
    newsroom.send(provider)
    return dict(provider.arrived)


def open_it(newsroom: Newsroom, link: str, *, program: bool = False) -> str:
    opened = record_clicks.find(link.removeprefix(f"{BASE}/l/"), controller=newsroom.controller)
    record_clicks.count(opened, program=program, controller=newsroom.controller, now=newsroom.now)
    return opened.url


def test_a_list_that_counts_nothing_sends_its_links_as_they_are(newsroom: Newsroom) -> None:
    newsroom.join(1)

    assert set(send(newsroom).values()) == {TEXT}
    assert db.session.scalar(select(func.count()).select_from(ShortLink)) == 0


def test_a_short_link_is_the_same_for_all_and_counted_by_the_hour(
    newsroom: Newsroom, counts: Callable[[Clicks], None]
) -> None:
    counts(Clicks.LINKS)
    newsroom.join(2)

    (text,) = set(send(newsroom).values())
    link = text.rpartition(" ")[2]
    assert len(link) == len(f"{BASE}/l/") + 8
    assert open_it(newsroom, link) == LONG
    open_it(newsroom, link, program=True)
    newsroom.later(hours=1)
    open_it(newsroom, link)

    rows = db.session.execute(select(ClickHour.people, ClickHour.programs).order_by(ClickHour.hour)).all()
    assert [tuple(row) for row in rows] == [(1, 1), (1, 0)]
    ((row, people, programs),) = record_clicks.clicks_of(
        db.session.scalars(select(ShortLink.broadcast_id)).one()
    )
    assert (row.url, people, programs) == (LONG, 2, 1)
    assert db.session.scalar(select(func.count()).select_from(PersonClick)) == 0


def test_parts_are_counted_with_the_short_link(newsroom: Newsroom, counts: Callable[[Clicks], None]) -> None:
    newsroom.join(1)
    text = f"{'x' * 100} {LONG}"
    draft = write_drafts.create_draft(
        title="x", text=text, list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )
    before = review_broadcasts.check(draft, now=newsroom.now)
    counts(Clicks.LINKS)
    after = review_broadcasts.check(draft, now=newsroom.now)

    assert (before.parts, after.parts) == (2, 1)
    assert after.shares[0].text == text


def test_a_draft_that_is_scheduled_again_keeps_the_codes_of_links_that_stayed(
    newsroom: Newsroom, counts: Callable[[Clicks], None]
) -> None:
    counts(Clicks.LINKS)
    newsroom.join(1)
    broadcast_id = newsroom.broadcast_waiting(f"{TEXT} https://example.org/a")
    first = {row.url: row.code for row in short_links.links_of(db.session(), broadcast_id)}
    schedule_broadcasts.back_to_draft(broadcast_id, by="ada", now=newsroom.now)
    write_drafts.save_draft(
        broadcast_id,
        title="x",
        text=f"{TEXT} https://example.org/b",
        list_ids=[newsroom.list_id],
        revision=1,
        by="ada",
        now=newsroom.now,
    )
    schedule_broadcasts.schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now)

    second = {row.url: row.code for row in short_links.links_of(db.session(), broadcast_id)}
    assert set(second) == {LONG, "https://example.org/b"}
    assert second[LONG] == first[LONG]


def test_one_list_that_counts_nothing_keeps_a_broadcast_to_several_from_counting(
    newsroom: Newsroom, counts: Callable[[Clicks], None]
) -> None:
    counts(Clicks.LINKS)
    other = newsroom.new_list("Sport", "SPORT")

    assert short_links.counting_of(db.session(), [newsroom.list_id]) is not None
    assert short_links.counting_of(db.session(), [newsroom.list_id, other]) is None
    assert short_links.counting_of(db.session(), []) is None


def test_after_it_is_switched_off_a_link_still_leads_on_and_nothing_is_counted(
    newsroom: Newsroom, counts: Callable[[Clicks], None]
) -> None:
    counts(Clicks.LINKS)
    newsroom.join(1)
    link = send(newsroom)[number(0)].rpartition(" ")[2]
    counts(Clicks.OFF)

    assert open_it(newsroom, link) == LONG
    assert db.session.scalar(select(func.count()).select_from(ClickHour)) == 0


def test_clicks_are_kept_with_people_only_where_the_notice_says_so(
    newsroom: Newsroom, counts: Callable[[Clicks], None]
) -> None:
    with pytest.raises(Refused, match="We note which links you open"):
        counts(Clicks.PEOPLE)


def test_only_who_agreed_to_such_a_notice_has_a_code_of_their_own(
    newsroom: Newsroom, counts: Callable[[Clicks], None]
) -> None:
    newsroom.join(1)
    say_so(newsroom)
    counts(Clicks.PEOPLE)
    newsroom.join(1, first=1)

    got = send(newsroom)
    plain, personal = (got[number(index)].rpartition(" ")[2] for index in (0, 1))
    assert personal.startswith(plain)
    assert len(personal) == len(plain) + 16
    for index in (0, 1):  # what a provider is asked for after an answer was lost
        ref = _broadcast(), _subscriber(index)
        text = short_links.text_for(db.session(), read(TEXT), PLAIN, *ref, newsroom.controller)
        assert text.render({}) == got[number(index)]
    for link in (plain, personal, personal):
        assert open_it(newsroom, link) == LONG
    open_it(newsroom, personal, program=True)

    row = db.session.scalars(select(PersonClick)).one()
    assert row.times == 2
    assert row.subscriber_id == _subscriber(1)


def _broadcast() -> int:
    return db.session.scalars(select(ShortLink.broadcast_id)).one()


def _subscriber(index: int) -> int:
    ids = db.session.scalars(select(Delivery.subscriber_id).order_by(Delivery.subscriber_id)).all()
    return ids[index]


def test_who_has_left_is_not_noted_any_more(newsroom: Newsroom, counts: Callable[[Clicks], None]) -> None:
    say_so(newsroom)
    counts(Clicks.PEOPLE)
    newsroom.join(1)
    link = send(newsroom)[number(0)].rpartition(" ")[2]
    newsroom.text("STOP", number(0))

    open_it(newsroom, link)

    assert db.session.scalar(select(func.count()).select_from(PersonClick)) == 0
    assert db.session.scalar(select(func.sum(ClickHour.people))) == 1


def test_a_persons_clicks_are_in_their_export_and_go_with_them_or_in_time(
    newsroom: Newsroom, counts: Callable[[Clicks], None]
) -> None:
    say_so(newsroom)
    counts(Clicks.PEOPLE)
    newsroom.join(1)
    open_it(newsroom, send(newsroom)[number(0)].rpartition(" ")[2])
    who = {"by": "ada", "controller": newsroom.controller, "now": newsroom.now}
    subscriber_id = _subscriber(0)

    pack = export_person.export(subscriber_id, language="en", periods=read_periods(""), **who)
    assert [(one["url"], one["times"]) for one in pack["clicks"]] == [(LONG, 1)]
    assert LONG in export_person.page(pack)
    assert OldClicks().count(db.session(), read_periods("clicks=1"), newsroom.now + timedelta(days=2)) == 1
    assert OldClicks().count(db.session(), read_periods(""), newsroom.now + timedelta(days=2)) == 0
    with transaction() as session:
        assert OldClicks().take(session, read_periods("clicks=1"), newsroom.now + timedelta(days=2)) == 1
        session.rollback()

    erase_subscriber.erase(subscriber_id, full=True, reason="asked", **who)
    assert db.session.scalar(select(func.count()).select_from(PersonClick)) == 0


def test_what_is_no_link_leads_nowhere(newsroom: Newsroom) -> None:
    for path in ("abcdefgh", "x", "https://evil.example", "abcdefgh" + "A" * 16):
        with pytest.raises(NotFound):
            record_clicks.find(path, controller=newsroom.controller)


def test_nobody_pays_for_codes_that_are_not_used(
    newsroom: Newsroom, counts: Callable[[Clicks], None]
) -> None:
    counts(Clicks.LINKS)
    newsroom.join(1)
    broadcast_id = newsroom.broadcast(TEXT)

    found = short_links.for_slice(db.session(), {"": read(TEXT)}, PLAIN, broadcast_id, 0, newsroom.controller)

    assert found.words[""].slots == ()
    assert found.codes == {}
