"""What an editor may do to a broadcast, and what is refused with which words."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.domain.statuses import BroadcastState
from app.services import fan_out, review_broadcasts, schedule_broadcasts, stop_broadcasts, write_drafts
from app.services.controller import Conflict, NotFound, Refused
from app.storage.database import db, transaction
from app.storage.models import AuditEntry, Broadcast, BroadcastList, Sender, Subscriber
from tests.support.world import Newsroom, number


def draft(newsroom: Newsroom, text: str = "The bridge is open again.") -> int:
    return write_drafts.create_draft(
        title="Bridge", text=text, list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )


def schedule(newsroom: Newsroom, broadcast_id: int, **hours: float) -> None:
    at = newsroom.now + timedelta(**hours) if hours else None
    schedule_broadcasts.schedule(broadcast_id, at=at, zone="Europe/Berlin", by="ada", now=newsroom.now)


def get(broadcast_id: int) -> Broadcast:
    db.session.rollback()
    return db.session.get_one(Broadcast, broadcast_id)


def test_the_row_is_the_schedule(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = draft(newsroom)

    schedule(newsroom, broadcast_id, hours=5)

    row = get(broadcast_id)
    assert (row.state, row.zone) == (BroadcastState.SCHEDULED, "Europe/Berlin")
    assert row.next_at == newsroom.now + timedelta(hours=5)


def test_a_scheduled_broadcast_is_not_opened_before_its_time(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = draft(newsroom)
    schedule(newsroom, broadcast_id, hours=5)

    newsroom.later(hours=4.9)

    assert fan_out.open_due(controller=newsroom.controller, now=newsroom.now) == []


def test_two_editors_cannot_save_over_each_other(newsroom: Newsroom) -> None:
    broadcast_id = draft(newsroom)
    save = {
        "title": "Bridge",
        "text": "One",
        "list_ids": [newsroom.list_id],
        "by": "ada",
        "now": newsroom.now,
    }

    assert write_drafts.save_draft(broadcast_id, revision=1, **save) == 2
    with pytest.raises(Conflict, match="Somebody else saved"):
        write_drafts.save_draft(broadcast_id, revision=1, **save | {"text": "Two"})

    assert get(broadcast_id).text == "One"


def test_what_is_scheduled_must_be_taken_back_before_it_is_changed(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = draft(newsroom)
    schedule(newsroom, broadcast_id, hours=1)
    save = {"title": "x", "text": "x", "list_ids": [], "revision": 1, "by": "ada", "now": newsroom.now}

    with pytest.raises(Refused, match="take it back to draft"):
        write_drafts.save_draft(broadcast_id, **save)
    schedule_broadcasts.back_to_draft(broadcast_id, by="ada", now=newsroom.now)

    assert write_drafts.save_draft(broadcast_id, **save) == 2
    assert get(broadcast_id).next_at is None


@pytest.mark.parametrize(
    ("title", "text", "words"),
    [
        (" ", "x", "title"),
        ("x" * 121, "x", "121 characters"),
        ("x", "x" * 1601, "1601 characters"),
        ("x", "Dear {{frist_name|reader}}", "first_name"),
        ("x", "Dear {{first_name}}", "fall-back|{{first_name"),
    ],
)
def test_words_that_cannot_be_sent_are_refused_when_they_are_saved(
    newsroom: Newsroom, title: str, text: str, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        write_drafts.create_draft(title=title, text=text, list_ids=[], by="ada", now=newsroom.now)


def test_an_unknown_list_is_named(newsroom: Newsroom) -> None:
    with pytest.raises(NotFound, match="99"):
        write_drafts.create_draft(title="x", text="x", list_ids=[99], by="ada", now=newsroom.now)


def test_an_empty_text_stands_against_scheduling(newsroom: Newsroom) -> None:
    newsroom.join(1)

    with pytest.raises(Refused, match="text is empty"):
        schedule(newsroom, draft(newsroom, " "))


def test_a_paused_sender_stands_against_scheduling(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = draft(newsroom)
    with transaction() as session:
        session.execute(update(Sender).values(paused_at=newsroom.now, paused_reason="token refused"))

    with pytest.raises(Refused, match="token refused"):
        schedule(newsroom, broadcast_id)


def test_a_time_in_the_past_is_refused(newsroom: Newsroom) -> None:
    newsroom.join(1)

    with pytest.raises(Refused, match="in the past"):
        schedule(newsroom, draft(newsroom), hours=-1)


def test_a_time_outside_the_promised_hours_is_refused_with_the_nearest_one(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = draft(newsroom)
    with transaction() as session:
        session.execute(update(BroadcastList).values(from_hour=7, until_hour=21, zone="Europe/Berlin"))

    with pytest.raises(Refused, match=r"next allowed time is Tue 03 Mar 07:00 \(Europe/Berlin\)"):
        schedule(newsroom, broadcast_id, hours=12)


def test_the_dry_run_counts_each_reason(newsroom: Newsroom) -> None:
    newsroom.join(5)
    with transaction() as session:
        session.execute(
            update(Subscriber).where(Subscriber.address == number(1)).values(blocked_at=newsroom.now)
        )
        session.execute(
            update(Subscriber).where(Subscriber.address == number(2)).values(bounced_at=newsroom.now)
        )
        session.execute(
            update(Subscriber).where(Subscriber.address == number(3)).values(suppressed_at=newsroom.now)
        )

    review = review_broadcasts.check(draft(newsroom, "x" * 200), now=newsroom.now)

    assert (review.audience, review.reachable) == (5, 2)
    assert review.skipped == {"blocked": 1, "bounced": 1, "suppressed": 1}
    assert (review.parts, review.total_parts, review.seconds) == (2, 4, 4 / 1000)


def test_a_copy_is_a_new_draft_with_the_same_words_and_lists(newsroom: Newsroom) -> None:
    newsroom.join(1)
    original = newsroom.broadcast("Again and again.")

    copy = write_drafts.copy_broadcast(original, by="ada", now=newsroom.now)

    assert copy != original
    assert (get(copy).state, get(copy).text) == (BroadcastState.DRAFT, "Again and again.")
    assert review_broadcasts.check(copy, now=newsroom.now).reachable == 1


def test_every_act_is_in_the_audit_log_with_its_author(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    stop_broadcasts.pause(broadcast_id, by="grace", reason="a wrong figure", now=newsroom.now)

    entries = db.session.execute(
        select(AuditEntry.actor, AuditEntry.action).where(AuditEntry.subject == f"broadcast {broadcast_id}")
    )
    assert [tuple(row) for row in entries] == [
        ("ada", "broadcast.create"),
        ("ada", "broadcast.schedule"),
        ("grace", "broadcast.pause"),
    ]


@pytest.mark.parametrize("act", [stop_broadcasts.resume, schedule_broadcasts.back_to_draft])
def test_an_act_that_does_not_fit_the_state_is_refused_in_words(newsroom: Newsroom, act) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()

    with pytest.raises(Refused, match="This broadcast is sending"):
        act(broadcast_id, by="ada", now=newsroom.now)


def test_a_broadcast_that_does_not_exist_is_not_found(newsroom: Newsroom) -> None:
    with pytest.raises(NotFound):
        stop_broadcasts.cancel(999, by="ada", now=newsroom.now)


def test_the_standing_replies_broadcast_is_none_that_an_editor_can_touch(newsroom: Newsroom) -> None:
    newsroom.text("HELP")
    replies_id = db.session.scalars(
        select(Broadcast.id).where(Broadcast.state == BroadcastState.REPLIES)
    ).one()

    with pytest.raises(NotFound):
        stop_broadcasts.cancel(replies_id, by="ada", now=newsroom.now)
