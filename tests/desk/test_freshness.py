"""Until when a broadcast is worth sending: chosen on “When”, told on the review and the progress page, kept."""

from datetime import timedelta

import pytest

from app.services.controller import Refused
from app.services.schedule_broadcasts import schedule
from app.services.write_drafts import create_draft
from app.storage.database import db
from app.storage.models import Broadcast
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON, Newsroom


def draft_in(newsroom: Newsroom) -> int:
    newsroom.join(2)
    return create_draft(
        title="Goal", text="1:0. STOP to leave.", list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )


def kept(house: House, broadcast_id: int) -> tuple[int, timedelta | None]:
    with house.inside():
        row = db.session.get_one(Broadcast, broadcast_id)
        return row.fresh_minutes, row.expires_at - row.next_at if row.expires_at and row.next_at else None


def test_what_is_chosen_goes_through_the_review_and_is_kept(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        draft = draft_in(newsroom)
    asked = editor.get(f"/broadcasts/{draft}/when")

    review = editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC&fresh=30")
    before = kept(house, draft)
    page = editor.submit(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC", "fresh": "30"})

    assert "Worth sending for" in words(asked)
    assert 'name="fresh" value="30"' in review.text
    assert "Worth sending until" in words(review)
    assert before == (120, None)
    assert "Worth sending until" in words(page)
    assert kept(house, draft) == (30, timedelta(minutes=30))


@pytest.mark.parametrize("chosen", ["", "7", "for ever"])
def test_nothing_and_nonsense_leave_the_two_hours(house: House, editor: Visitor, chosen: str) -> None:
    with house.inside() as newsroom:
        draft = draft_in(newsroom)
    editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC&fresh={chosen}")

    editor.submit(f"/broadcasts/{draft}/review", {"choice": "now", "zone": "UTC", "fresh": chosen})

    assert kept(house, draft) == (120, timedelta(hours=2))


@pytest.mark.parametrize("minutes", [0, 10_081])
def test_too_short_and_too_long_are_refused(house: House, minutes: int) -> None:
    with house.inside() as newsroom:
        draft = draft_in(newsroom)
        with pytest.raises(Refused, match="for 1 to 10080 minutes"):
            schedule(draft, at=None, zone="UTC", by="ada", now=NOON, fresh_minutes=minutes)
