"""How often a list went over its promise, and which reasons its readers are told."""

from datetime import timedelta

from app.services import board, fan_out, stories
from app.services.over_promise import OverPromise, over_promise
from app.services.schedule_broadcasts import schedule
from app.services.write_drafts import create_draft
from app.storage.database import transaction
from app.storage.models import BroadcastList
from tests.support.world import Newsroom


def promise_one_a_day(newsroom: Newsroom) -> None:
    newsroom.join(1)
    with transaction() as session:
        session.get_one(BroadcastList, newsroom.list_id).max_per_day = 1


def breaking(newsroom: Newsroom, reason: str) -> None:
    given = {"by": "ada", "now": newsroom.now}
    story = stories.add_story(newsroom.list_id, title="Flood", text="Flood.", **given)
    board.ask_to_break(story, reason, **given)
    board.let_break(story, revision=1, by="grace", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)


def by_review(newsroom: Newsroom, reason: str = "") -> None:
    draft = create_draft(title="News", text="News.", list_ids=[newsroom.list_id], by="ada", now=newsroom.now)
    schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now, over_cap_reason=reason)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)


def kept(newsroom: Newsroom) -> OverPromise | None:
    return over_promise(newsroom.list_id, now=newsroom.now)


def test_only_what_was_one_more_than_promised_counts_and_only_breaking_reasons_are_told(
    newsroom: Newsroom,
) -> None:
    promise_one_a_day(newsroom)
    breaking(newsroom, "The first of this day")
    assert kept(newsroom) == OverPromise(0, ())

    newsroom.later(hours=1)
    by_review(newsroom, "For the desk alone")
    newsroom.later(hours=1)
    breaking(newsroom, "The dam broke")

    assert kept(newsroom) == OverPromise(2, ((newsroom.now.date(), "The dam broke"),))


def test_a_year_later_it_is_forgotten(newsroom: Newsroom) -> None:
    promise_one_a_day(newsroom)
    by_review(newsroom)
    breaking(newsroom, "The dam broke")
    newsroom.now += timedelta(days=364)
    assert kept(newsroom) is not None
    assert kept(newsroom).times == 1  # type: ignore[union-attr]
    newsroom.now += timedelta(days=2)
    assert kept(newsroom) == OverPromise(0, ())
