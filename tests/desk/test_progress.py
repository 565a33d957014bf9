"""Watching a broadcast, holding and stopping it, and the report afterwards."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.desk.broadcasts import row_seconds
from app.desk.progress import poll_seconds, segments
from app.desk.words import tally_words
from app.domain.addresses import spaced
from app.domain.policy.brakes import Brakes, Sample, pulled
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.gateways.base import Reply
from app.services import fan_out, schedule_broadcasts, write_drafts
from app.services.figures.pace import sample
from app.services.figures.roll_up import roll_up
from app.services.reports import Tally
from app.services.watch_broadcasts import watch
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Delivery, Subscriber
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON, FakeProvider, number


def refuses_some(to: str, body: str) -> Reply:
    if to == number(0):
        return Reply(400, b'{"code": 21211, "message": "invalid number"}')
    return Reply(201, b'{"sid": "SM%032x"}' % abs(hash(to)))


@pytest.fixture
def running(house: House) -> int:
    """A broadcast to four people that is open, with nothing handed over yet."""
    with house.inside() as newsroom:
        newsroom.join(4)
        return newsroom.broadcast()


@pytest.fixture
def done(house: House, running: int) -> int:
    """The same, handed over: one number was refused."""
    with house.inside() as newsroom:
        newsroom.send(FakeProvider(refuses_some))
    return running


def tally(**counts: int) -> Tally:
    names = ("pending", "handing_over", "sent", "delivered", "failed", "unknown", "skipped")
    given = {name: counts.get(name, 0) for name in names}
    return Tally(audience=sum(given.values()), **given)


def state(house: House, broadcast_id: int) -> str:
    with house.inside():
        return db.session.get_one(Broadcast, broadcast_id).state


def test_a_broadcast_that_moves_asks_again_each_second(editor: Visitor, running: int) -> None:
    page = editor.get(f"/broadcasts/{running}")

    assert 'hx-trigger="every 1s"' in page.text
    assert "0 of 4 handed over" in words(page)


def test_costly_answers_are_asked_for_less_often() -> None:
    sending = Broadcast(state=BroadcastState.SENDING)

    assert [poll_seconds(sending, tally(), cost, NOON) for cost in (0.001, 0.2, 5.0)] == [1, 4, 15]


def test_asking_ends_when_all_receipts_are_in_or_an_hour_has_gone_by() -> None:
    finished = Broadcast(state=BroadcastState.FINISHED, finished_at=NOON)

    assert poll_seconds(finished, tally(sent=1), 0.0, NOON) == 5
    assert poll_seconds(finished, tally(delivered=1), 0.0, NOON) is None
    assert poll_seconds(finished, tally(sent=1), 0.0, NOON + timedelta(hours=2)) is None


def test_the_bar_is_as_wide_as_the_audience() -> None:
    found = segments(tally(delivered=1, sent=1, failed=1, pending=1, handing_over=2))

    assert round(sum(one.width for one in found), 1) == 1000
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert found[-1].count == 3


def test_a_bar_of_nobody_is_empty() -> None:
    assert {one.width for one in segments(tally())} == {0}


def test_pausing_and_resuming(house: House, editor: Visitor, running: int) -> None:
    editor.get(f"/broadcasts/{running}")

    paused = editor.submit(f"/broadcasts/{running}/pause")
    held = state(house, running)
    resumed = editor.submit(f"/broadcasts/{running}/resume")

    assert "Paused by Editor Berg" in words(paused)
    assert held == "paused"
    assert 'hx-trigger="every 5s"' in paused.text
    assert "Sending since" in words(resumed)
    assert state(house, running) == "sending"


def test_stopping_says_first_what_it_means_and_cannot_be_undone(
    house: House, editor: Visitor, running: int
) -> None:
    question = editor.get(f"/broadcasts/{running}/stop")

    page = editor.submit(f"/broadcasts/{running}/stop")

    assert "4 people who are still waiting will not get it." in words(question)
    assert "Stopped for good by Editor Berg" in words(page)
    assert state(house, running) == "canceled"


def test_what_cannot_be_done_is_said_and_changes_nothing(house: House, editor: Visitor, done: int) -> None:
    editor.get(f"/broadcasts/{done}")

    page = editor.submit(f"/broadcasts/{done}/pause")

    assert "it cannot become paused" in words(page)
    assert state(house, done) == "finished"


def test_only_tenths_and_states_are_read_aloud(editor: Visitor, done: int) -> None:
    page = editor.get(f"/broadcasts/{done}").text

    assert re.findall(r'role="status">([^<]*)<', page) == ["Finished, 100 per cent"]


def test_the_report_adds_up_and_says_why_in_words(editor: Visitor, done: int) -> None:
    page = words(editor.get(f"/broadcasts/{done}/report"))

    assert "Audience 4" in page
    assert "Failed 1" in page
    assert "not a valid phone number (21211) 1" in page
    assert "Receipts are still arriving: 3 of 4 open." in page


def test_the_share_of_the_report_is_rounded_as_in_the_sheets(
    house: House, editor: Visitor, done: int
) -> None:
    with house.inside(), transaction() as session:
        ids = select(Delivery.subscriber_id).where(
            Delivery.broadcast_id == done, Delivery.status == DeliveryStatus.SENT
        )
        two = update(Delivery).where(
            Delivery.broadcast_id == done, Delivery.subscriber_id.in_(session.scalars(ids.limit(2)).all())
        )
        session.execute(two.values(status=DeliveryStatus.DELIVERED.value))
        one_more = update(Delivery).where(
            Delivery.broadcast_id == done, Delivery.subscriber_id.in_(session.scalars(ids).all())
        )
        session.execute(one_more.values(status=DeliveryStatus.SKIPPED.value, reason="stopped"))

    assert "66.7 % delivered" in words(editor.get(f"/broadcasts/{done}/report"))


def test_a_line_on_where_messages_stand_names_what_there_is() -> None:
    none = dict.fromkeys(("pending", "handing_over", "sent", "failed", "unknown", "skipped"), 0)

    assert tally_words(Tally(audience=9, delivered=9, **none)) == "9 delivered"
    some = none | {"pending": 1, "handing_over": 2, "failed": 1_000}
    assert tally_words(Tally(audience=1_003, delivered=0, **some)) == "0 delivered, 3 waiting, 1,000 failed"


def test_the_rows_of_the_report_can_be_narrowed_to_one_status(editor: Visitor, done: int) -> None:
    page = editor.get(f"/broadcasts/{done}/report?status=failed")

    assert page.text.count('data-label="Person"') == 1


def test_editors_see_masked_numbers_and_admins_whole_ones(editor: Visitor, admin: Visitor, done: int) -> None:
    masked = editor.get(f"/broadcasts/{done}/report").text
    whole = admin.get(f"/broadcasts/{done}/report").text

    assert number(0) not in masked
    assert spaced(number(0)) not in masked
    assert "+1***100" in masked
    assert spaced(number(0)) in whole


def test_whoever_left_because_of_it_is_counted(house: House, editor: Visitor, done: int) -> None:
    with house.inside() as newsroom:
        newsroom.later(minutes=1)
        newsroom.text("STOP", number(1))
        newsroom.later(minutes=2)
        roll_up(controller=newsroom.controller, now=newsroom.now)

    assert "Left the list afterwards 1" in words(editor.get(f"/broadcasts/{done}/report"))


def test_whoever_left_counts_for_the_last_broadcast_that_they_had_and_for_no_other(
    house: House, editor: Visitor, done: int
) -> None:
    with house.inside() as newsroom:
        newsroom.later(minutes=5)
        last = newsroom.broadcast()
        newsroom.send()
        newsroom.later(minutes=1)
        newsroom.text("STOP", number(1))
        newsroom.later(minutes=2)
        roll_up(controller=newsroom.controller, now=newsroom.now)

    assert "Left the list afterwards 1" in words(editor.get(f"/broadcasts/{last}/report"))
    assert "Left the list afterwards 0" in words(editor.get(f"/broadcasts/{done}/report"))


def test_an_unknown_outcome_is_explained(house: House, editor: Visitor, done: int) -> None:
    with house.inside(), transaction() as session:
        session.query(Delivery).filter_by(broadcast_id=done).update({"status": 5, "reason": "worker_died"})

    assert "so that nobody gets it twice" in words(editor.get(f"/broadcasts/{done}"))
    assert "we were interrupted while handing it over" in words(editor.get(f"/broadcasts/{done}/report"))


def test_admins_download_every_row(admin: Visitor, done: int) -> None:
    answer = admin.get(f"/broadcasts/{done}/report.csv")

    lines = answer.text.splitlines()
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert len(lines) == 5
    assert number(0) in answer.text


def test_a_copy_is_a_new_draft(house: House, editor: Visitor, done: int) -> None:
    editor.get(f"/broadcasts/{done}")

    page = editor.submit(f"/broadcasts/{done}/copy")

    assert "This is a copy." in words(page)
    assert "The bridge is open again." in page.text
    assert state(house, done) == "finished"


def test_the_first_page_opens_where_something_moves(editor: Visitor, running: int) -> None:
    page = editor.get("/broadcasts")

    assert re.search(r'tab=sending" aria-current="page"', page.text)
    assert "Bridge" in words(page)


def test_a_row_that_is_being_sent_renews_itself_alone_and_ends_when_it_is_done(
    house: House, editor: Visitor, running: int
) -> None:
    page = editor.get("/broadcasts")
    assert f'hx-get="/broadcasts/{running}/row" hx-trigger="every 2s"' in page.text
    assert page.text.count("data-poll") == 1

    row = editor.get(f"/broadcasts/{running}/row").text
    assert row.count("<li") == 1
    assert "<html" not in row
    assert "data-poll" in row

    with house.inside() as newsroom:
        newsroom.send()
    after = editor.get(f"/broadcasts/{running}/row")
    assert "data-poll" not in after.text
    assert "Finished" in words(after)
    assert editor.get("/broadcasts/4711/row").status_code == 404
    assert [row_seconds(cost) for cost in (0.001, 0.2, 5.0)] == [2, 4, 15]


def test_a_complete_draft_is_one_click_from_its_review_and_another_from_what_it_lacks(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        by = {"by": "ada", "now": newsroom.now}
        whole = write_drafts.create_draft(title="A", text="Open.", list_ids=[newsroom.list_id], **by)
        empty = write_drafts.create_draft(title="B", text=" ", list_ids=[newsroom.list_id], **by)
        alone = write_drafts.create_draft(title="C", text="Open.", list_ids=[], **by)
    page = editor.get("/broadcasts?tab=drafts").text
    assert page.count(">Review<") == 3

    def follow(draft: int) -> TestResponse:
        return editor.get(editor.get(f"/broadcasts/{draft}/to-review").location)

    review = follow(whole)
    assert "Send 2 messages" in words(review)
    assert "The text is empty." in words(follow(empty))
    assert "Choose at least one list." in words(follow(alone))


def test_twenty_broadcasts_fill_a_page(house: House, editor: Visitor) -> None:
    with house.inside():
        for index in range(21):
            write_drafts.create_draft(
                title=f"Number {index}", text="", list_ids=[], by="ada", now=NOON + timedelta(minutes=index)
            )

    first, second = editor.get("/broadcasts?tab=drafts"), editor.get("/broadcasts?tab=drafts&page=2")

    assert first.text.count('class="row"') == 20
    assert "Older" in words(first)
    assert second.text.count('class="row"') == 1
    assert "Number 0" in words(second)


def breaks_for_all(to: str, body: str) -> Reply:
    return Reply(503, b"")


def test_those_with_whom_it_failed_are_tried_again_by_one_button(
    house: House, editor: Visitor, running: int
) -> None:
    with house.inside() as newsroom:
        for _ in range(6):
            newsroom.send(FakeProvider(breaks_for_all))
            newsroom.later(minutes=9)
            fan_out.bring_back(newsroom.now)
    page = editor.get(f"/broadcasts/{running}")
    assert "Try again with 4 people" in words(page)

    after = editor.submit(f"/broadcasts/{running}/retry")

    assert "4 people are tried again." in words(after)
    assert state(house, running) == "sending"
    assert "Nobody is left" in words(editor.submit(f"/broadcasts/{running}/retry"))


def test_a_finished_broadcast_that_reached_everybody_offers_no_other_try(editor: Visitor, done: int) -> None:
    assert "Try again" not in words(editor.get(f"/broadcasts/{done}"))


def test_the_page_tells_of_the_first_wave_and_lets_the_rest_go(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(40)
        draft = write_drafts.create_draft(
            title="B", text="Open.", list_ids=[newsroom.list_id], by="ada", now=newsroom.now
        )
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now, first_percent=10)
        fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
        newsroom.lane().drain(newsroom.now + timedelta(seconds=5))
    assert "The first 10 % go out; the rest waits for them." in words(editor.get(f"/broadcasts/{draft}"))
    with house.inside() as newsroom:
        watch(Brakes(), newsroom.now)
    assert "The first 10 % are out. The rest goes at" in words(editor.get(f"/broadcasts/{draft}"))

    after = editor.submit(f"/broadcasts/{draft}/release")

    assert "are out" not in words(after)
    assert "Nothing of this broadcast waits" in words(editor.submit(f"/broadcasts/{draft}/release"))


def test_why_it_stopped_by_itself_is_said_in_the_readers_language(
    house: House, visit: Callable[..., Visitor], running: int
) -> None:
    with house.inside(), transaction() as session:
        row = session.get_one(Broadcast, running)
        row.state, row.state_by, row.state_at = "paused", "system", NOON
        row.state_reason = pulled(Sample(taken=80, failed=20), Brakes())

    page = visit(Role.EDITOR, "de").get(f"/broadcasts/{running}")

    assert "Von selbst angehalten: 20 von 100 Menschen waren nicht zu erreichen" in words(page)


def test_a_count_leads_to_its_people_and_a_reason_says_what_to_do(editor: Visitor, done: int) -> None:
    page = editor.get(f"/broadcasts/{done}")
    failed = editor.get(f"/broadcasts/{done}?status=failed")

    assert f'href="/broadcasts/{done}?status=failed#rows"' in page.text
    assert "Check the numbers where they came from" in words(page)
    assert "One by one: Failed" in words(failed)
    assert failed.text.count('href="/people/') == 1
    assert "One by one" not in words(editor.get(f"/broadcasts/{done}?status=nonsense")).replace(
        "one by one", ""
    )


def test_how_fast_it_goes_is_a_line_and_a_table(house: House, editor: Visitor, running: int) -> None:
    with house.inside() as newsroom:
        before = editor.get(f"/broadcasts/{running}")
        sample(newsroom.now)
        newsroom.later(minutes=1)
        newsroom.send()
        sample(newsroom.now)

    page = editor.get(f"/broadcasts/{running}/live")

    assert "How fast it goes" not in words(before)
    assert "The senders allow 60,000 messages a minute." in words(page)
    assert '<polyline class="line" points="250,200 750,40"' in page.text


def test_people_held_for_later_are_told_with_until_when(house: House, editor: Visitor, running: int) -> None:
    until = {0: 1, 1: 1, 2: 3}
    with house.inside() as newsroom, transaction() as session:
        ids = session.scalars(select(Delivery.subscriber_id).where(Delivery.broadcast_id == running)).all()
        assert not ids
        for index, subscriber_id in enumerate(
            session.scalars(select(Subscriber.id).order_by(Subscriber.id)).all()
        ):
            if index in until:
                session.add(
                    Delivery(
                        broadcast_id=running,
                        subscriber_id=subscriber_id,
                        slice=0,
                        status=DeliveryStatus.PENDING,
                        due_at=newsroom.now + timedelta(days=400, hours=until[index]),
                        updated_at=newsroom.now,
                    )
                )

    page = editor.get(f"/broadcasts/{running}")

    assert "3 people are held for quiet hours where they are" in words(page)
    assert "The first until" in words(page)


def test_the_report_says_on_what_it_rests_and_until_when_its_rows_are_kept(
    house: House, editor: Visitor, done: int
) -> None:
    with house.inside() as newsroom, transaction() as session:
        session.get_one(Broadcast, done).finished_at = newsroom.now

    page = words(editor.get(f"/broadcasts/{done}/report"))

    assert "by entry 4 of the consent ledger" in page
    assert f"tidings broadcasts prove {done}" in page
    assert "The rows are kept until 3 March 2031" in page


def test_the_list_says_in_words_why_some_failed(editor: Visitor, done: int) -> None:
    seen = words(editor.get("/broadcasts?tab=sent"))

    assert "1 failed: not a number that can be reached (1)" in seen


def test_the_list_is_silent_about_failures_where_none_failed(editor: Visitor, running: int) -> None:
    assert "failed:" not in words(editor.get("/broadcasts?tab=sending"))
