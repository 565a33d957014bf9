"""Live tickers: an event has its own word and promise, its messages overtake the others, and it ends by itself."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from app.domain.consent import EventType, SubscriptionState
from app.domain.parts import measure
from app.domain.policy.content import lint_notice
from app.domain.retention import read_periods
from app.domain.statuses import BroadcastState, SkipReason
from app.services import close_list, fan_out, post_ticker, reports, tickers
from app.services.controller import Refused
from app.services.correct_broadcasts import had_it
from app.services.end_tickers import Ended, end_tickers
from app.services.join_list import join_page
from app.services.post_ticker import Posted
from app.services.rebuild_subscriptions import rebuild
from app.services.rights.retention import purge
from app.services.tickers import Plan, Stage
from app.services.write_drafts import create_draft
from app.storage import deliveries
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, ConsentEvent, Subscriber, Subscription
from tests.support.world import NOON, FakeProvider, Newsroom, number

HOURS = 8


def event(newsroom: Newsroom, **other: object) -> int:
    """Make “Election night”, which is on and ends in eight hours."""
    plan: dict[str, object] = {
        "name": "Election night",
        "keyword": "VOTE",
        "purpose": "Results as they come",
        "language": "en",
        "begins_at": newsroom.now,
        "ends_at": newsroom.now + timedelta(hours=HOURS),
        "zone": "Europe/Berlin",
        "sender_id": newsroom.sender_id,
        "most": 30,
    }
    plan |= other
    return tickers.create(
        Plan(**plan),  # type: ignore[arg-type]
        by="ada",
        controller=newsroom.controller,
        now=newsroom.now,
    )


def say(newsroom: Newsroom, list_id: int, text: str, token: str = "") -> Posted:
    return post_ticker.post(
        list_id, text, token=token or text, by="ada", controller=newsroom.controller, now=newsroom.now
    )


def correct(newsroom: Newsroom, list_id: int, text: str) -> Posted:
    return post_ticker.correct_last(
        list_id, text, token=text, by="ada", controller=newsroom.controller, now=newsroom.now
    )


def end_due(newsroom: Newsroom) -> list[Ended]:
    return end_tickers(controller=newsroom.controller, now=newsroom.now)


def standing(list_id: int, address: str) -> str:
    db.session.rollback()
    row = (
        db.session.query(Subscription)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .filter(Subscription.list_id == list_id, Subscriber.address == address)
        .one()
    )
    return row.state


def test_an_event_is_joined_by_its_own_word_and_says_what_it_promises(newsroom: Newsroom) -> None:
    event(newsroom, begins_at=newsroom.now + timedelta(hours=1))
    newsroom.text("VOTE", number(1))
    newsroom.send_replies()
    (_, welcome), *_ = newsroom.provider.arrived
    assert (
        "Up to 30 messages until 2 March 2026, 21:00, then it ends by itself; erased 30 days later."
        in welcome
    )
    assert "STOP" in welcome


@pytest.mark.parametrize("language", ["en", "de"])
def test_its_notice_fits_two_parts_and_says_all_that_a_notice_must(newsroom: Newsroom, language: str) -> None:
    event(newsroom, language=language)
    page = join_page("VOTE", language, controller=newsroom.controller)
    assert [one.code for one in lint_notice(page.notice_text, page.facts)] == []
    assert measure(page.notice_text).count <= 2


def test_who_texts_the_word_in_the_moment_of_the_end_is_off_again_soon(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.later(hours=HOURS)
    end_due(newsroom)
    with transaction() as session:  # the text came in before the list was closed, and was decided after it
        session.get_one(BroadcastList, list_id).archived_at = None
    newsroom.text("VOTE", number(1))
    assert end_due(newsroom) == [Ended(list_id, people=1)]
    assert standing(list_id, number(1)) == SubscriptionState.STALE


def test_a_message_goes_out_at_once_to_the_people_of_the_event_alone(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("CITY", number(1))
    newsroom.text("VOTE", number(2))
    newsroom.send()
    posted = say(newsroom, list_id, "First count: a tie.")
    newsroom.send()
    assert newsroom.provider.arrived[-1] == (number(2), "First count: a tie.")
    assert newsroom.tally(posted.broadcast_id).audience == 1
    assert posted.sender_ids == (newsroom.sender_id,)


def test_the_same_form_sent_twice_sends_one_message(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(2))
    first = say(newsroom, list_id, "A tie.", "form-1")
    again = say(newsroom, list_id, "A tie.", "form-1")
    assert (again.broadcast_id, again.again) == (first.broadcast_id, True)
    newsroom.send()
    assert [text for _, text in newsroom.provider.arrived].count("A tie.") == 1


def test_a_message_that_is_late_is_skipped_and_never_sent_in_a_burst(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(2))
    newsroom.send_replies()
    posted = [say(newsroom, list_id, f"Count {index}.") for index in range(3)]
    newsroom.later(minutes=11)
    newsroom.send()
    assert len(newsroom.provider.arrived) == 1  # the welcome
    for one in posted:
        skipped = reports.deliveries(one.broadcast_id, status="skipped", limit=2)
        assert [row.reason for row in skipped] == [SkipReason.EXPIRED]


def test_more_messages_than_the_day_allows_go_out_and_not_one_more_than_promised(newsroom: Newsroom) -> None:
    list_id = event(newsroom, most=6, farewell="That was it.")
    newsroom.text("VOTE", number(2))
    newsroom.send()
    for index in range(5):
        say(newsroom, list_id, f"Count {index}.")
        newsroom.send()
    assert newsroom.provider.copies[number(2)] == 6
    with pytest.raises(Refused, match="at most 6 messages"):  # the sixth is kept for the last words
        say(newsroom, list_id, "One more.")


def test_before_it_begins_and_after_it_closed_nothing_is_said(newsroom: Newsroom) -> None:
    list_id = event(newsroom, begins_at=newsroom.now + timedelta(hours=1))
    newsroom.text("VOTE", number(2))
    with pytest.raises(Refused, match="has not begun"):
        say(newsroom, list_id, "Too early.")
    newsroom.later(hours=HOURS)
    with pytest.raises(Refused, match="is over"):
        say(newsroom, list_id, "Too late.")


def test_no_ordinary_broadcast_goes_to_an_event(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    with pytest.raises(Refused, match="on its own page"):
        create_draft(title="x", text="x", list_ids=[list_id], by="ada", now=newsroom.now)


def test_a_message_overtakes_a_broadcast_that_is_being_sent(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(1000))
    newsroom.send_replies()
    newsroom.join(40)
    newsroom.broadcast("The bridge is open again.")
    provider = FakeProvider(capacity=4)

    def speak(to: str) -> None:
        if len(provider.arrived) == 4:
            say(newsroom, list_id, "A tie.")
            newsroom.later(milliseconds=150)

    provider.before_answer = speak
    newsroom.send(provider)
    place = [text for _, text in provider.arrived].index("A tie.")
    assert place < 12
    assert len(provider.arrived) == 41


def test_two_messages_reach_people_in_the_order_in_which_they_were_written(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(1))
    newsroom.send_replies()
    newsroom.join(20, first=100)
    newsroom.broadcast()
    say(newsroom, list_id, "Goal!")
    say(newsroom, list_id, "No goal.")
    provider = FakeProvider(capacity=2)
    newsroom.send(provider)
    assert [text for _, text in provider.arrived[:2]] == ["Goal!", "No goal."]


def test_a_correction_stops_the_wrong_message_and_goes_to_whoever_had_it(newsroom: Newsroom) -> None:
    list_id = event(newsroom, most=1)
    newsroom.text("VOTE", number(1))
    newsroom.text("VOTE", number(2))
    newsroom.send_replies()
    wrong = say(newsroom, list_id, "Anna wins.")
    newsroom.send()
    assert had_it(wrong.broadcast_id) == 2
    right = correct(newsroom, list_id, "Correction: Bert wins.")
    newsroom.send()
    assert newsroom.tally(right.broadcast_id).audience == 2
    assert [text for _, text in newsroom.provider.arrived[-2:]] == ["Correction: Bert wins."] * 2
    last, first = tickers.messages(list_id)
    assert (last.corrects, first.corrects) == (first.broadcast_id, None)


def test_a_message_still_on_its_way_is_stopped_when_it_is_corrected(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(1))
    wrong = say(newsroom, list_id, "Anna wins.")
    with pytest.raises(Refused, match="Nobody got this"):
        correct(newsroom, list_id, "Bert wins.")
    db.session.rollback()
    assert db.session.get_one(Broadcast, wrong.broadcast_id).state == BroadcastState.CANCELED


def test_a_correction_pressed_twice_is_sent_once_and_stays_on_its_way(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(1))
    say(newsroom, list_id, "Anna wins.")
    newsroom.send()
    first = correct(newsroom, list_id, "Bert wins.")
    again = correct(newsroom, list_id, "Bert wins.")
    newsroom.send()
    assert (again.broadcast_id, again.again) == (first.broadcast_id, True)
    assert newsroom.provider.arrived[-1] == (number(1), "Bert wins.")


@pytest.mark.parametrize("text", [" ", "{{nonsense}}", "Read https://bit.ly/x"])
def test_a_correction_whose_words_are_refused_stops_nothing(newsroom: Newsroom, text: str) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(1))
    running = say(newsroom, list_id, "Anna wins.")
    with pytest.raises(Refused):
        post_ticker.correct_last(
            list_id, text, token="form-2", by="ada", controller=newsroom.controller, now=newsroom.now
        )
    db.session.rollback()
    assert db.session.get_one(Broadcast, running.broadcast_id).state == BroadcastState.SENDING


def test_an_event_ends_by_itself_with_last_words_and_the_consent_of_its_people(newsroom: Newsroom) -> None:
    list_id = event(newsroom, farewell="That was it. Good night.")
    newsroom.text("VOTE", number(1))
    newsroom.text("CITY", number(1))
    newsroom.later(hours=HOURS - 1)
    assert end_due(newsroom) == []
    newsroom.later(minutes=56)
    (said,) = end_due(newsroom)
    assert said.farewell_id
    assert tickers.ticker(list_id, now=newsroom.now).stage is Stage.CLOSING
    newsroom.send()
    assert newsroom.provider.arrived[-1] == (number(1), "That was it. Good night.")
    assert end_due(newsroom) == [Ended(list_id, people=1)]
    assert end_due(newsroom) == []
    assert standing(list_id, number(1)) == SubscriptionState.STALE
    assert standing(newsroom.list_id, number(1)) == SubscriptionState.ACTIVE
    (entry,) = db.session.query(ConsentEvent).filter_by(event_type=EventType.CONSENT_EXPIRED.value).all()
    assert (entry.list_id, entry.matched_rule, entry.actor) == (list_id, "live event ended", "system:clock")
    assert db.session.get_one(BroadcastList, list_id).archived_at == newsroom.now
    db.session.rollback()
    assert rebuild(controller=newsroom.controller, now=newsroom.now).differing == 0
    newsroom.text("VOTE", number(3))  # the word is free of meaning now
    assert tickers.ticker(list_id, now=newsroom.now).people == 0


def test_stop_ends_it_meanwhile(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(1))
    posted = say(newsroom, list_id, "A tie.")
    newsroom.text("STOP", number(1))
    newsroom.send()
    assert newsroom.tally(posted.broadcast_id).skipped == 1
    assert standing(list_id, number(1)) == SubscriptionState.STOPPED


def test_what_waits_when_an_event_ends_is_skipped_as_expired(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(1))
    newsroom.later(hours=HOURS, minutes=-1)
    posted = say(newsroom, list_id, "A tie.")
    db.session.rollback()
    assert db.session.get_one(Broadcast, posted.broadcast_id).expires_at == newsroom.now + timedelta(
        minutes=1
    )
    newsroom.later(minutes=1)
    end_due(newsroom)
    newsroom.send()
    assert newsroom.provider.arrived == []
    skipped = reports.deliveries(posted.broadcast_id, status="skipped", limit=2)
    assert [one.reason for one in skipped] == [SkipReason.EXPIRED]


def test_an_editor_ends_it_early_with_or_without_last_words(newsroom: Newsroom) -> None:
    with_words, without = event(newsroom), event(newsroom, name="Match", keyword="MATCH")
    newsroom.text("VOTE", number(1))
    close: Callable[[int, str], Posted | None] = lambda list_id, words: post_ticker.close(  # noqa: E731
        list_id, words, by="ada", controller=newsroom.controller, now=newsroom.now
    )
    assert close(with_words, "That was it.")
    assert close(with_words, "That was it.") is None
    assert close(without, "") is None
    assert end_due(newsroom) == [Ended(without)]
    newsroom.send()
    assert newsroom.provider.arrived[-1][1] == "That was it."
    assert end_due(newsroom) == [Ended(with_words, people=1)]


def test_who_was_on_events_only_is_erased_when_promised_and_stays_suppressed(newsroom: Newsroom) -> None:
    event(newsroom, erase_after_days=7)
    newsroom.text("VOTE", number(1))
    newsroom.text("VOTE", number(2))
    newsroom.text("CITY", number(2))
    newsroom.later(hours=HOURS)
    end_due(newsroom)
    periods = read_periods("")
    newsroom.later(days=6, hours=23)
    assert purged(newsroom, periods) == 0
    newsroom.later(hours=1)
    assert purged(newsroom, periods) == 1
    assert db.session.query(Subscriber).filter_by(address=number(1)).count() == 0
    assert db.session.query(Subscriber).filter_by(address=number(2)).one().suppressed_at is None
    db.session.rollback()
    gone = db.session.query(Subscriber).filter(Subscriber.address.startswith("erased:")).one()
    assert gone.suppressed_at is not None


def purged(newsroom: Newsroom, periods: object) -> int:
    run = purge(by="ops", periods=periods, controller=newsroom.controller, now=newsroom.now)  # type: ignore[arg-type]
    db.session.rollback()
    return run.counts["events"]


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        ({"most": 0}, "promises 1 to 500 messages, not 0."),
        ({"erase_after_days": 366}, "erased 1 to 365 days later, not 366."),
        ({"zone": "Mars/Olympus"}, "There is no time zone"),
        ({"ends_at": NOON}, "This end is in the past"),
        ({"begins_at": NOON + timedelta(hours=9)}, "An event ends after it begins"),
    ],
)
def test_an_event_that_cannot_be_is_refused(
    newsroom: Newsroom, other: dict[str, object], refusal: str
) -> None:
    with pytest.raises(Refused, match=refusal):
        event(newsroom, **other)


def test_closing_the_list_closes_the_event(newsroom: Newsroom) -> None:
    list_id = event(newsroom)
    newsroom.text("VOTE", number(1))
    close_list.close_list("Election night", by="ops", controller=newsroom.controller, now=newsroom.now)
    with pytest.raises(Refused, match="is over"):
        say(newsroom, list_id, "A tie.")
    assert fan_out.open_due(controller=newsroom.controller, now=newsroom.now) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_look_for_something_urgent_reads_no_ordinary_broadcast(newsroom: Newsroom) -> None:
    plan = db.session.execute(sql("EXPLAIN QUERY PLAN " + deliveries._URGENT.format(1))).all()
    assert "ix_broadcast_urgent" in str(plan[0])
