"""Correcting what was wrong: from the page of a broadcast to the report of who got the correction."""

import pytest

from app.clock import utcnow
from app.services import fan_out, review_broadcasts, schedule_broadcasts, write_drafts
from app.storage.database import db, transaction
from app.storage.models import Broadcast
from app.storage.variants import put_variant, variants_of
from tests.desk.conftest import House, Visitor, words
from tests.support.world import number


@pytest.fixture
def wrong(house: House) -> int:
    """A broadcast that three people got, one of whom has said STOP since."""
    with house.inside() as newsroom:
        newsroom.join(3)
        sent = newsroom.broadcast("The bridge is open. STOP to leave.")
        newsroom.send()
        newsroom.text("STOP", number(2))
    return sent


def begin(editor: Visitor, wrong: int, act: str = "correct") -> int:
    editor.get(f"/broadcasts/{wrong}/correct")
    answer = editor.post(f"/broadcasts/{wrong}/correct", {"act": act})
    return int(answer.location.split("/")[2])


def text_of(house: House, broadcast_id: int) -> str:
    with house.inside():
        return db.session.get_one(Broadcast, broadcast_id).text


def test_a_correction_begins_with_the_old_words_and_names_its_people(
    house: House, editor: Visitor, wrong: int
) -> None:
    assert f'href="/broadcasts/{wrong}/correct"' in editor.get(f"/broadcasts/{wrong}").text
    asked = words(editor.get(f"/broadcasts/{wrong}/correct"))

    draft = begin(editor, wrong)

    assert "3 people got it, or may have got it." in asked
    assert text_of(house, draft) == "Correction: The bridge is open. STOP to leave."
    page = editor.get(f"/broadcasts/{draft}/edit")
    assert "It goes to those who got this message, and to nobody else: Bridge" in words(page)
    assert "2 people reachable now" in words(page)
    assert 'name="list_ids"' not in page.text
    measured = editor.post("/broadcasts/measure", {"text": "Closed.", "corrects": wrong, "title": "x"})
    assert "2 people reachable now" in words(measured)


def test_a_correction_begins_with_the_words_of_each_language(
    house: House, editor: Visitor, wrong: int
) -> None:
    with house.inside(), transaction() as session:
        put_variant(session, wrong, "/de", "Die Brücke ist offen.")
        put_variant(session, wrong, "/fr", "Le pont est ouvert.")

    corrected, back = begin(editor, wrong), begin(editor, wrong, "retract")

    with house.inside():
        assert variants_of(db.session(), corrected) == {"/de": "Richtigstellung: Die Brücke ist offen."}
        (taken,) = variants_of(db.session(), back).values()
    assert taken.startswith("Unsere Nachricht vom ")


def test_taking_it_back_says_so_with_the_time_of_the_message(
    house: House, editor: Visitor, wrong: int
) -> None:
    text = text_of(house, begin(editor, wrong, "retract"))

    assert text.startswith("Our message of Mon 2 Mar, 12:00 UTC was wrong, and we take it back.")


def test_the_review_counts_those_who_got_the_first_one(editor: Visitor, wrong: int) -> None:
    draft = begin(editor, wrong)

    review = words(editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC"))

    assert "It goes to 2 people who got the first message: Bridge" in review
    assert "Got the first message 3" in review
    assert "left out: said STOP −1" in review
    assert "Reason for going over" not in review


def test_both_pages_tell_who_got_the_correction(house: House, editor: Visitor, wrong: int) -> None:
    draft = begin(editor, wrong)
    with house.inside() as newsroom:
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
        fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
        newsroom.send()

    reach = "Got the first message 3 Correction delivered 0 Correction sent, no receipt yet 2 Failed 0"
    for path in (f"/broadcasts/{wrong}", f"/broadcasts/{wrong}/report", f"/broadcasts/{draft}/report"):
        assert f"{reach} left out: said STOP 1" in words(editor.get(path)), path
    assert "It corrects Bridge" in words(editor.get(f"/broadcasts/{draft}"))
    again = editor.submit(f"/broadcasts/{wrong}/retry")
    assert "This broadcast was corrected, so nothing more of it goes out." in words(again)


def test_what_is_still_being_sent_is_held_first(house: House, editor: Visitor, wrong: int) -> None:
    draft = begin(editor, wrong)
    with house.inside() as newsroom:
        newsroom.join(1, first=7)
        other = newsroom.broadcast("Another one. STOP to leave.")
        db.session.get_one(Broadcast, wrong).state = "sending"
        db.session.commit()

    review = editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")
    asked = editor.get(f"/broadcasts/{wrong}/correct")
    held = editor.submit(f"/broadcasts/{wrong}/correct/pause")

    assert "is still being sent. Pause it or stop it first." in words(review)
    assert "It is still being sent" in words(asked)
    assert "It is paused." in words(held)
    assert "A correction is being written." in words(editor.get(f"/broadcasts/{wrong}"))
    assert "there is nobody to correct it for" in words(editor.get(f"/broadcasts/{other}/correct"))


def test_the_same_text_of_late_is_found(house: House, wrong: int) -> None:
    with house.inside() as newsroom:
        newsroom.later(hours=47)
        lists, now = [newsroom.list_id], newsroom.now
        same, other = (
            write_drafts.create_draft(title="New", text=text, list_ids=lists, by="ada", now=now)
            for text in ("the  BRIDGE is open! Stop to leave", "The bridge is shut. STOP to leave.")
        )
        seen = review_broadcasts.check(same, now=now).sent_before
        later = review_broadcasts.check(same, now=now.replace(day=now.day + 1)).sent_before
        unlike = review_broadcasts.check(other, now=now).sent_before

    assert [(one.broadcast_id, one.lists) for one in seen] == [(wrong, ("City",))]
    assert (later, unlike) == ((), ())


def test_the_review_warns_of_the_same_text(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        newsroom.join(1)
        newsroom.broadcast("Fire drill at ten. STOP to leave.")
        draft = write_drafts.create_draft(
            title="New",
            text="Fire drill at ten. STOP to leave.",
            list_ids=[newsroom.list_id],
            by="ada",
            now=newsroom.now,
        )

    review = words(editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC"))

    assert "The same text went out a short time ago To City, on" in review
