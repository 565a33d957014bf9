"""The page of rehearsals: asked for with a press, read when it is over; a worker does it."""

import re
from html import unescape

from app.domain.rehearsal import Faults, Report
from app.runtime import runtime
from app.services import rehearsals
from app.services.write_drafts import create_draft
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON

REPORT = Report(
    audience=12_000, people=5000, doubles=0, losses=0, sent=4950, unknown=40, unknown_arrived=22, waiting=0,
    tries=5400, took=31.0, would_take=1204.0, finished=True, skipped={"stopped": 10}, refused={"20429": 300},
)  # fmt: skip


def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(1)
        return create_draft(
            title="Bridge", text="The bridge is open.", list_ids=[newsroom.list_id], by="ada", now=NOON
        )


def test_a_rehearsal_is_asked_for_and_a_worker_is_woken(house: House, editor: Visitor) -> None:
    path = f"/broadcasts/{draft(house)}/rehearsal"
    assert "Rehearse now" in words(editor.get(path))
    page = editor.submit(path, {"errors": "5", "slow": ""})
    assert "It is being played" in words(page)
    assert "Rehearse now" not in words(page)
    assert "data-poll" in page.text
    with house.inside():
        assert runtime().redis.llen("rq:queue:lane") == 1
    assert "A rehearsal is going on." in words(editor.post(path))


def test_its_report_says_who_got_two_who_got_none_and_how_long_it_takes(
    house: House, editor: Visitor
) -> None:
    broadcast_id = draft(house)
    with house.inside():
        rehearsal_id = rehearsals.ask(broadcast_id, Faults(), by="Ed Berg (#2)", now=NOON)
        assert rehearsals.take(rehearsal_id) == (broadcast_id, Faults())
        assert rehearsals.take(rehearsal_id) is None
        rehearsals.end(rehearsal_id, REPORT, "", NOON)
    page = words(editor.get(f"/broadcasts/{broadcast_id}/rehearsal"))
    assert "Nobody twice, nobody lost. 5,000 of 12,000 people were played" in page
    assert "Twice 0 Lost 0 Sent 4,950 Unknown 40" in page
    assert "22 of them arrived all the same, so none was sent again." in page
    assert "about 20 minutes" in page


def test_a_rehearsal_that_broke_off_says_why(house: House, editor: Visitor) -> None:
    broadcast_id = draft(house)
    with house.inside():
        rehearsal_id = rehearsals.ask(broadcast_id, Faults(), by="Ed Berg (#2)", now=NOON)
        rehearsals.end(rehearsal_id, None, "The rehearsal broke off: no disk", NOON)
    page = editor.get(f"/broadcasts/{broadcast_id}/rehearsal")
    assert "The rehearsal broke off: no disk" in words(page)
    assert "Rehearse now" in words(page)


def test_faults_beyond_reason_are_refused(house: House, editor: Visitor) -> None:
    path = f"/broadcasts/{draft(house)}/rehearsal"
    editor.get(path)
    answer = editor.post(path, {"errors": "90"})
    assert answer.status_code == 422
    assert "at most 50 per cent together" in words(answer)


def test_the_review_leads_to_it_and_back_to_the_moment_that_was_chosen(house: House, editor: Visitor) -> None:
    broadcast_id = draft(house)
    chosen = "choice=at&day=2099-03-05&hour=10:00&zone=UTC"
    review = editor.get(f"/broadcasts/{broadcast_id}/review?{chosen}")
    (there,) = re.findall(r'href="([^"]*/rehearsal[^"]*)"', review.text)

    page = editor.get(unescape(there))
    (back,) = re.findall(r'class="back"><a href="([^"]*)"', page.text)

    assert "Back to the review" in words(page)
    assert "5 March 2099, 10:00 UTC" in words(editor.get(unescape(back)))
