"""Change a list and close it: what people agreed to stays, what waits to go out is named."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.services import close_list, manage_lists, notices
from app.services.change_list import Changes, change_list
from app.services.controller import Conflict, NotFound, Refused
from app.services.list_notices import NOTICE_LANGUAGES
from app.services.repeat_broadcasts import end as end_rule
from app.services.schedule_broadcasts import schedule
from app.services.write_drafts import create_draft, save_draft
from app.storage.database import db, transaction
from app.storage.models import AuditEntry, Broadcast, BroadcastList, Notice, RepeatRule, Subscription
from tests.support.world import Newsroom, number

BY = "ada"


def change(newsroom: Newsroom, **changes: object) -> int:
    row = db.session.get_one(BroadcastList, newsroom.list_id)
    wanted = replace(Changes.none_of(row), **changes)  # type: ignore[arg-type]
    db.session.rollback()
    return change_list(newsroom.list_id, wanted, by=BY, controller=newsroom.controller, now=newsroom.now)


def the_list(newsroom: Newsroom) -> BroadcastList:
    db.session.rollback()
    return db.session.get_one(BroadcastList, newsroom.list_id)


def newest(newsroom: Newsroom, language: str = "en") -> Notice:
    return notices.versions(newsroom.list_id, language)[0]


def test_a_stricter_promise_and_another_name_are_kept_and_said_in_new_notices(newsroom: Newsroom) -> None:
    newsroom.join(2)

    assert change(newsroom, name="City daily", max_per_day=1, from_hour=9, until_hour=18) == 2

    row = the_list(newsroom)
    assert (row.name, row.max_per_day, row.from_hour, row.until_hour) == ("City daily", 1, 9, 18)
    assert "City daily" in newest(newsroom).text
    details = db.session.scalars(select(AuditEntry.details).where(AuditEntry.action == "list.change")).one()
    assert details["name"] == ["City", "City daily"]


def test_new_drafts_take_the_freshness_of_their_list_and_the_shortest_of_several(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    before = create_draft(title="A", text="Open.", list_ids=[newsroom.list_id], by=BY, now=newsroom.now)

    assert change(newsroom, fresh_minutes=480) == 0  # no promise to people: no new notice

    def fresh(*list_ids: int) -> int:
        draft = create_draft(title="A", text="Open.", list_ids=list_ids, by=BY, now=newsroom.now)
        return db.session.get_one(Broadcast, draft).fresh_minutes

    assert [fresh(newsroom.list_id), fresh(newsroom.list_id, sport), fresh()] == [480, 120, 120]
    assert db.session.get_one(Broadcast, before).fresh_minutes == 120
    details = db.session.scalars(select(AuditEntry.details).where(AuditEntry.action == "list.change")).one()
    assert details["fresh_minutes"] == [120, 480]
    with pytest.raises(Refused, match="worth sending for 1 to 10080 minutes"):
        change(newsroom, fresh_minutes=0)


def test_another_choice_of_lists_changes_the_freshness_unless_its_author_chose_one(
    newsroom: Newsroom,
) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    change(newsroom, fresh_minutes=30)
    words = {"title": "A", "text": "Open.", "by": BY, "now": newsroom.now}
    plain = create_draft(list_ids=[sport], **words)
    chosen = create_draft(list_ids=[sport], **words)
    with transaction() as session:
        session.get_one(Broadcast, chosen).fresh_minutes = 1440

    for draft in (plain, chosen):
        revision = db.session.get_one(Broadcast, draft).revision
        db.session.rollback()
        save_draft(draft, list_ids=[newsroom.list_id], revision=revision, **words)

    assert [db.session.get_one(Broadcast, one).fresh_minutes for one in (plain, chosen)] == [30, 1440]


@pytest.mark.parametrize(
    "wider",
    [{"max_per_day": 50}, {"from_hour": 0}, {"until_hour": 24}, {"zone": "Europe/Berlin"}],
    ids=str,
)
def test_a_wider_promise_waits_until_nobody_is_on_the_list(
    newsroom: Newsroom, wider: dict[str, object]
) -> None:
    change(newsroom, from_hour=7, until_hour=21, max_per_day=2)
    (person,) = newsroom.join(1)

    with pytest.raises(Refused, match=r"1 people agreed to at most 2 a day between 7 and 21 h"):
        change(newsroom, **wider)
    newsroom.text("STOP", person)
    change(newsroom, **wider)

    assert {name: getattr(the_list(newsroom), name) for name in wider} == wider


def test_words_that_somebody_wrote_keep_their_wording_when_the_promise_changes(newsroom: Newsroom) -> None:
    old = newest(newsroom)
    facts = notices.look_at(
        newsroom.list_id, "en", old.text, the_list(newsroom).purpose, controller=newsroom.controller
    ).facts
    words = f"Hello from the bridge! {old.text}".replace(facts.frequency, facts.frequency.upper())
    notices.write(
        newsroom.list_id,
        "en",
        text=words,
        purpose=the_list(newsroom).purpose,
        after_version=old.version,
        confirmed=True,
        by=BY,
        controller=newsroom.controller,
        now=newsroom.now,
    )

    change(newsroom, max_per_day=1, name="Harbour")

    made = newest(newsroom)
    assert made.text.startswith("Hello from the bridge!")
    assert made.written_by == BY
    seen = notices.look_at(
        newsroom.list_id, "en", made.text, the_list(newsroom).purpose, controller=newsroom.controller
    )
    assert seen.errors == ()
    assert len(notices.versions(newsroom.list_id, "en")) == 3


def test_what_cannot_be_changed_is_refused(newsroom: Newsroom) -> None:
    newsroom.new_list("Sport", "SPORT")

    with pytest.raises(Conflict, match="There is a list “Sport” already"):
        change(newsroom, name="sport")
    with pytest.raises(Refused, match="START must join a list"):
        change(newsroom, is_default=False)
    with pytest.raises(Refused, match="no time of day"):
        change(newsroom, from_hour=12, until_hour=12)
    with pytest.raises(NotFound, match="no list number 99"):
        row = Changes.none_of(the_list(newsroom))
        change_list(99, row, by=BY, controller=newsroom.controller, now=newsroom.now)
    manage_lists.archive("City", by=BY, now=newsroom.now)
    with pytest.raises(Refused, match="“City” is closed"):
        change(newsroom, name="Other")


def test_another_list_becomes_the_one_that_start_joins(newsroom: Newsroom) -> None:
    other = newsroom.new_list("Sport", "SPORT")
    wanted = replace(Changes.none_of(db.session.get_one(BroadcastList, other)), is_default=True)
    db.session.rollback()

    change_list(other, wanted, by=BY, controller=newsroom.controller, now=newsroom.now)

    assert not the_list(newsroom).is_default
    assert db.session.get_one(BroadcastList, other).is_default
    assert len(NOTICE_LANGUAGES) == 2


def test_a_list_is_not_closed_while_a_broadcast_waits_for_its_time(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = create_draft(
        title="Bridge", text="x", list_ids=[newsroom.list_id], by=BY, now=newsroom.now
    )
    at = newsroom.now + timedelta(hours=1)
    schedule(broadcast_id, at=at, zone="UTC", by=BY, now=newsroom.now)

    with pytest.raises(Refused, match="“Bridge” goes to this list and is not out yet"):
        close(newsroom)

    assert the_list(newsroom).archived_at is None
    assert on_it(newsroom) == 1


def test_a_list_is_not_closed_while_a_rule_makes_broadcasts_for_it(newsroom: Newsroom) -> None:
    broadcast_id = create_draft(title="Daily", text="x", list_ids=[newsroom.list_id], by=BY, now=newsroom.now)
    with transaction() as session:
        session.add(
            RepeatRule(
                template_id=broadcast_id,
                dtstart="20260302T080000",
                rrule="FREQ=DAILY",
                zone="UTC",
                state="active",
                created_by=BY,
                created_at=newsroom.now,
            )
        )
    with pytest.raises(Refused, match="“Daily” repeats and goes to this list"):
        close(newsroom)
    rule_id = db.session.scalars(select(RepeatRule.id)).one()
    db.session.rollback()
    end_rule(rule_id, by=BY, now=newsroom.now)
    close(newsroom)
    assert the_list(newsroom).archived_at == newsroom.now


def test_closing_at_the_desk_goes_on_by_the_clock_until_nobody_is_left(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom.join(5)
    monkeypatch.setattr(close_list, "AT_ONCE", 2)

    began = close_list.begin_closing(
        newsroom.list_id, by=BY, controller=newsroom.controller, now=newsroom.now
    )
    assert (began, on_it(newsroom), the_list(newsroom).closing_by) == (2, 3, BY)
    newsroom.text("START", number(77))
    assert on_it(newsroom) == 3  # nobody joins any more

    ended = close_list.go_on(
        controller=newsroom.controller,
        until=newsroom.now + timedelta(seconds=1),
        clock=lambda: newsroom.now,
    )
    assert (ended, on_it(newsroom), the_list(newsroom).closing_by) == (3, 0, None)
    assert again(newsroom, newsroom.now) == 0


def test_the_clock_ends_no_consent_after_its_time_is_up(newsroom: Newsroom) -> None:
    newsroom.join(2)
    with transaction() as session:
        session.execute(update(BroadcastList).values(closing_by=BY, archived_at=newsroom.now))

    assert again(newsroom, newsroom.now + timedelta(seconds=2)) == 0
    assert on_it(newsroom) == 2


def again(newsroom: Newsroom, at: datetime) -> int:
    until = newsroom.now + timedelta(seconds=1)
    return close_list.go_on(controller=newsroom.controller, until=until, clock=lambda: at)


def close(newsroom: Newsroom) -> int:
    return close_list.close_list("City", by=BY, controller=newsroom.controller, now=newsroom.now)


def on_it(newsroom: Newsroom) -> int:
    db.session.rollback()
    there = (Subscription.list_id == newsroom.list_id, Subscription.state == "active")
    return db.session.scalar(select(func.count()).where(*there)) or 0
