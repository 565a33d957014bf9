"""A second person's yes: who may give it, what takes it away, and that nothing goes out without it."""

from datetime import timedelta

import pytest

from app.domain.segments import Among, Clause, Segment, Trait, written
from app.services import approval, board, fan_out, manage_segments, stories
from app.services.controller import Conflict, Refused
from app.services.fill_slots import fill_slots
from app.services.review_broadcasts import check
from app.services.schedule_broadcasts import schedule
from app.services.write_drafts import copy_broadcast, create_draft, save_draft
from app.storage.database import db
from app.storage.models import Broadcast, StoryRow
from tests.support.world import Newsroom

MISSING = "A second person must approve what goes to City. Ask for it on the review."


@pytest.fixture
def draft(newsroom: Newsroom) -> int:
    newsroom.join(2)
    approval.set_approval("City", True, by="admin", now=newsroom.now)
    return create_draft(title="Bridge", text="Open.", list_ids=[newsroom.list_id], by="ada", now=newsroom.now)


def row(broadcast_id: int) -> Broadcast:
    db.session.rollback()
    return db.session.get_one(Broadcast, broadcast_id)


def read(broadcast_id: int) -> str:
    return approval.mark_of(db.session(), row(broadcast_id))


def approve(newsroom: Newsroom, broadcast_id: int, by: str = "ben") -> None:
    mark = read(broadcast_id)
    db.session.rollback()
    approval.approve(broadcast_id, mark=mark, by=by, now=newsroom.now)


def save(newsroom: Newsroom, draft: int, text: str, by: str = "ada") -> None:
    save_draft(
        draft,
        title="Bridge",
        text=text,
        list_ids=[newsroom.list_id],
        revision=row(draft).revision,
        by=by,
        now=newsroom.now,
    )


def test_whoever_has_asked_is_not_told_to_ask(newsroom: Newsroom, draft: int) -> None:
    approval.ask(draft, by="ada", now=newsroom.now)

    problems = check(draft, now=newsroom.now).problems

    assert problems[0] == (
        "A second person must approve what goes to City. They were asked; it waits for their yes."
    )


def test_nothing_is_scheduled_before_a_second_person_said_yes(newsroom: Newsroom, draft: int) -> None:
    assert MISSING in check(draft, now=newsroom.now).problems
    with pytest.raises(Refused, match="A second person must approve"):
        schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
    with pytest.raises(Refused, match="a second person must give it"):
        approve(newsroom, draft, by="ada")

    approval.ask(draft, by="ada", now=newsroom.now)
    approve(newsroom, draft)
    schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    newsroom.send()

    assert len(newsroom.provider.copies) == 2
    assert row(draft).approved_by == "ben"


def test_any_change_takes_the_yes_away_and_saving_the_same_does_not(newsroom: Newsroom, draft: int) -> None:
    approve(newsroom, draft)
    save(newsroom, draft, "Open.")
    assert row(draft).approved_by == "ben"

    save(newsroom, draft, "Closed.", by="cleo")
    assert row(draft).approved_by is None
    approve(newsroom, draft)

    part = Segment((Clause(Among(Trait.LANGUAGE, ("en",))),))
    manage_segments.choose_rule(draft, part, by="ada", now=newsroom.now)
    assert row(draft).approved_by is None


def test_whoever_changed_it_last_is_its_writer(newsroom: Newsroom, draft: int) -> None:
    save(newsroom, draft, "Closed.", by="ben")

    with pytest.raises(Refused, match="a second person"):
        approve(newsroom, draft, by="ben")
    approve(newsroom, draft, by="ada")

    assert row(draft).approved_by == "ada"


def test_a_yes_to_words_that_were_changed_meanwhile_is_refused(newsroom: Newsroom, draft: int) -> None:
    mark = read(draft)
    save(newsroom, draft, "Closed.")

    with pytest.raises(Conflict):
        approval.approve(draft, mark=mark, by="ben", now=newsroom.now)


@pytest.fixture
def segment(newsroom: Newsroom, draft: int) -> int:
    saved = manage_segments.add(newsroom.list_id, "Readers", _speak("en"), by="ada", now=newsroom.now)
    manage_segments.choose_saved(draft, saved, by="ada", now=newsroom.now)
    return saved


def _speak(language: str) -> Segment:
    return Segment((Clause(Among(Trait.LANGUAGE, (language,))),))


def change_segment(newsroom: Newsroom, segment: int, name: str, language: str) -> None:
    row = manage_segments.segment(segment)
    revision = row.revision
    db.session.rollback()
    manage_segments.change(segment, name, _speak(language), revision=revision, by="cleo", now=newsroom.now)


def test_another_rule_of_its_segment_takes_the_yes_from_a_draft(
    newsroom: Newsroom, draft: int, segment: int
) -> None:
    mark = read(draft)
    approve(newsroom, draft)
    change_segment(newsroom, segment, "Readers of English", "en")
    assert row(draft).approved_by == "ben"

    change_segment(newsroom, segment, "Readers of German", "de")

    assert row(draft).approved_by is None
    with pytest.raises(Conflict, match="changed since you read it"):
        approval.approve(draft, mark=mark, by="ben", now=newsroom.now)


def test_the_segment_of_what_was_approved_and_scheduled_stays(
    newsroom: Newsroom, draft: int, segment: int
) -> None:
    approve(newsroom, draft)
    schedule(draft, at=newsroom.now + timedelta(hours=1), zone="UTC", by="ada", now=newsroom.now)

    with pytest.raises(Refused, match="“Bridge” is scheduled, and was approved"):
        change_segment(newsroom, segment, "Readers", "de")

    db.session.rollback()
    assert manage_segments.segment(segment).rule == written(_speak("en"))


def test_a_copy_needs_a_yes_of_its_own(newsroom: Newsroom, draft: int) -> None:
    approve(newsroom, draft)

    copy = copy_broadcast(draft, by="ada", now=newsroom.now)

    assert MISSING in check(copy, now=newsroom.now).problems


def test_a_list_that_does_not_ask_needs_nobody(newsroom: Newsroom, draft: int) -> None:
    approval.set_approval("City", False, by="admin", now=newsroom.now)

    assert check(draft, now=newsroom.now).problems == ()
    with pytest.raises(Refused, match="None of these lists"):
        approve(newsroom, draft)


def test_a_slot_takes_the_first_story_that_was_approved(newsroom: Newsroom, draft: int) -> None:
    at = newsroom.now.replace(hour=18, minute=0, second=0, microsecond=0)
    board.set_slots(newsroom.list_id, ["18:00"], by="admin", now=newsroom.now)
    first, second = (
        stories.add_story(newsroom.list_id, title=title, text=title, by="ada", now=newsroom.now)
        for title in ("First", "Second")
    )
    with pytest.raises(Refused, match="a second person"):
        approval.approve_story(second, revision=1, by="ada", now=newsroom.now)
    approval.approve_story(second, revision=1, by="ben", now=newsroom.now)
    shown = board.board_of(newsroom.list_id, now=newsroom.now).slots[0]
    assert shown.next is not None
    assert shown.next.id == second

    (filled,) = fill_slots(at + timedelta(seconds=1))

    assert (filled.story_id, filled.problem) == (second, None)
    db.session.rollback()
    assert db.session.get_one(StoryRow, first).state == "queued"


def test_a_change_takes_the_yes_from_a_story_too(newsroom: Newsroom, draft: int) -> None:
    story = stories.add_story(newsroom.list_id, title="First", text="One", by="ada", now=newsroom.now)
    approval.approve_story(story, revision=1, by="ben", now=newsroom.now)

    stories.change_story(story, title="First", text="Two", until=None, revision=1, by="ben", now=newsroom.now)

    db.session.rollback()
    assert db.session.get_one(StoryRow, story).approved_by is None
    with pytest.raises(Refused, match="a second person"):
        approval.approve_story(story, revision=2, by="ben", now=newsroom.now)


def test_its_writer_cannot_let_a_story_break_on_a_list_that_asks_for_a_second_person(
    newsroom: Newsroom, draft: int
) -> None:
    story = stories.add_story(newsroom.list_id, title="Flood", text="Flood", by="ada", now=newsroom.now)
    board.ask_to_break(story, "The dam broke", by="ben", now=newsroom.now)
    with pytest.raises(Refused, match="a second person must give it"):
        board.let_break(story, revision=1, by="ada", now=newsroom.now)

    approval.approve_story(story, revision=1, by="ben", now=newsroom.now)
    broadcast_id = board.let_break(story, revision=1, by="ada", now=newsroom.now)

    assert row(broadcast_id).approved_by == "ben"
