"""Each outcome of the matcher as a decision: what it does to consent, what it answers, whom it does not answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain.addresses import Address
from app.domain.consent import Act, EventType
from app.domain.keywords import Decision, Outcome
from app.domain.messages import ErrorKind, InboundMessage, PlatformEvent, PlatformSignal, SendError
from app.services.apply_signal import apply_signal
from app.services.controller import Conflict, NewNumber, Refused
from app.services.decide_reviews import decide, held
from app.services.let_time_pass import let_time_pass
from app.services.lists_of_sender import present_notice
from app.services.react_to_failures import react
from app.services.rebuild_subscriptions import rebuild
from app.services.receive_message import receive_message
from app.services.record_consent import NewEvent, record
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, InboundRow, Sender, Subscriber, Subscription, Suppression
from app.storage.replies import dropped_confirmations
from tests.support.world import Newsroom, number

ADA = number(1)


def say(
    newsroom: Newsroom, outcome: Outcome, text: str = "words", *, days: int | None = None, rule: str = "r"
):
    message = InboundMessage(f"X{next(newsroom._ids)}", Address("sms", ADA), text)
    decision = Decision(outcome, "phrase", rule, days=days)
    return receive_message(
        message,
        sender_id=newsroom.sender_id,
        controller=newsroom.controller,
        now=newsroom.now,
        decision=decision,
    )


def row(newsroom: Newsroom, list_id: int | None = None) -> Subscription:
    db.session.rollback()
    return db.session.scalars(
        select(Subscription)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.list_id == (list_id or newsroom.list_id), Subscriber.address == ADA)
    ).one()


def person() -> Subscriber:
    db.session.rollback()
    return db.session.scalars(select(Subscriber).where(Subscriber.address == ADA)).one()


def last() -> ConsentEvent:
    db.session.rollback()
    return db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc())).first()


def answers(newsroom: Newsroom) -> list[str]:
    newsroom.provider.arrived.clear()
    newsroom.send_replies()
    return [body for _, body in newsroom.provider.arrived]


def ask(newsroom: Newsroom, list_id: int) -> None:
    with transaction() as session:
        who = session.scalars(select(Subscriber)).one()
        notice = present_notice(session, list_id, "en")
        event = NewEvent(
            who,
            EventType.CONSENT_REQUESTED,
            newsroom.now,
            "person",
            act=Act.WEB_CHECKBOX,
            list_id=list_id,
            notice=notice,
        )
        record(session, [event], controller=newsroom.controller, now=newsroom.now)


def agrees_with_the_ledger(newsroom: Newsroom) -> None:
    assert rebuild(controller=newsroom.controller, now=newsroom.now, repair=False).differing == 0


def test_a_stop_in_other_words_stops_and_says_how_to_come_back_if_we_misread(newsroom: Newsroom) -> None:
    newsroom.text("START")
    answers(newsroom)
    say(newsroom, Outcome.STOP_FUZZY, "no more of this please")

    assert row(newsroom).state == "stopped"
    assert (last().act, last().event_type, last().scope) == ("keyword_fuzzy", "consent_withdrawn", "all")
    (words,) = answers(newsroom)
    assert "misread" in words


def test_t10_a_stop_of_several_lists_asks_which_to_keep_and_the_word_keeps_it_for_a_day(
    newsroom: Newsroom,
) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.text("START")
    newsroom.text("SPORT")
    answers(newsroom)
    newsroom.text("STOP")
    (asked,) = answers(newsroom)
    assert "CITY, SPORT" in asked
    assert (row(newsroom).state, row(newsroom, sport).state) == ("stopped", "stopped")

    newsroom.later(hours=23)
    newsroom.text("SPORT")

    assert (row(newsroom).state, row(newsroom, sport).state) == ("stopped", "active")
    assert last().related_event_id is not None
    assert "you keep Sport" in answers(newsroom)[0]
    agrees_with_the_ledger(newsroom)


def test_a_pause_ends_at_its_date_or_by_start_and_nothing_is_sent_meanwhile(newsroom: Newsroom) -> None:
    newsroom.text("START")
    answers(newsroom)
    say(newsroom, Outcome.PAUSE, "pause 7", days=7)

    assert (row(newsroom).state, row(newsroom).paused_until) == ("paused", newsroom.now + timedelta(days=7))
    assert "9 March 2026" in answers(newsroom)[0]
    newsroom.join(1, first=5)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    assert newsroom.provider.copies[ADA] == 1  # the note on the pause
    assert newsroom.tally(broadcast_id).sent == 1
    newsroom.text("START")
    assert row(newsroom).state == "active"
    assert "welcome back" in answers(newsroom)[0]
    say(newsroom, Outcome.PAUSE, "pause 500", days=500)
    assert row(newsroom).paused_until == newsroom.now + timedelta(days=90)
    agrees_with_the_ledger(newsroom)


@pytest.mark.parametrize(
    ("outcome", "event", "reason"),
    [
        (Outcome.ERASE, "erasure_requested", "erasure requested"),
        (Outcome.WRONG_NUMBER, "consent_invalidated", "wrong number"),
    ],
)
def test_who_wants_to_be_erased_or_is_somebody_else_is_suppressed_until_start(
    newsroom: Newsroom, outcome: Outcome, event: str, reason: str
) -> None:
    newsroom.text("START")
    answers(newsroom)
    say(newsroom, outcome, "delete me")

    assert (last().event_type, row(newsroom).state) == (event, "stopped")
    assert person().suppressed_at == newsroom.now
    assert db.session.scalars(select(Suppression.reason)).one() == reason
    assert len(answers(newsroom)) == 1
    agrees_with_the_ledger(newsroom)
    newsroom.text("START")
    assert (row(newsroom).state, person().suppressed_at) == ("active", None)
    agrees_with_the_ledger(newsroom)


def test_a_possible_stop_holds_everything_unanswered_for_one_business_day(newsroom: Newsroom) -> None:
    newsroom.text("START")
    answers(newsroom)
    say(newsroom, Outcome.REVIEW, "not before nine please")

    assert (person().review_opened_at, person().review_due_at) == (
        newsroom.now,
        newsroom.now + timedelta(days=1),
    )
    assert answers(newsroom) == []
    newsroom.join(1, first=5)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    assert newsroom.tally(broadcast_id).reasons == {"held_for_review": 1}
    agrees_with_the_ledger(newsroom)
    newsroom.text("STOP")
    assert person().review_opened_at is None
    assert row(newsroom).state == "stopped"


def test_t9_yes_answers_only_the_open_question_and_no_refuses_it(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.text("hello")
    say(newsroom, Outcome.CONFIRM, "yes")
    assert db.session.scalars(select(Subscription)).all() == []
    ask(newsroom, sport)
    asked = last()
    assert row(newsroom, sport).state == "pending"
    say(newsroom, Outcome.CONFIRM, "yes")

    assert [one.list_id for one in db.session.scalars(select(Subscription))] == [sport]
    assert row(newsroom, sport).state == "active"
    assert (last().act, last().question_event_id) == ("doi_reply", asked.event_id)
    ask(newsroom, newsroom.list_id)
    say(newsroom, Outcome.DECLINE, "no")
    assert (row(newsroom).state, last().event_type) == ("stopped", "consent_refused")
    newsroom.later(hours=1)
    say(newsroom, Outcome.CONFIRM, "yes")
    assert row(newsroom).state == "stopped"
    agrees_with_the_ledger(newsroom)


def test_a_yes_after_three_days_answers_nothing(newsroom: Newsroom) -> None:
    newsroom.text("hello")
    ask(newsroom, newsroom.list_id)
    newsroom.later(hours=73)
    say(newsroom, Outcome.CONFIRM, "yes")

    assert row(newsroom).state == "pending"


def test_t11_the_fourth_identical_text_in_ten_minutes_is_not_answered(newsroom: Newsroom) -> None:
    for _ in range(4):
        newsroom.text("HELP")

    assert len(answers(newsroom)) == 3
    newsroom.later(minutes=11)
    newsroom.text("HELP")
    assert len(answers(newsroom)) == 1


def test_machines_and_echoes_are_not_answered_but_their_stop_counts(newsroom: Newsroom) -> None:
    newsroom.text("HELP", from_="12345")
    assert answers(newsroom) == []
    newsroom.text("START")
    (welcome,) = answers(newsroom)
    newsroom.text(welcome)
    newsroom.text("STOP")

    assert len(answers(newsroom)) == 1
    skipped = db.session.scalars(select(InboundRow.reply_skipped).order_by(InboundRow.id)).all()
    assert skipped == ["machine", None, "echo", None]


def signal(newsroom: Newsroom, kind: PlatformSignal, id_: str, new: str | None = None):
    new_address = Address("sms", new) if new else None
    event = PlatformEvent(id_, Address("sms", ADA), kind, new_address)
    return apply_signal(event, sender_id=newsroom.sender_id, controller=newsroom.controller, now=newsroom.now)


def test_t23_a_platforms_resume_lifts_its_own_stop_and_never_one_in_words(newsroom: Newsroom) -> None:
    newsroom.text("START")
    signal(newsroom, PlatformSignal.PREFERENCE_STOP, "p1")
    assert (row(newsroom).state, last().act) == ("stopped", "platform_preference")
    signal(newsroom, PlatformSignal.PREFERENCE_RESUME, "p2")
    assert row(newsroom).state == "active"
    assert signal(newsroom, PlatformSignal.PREFERENCE_STOP, "p1").duplicate
    signal(newsroom, PlatformSignal.PREFERENCE_STOP, "p3")
    newsroom.text("STOP")
    signal(newsroom, PlatformSignal.PREFERENCE_RESUME, "p4")
    assert row(newsroom).state == "stopped"
    agrees_with_the_ledger(newsroom)


def test_t24_a_changed_number_takes_the_consent_along_with_one_welcome(newsroom: Newsroom) -> None:
    newsroom.text("START")
    answers(newsroom)
    signal(newsroom, PlatformSignal.NUMBER_CHANGED, "n1", new=number(2))

    assert row(newsroom).state == "stopped"
    states = db.session.scalars(select(Subscription.state).order_by(Subscription.subscriber_id)).all()
    assert states == ["stopped", "active"]
    kinds = db.session.scalars(select(ConsentEvent.event_type)).all()
    assert kinds.count("endpoint_changed") == 2
    answers(newsroom)
    assert newsroom.provider.copies == {number(2): 1}
    agrees_with_the_ledger(newsroom)


def test_row_36_a_careful_controller_asks_at_the_new_number(newsroom: Newsroom) -> None:
    newsroom.controller = replace(newsroom.controller, new_number=NewNumber.PENDING)
    newsroom.text("START")
    answers(newsroom)
    signal(newsroom, PlatformSignal.NUMBER_CHANGED, "n1", new=number(2))

    states = db.session.scalars(select(Subscription.state).order_by(Subscription.subscriber_id)).all()
    assert states == ["stopped", "pending"]
    (asked,) = answers(newsroom)
    assert "CITY" in asked
    assert newsroom.provider.copies == {number(2): 1}
    with pytest.raises(Refused, match="can be reached"):
        newsroom.broadcast()
    newsroom.text("YES", number(2))
    states = db.session.scalars(select(Subscription.state).order_by(Subscription.subscriber_id)).all()
    assert states == ["stopped", "active"]
    agrees_with_the_ledger(newsroom)


def test_t25_who_blocked_us_and_comes_back_is_unblocked_but_not_subscribed(newsroom: Newsroom) -> None:
    newsroom.text("START")
    answers(newsroom)
    signal(newsroom, PlatformSignal.LEFT, "l1")
    assert (row(newsroom).state, person().blocked_at) == ("stopped", newsroom.now)
    signal(newsroom, PlatformSignal.CAME_BACK, "l2")

    assert (row(newsroom).state, person().blocked_at) == ("stopped", None)
    assert "CITY" in answers(newsroom)[0]
    signal(newsroom, PlatformSignal.REASSIGNED, "r1")
    assert person().suppressed_at == newsroom.now
    agrees_with_the_ledger(newsroom)


def passes(newsroom: Newsroom):
    return let_time_pass(controller=newsroom.controller, now=newsroom.now)


def test_time_ends_questions_and_pauses_and_consents_that_nobody_used(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.text("START")
    ask(newsroom, sport)
    say(newsroom, Outcome.PAUSE, "pause 3", days=3)
    assert passes(newsroom).expired == 0
    newsroom.later(hours=73)
    done = passes(newsroom)

    assert (done.expired, done.resumed) == (1, 1)
    assert (row(newsroom, sport).state, row(newsroom).state) == ("unknown", "active")
    newsroom.broadcast()
    newsroom.send()
    newsroom.later(days=728)
    assert passes(newsroom).stale == 0
    newsroom.later(days=3)
    assert passes(newsroom).stale == 1
    assert row(newsroom).state == "stale"
    agrees_with_the_ledger(newsroom)
    newsroom.text("START")
    assert row(newsroom).state == "active"


def test_t2_a_confirmation_is_dropped_after_five_minutes_though_no_worker_lives(newsroom: Newsroom) -> None:
    newsroom.text("STOP")
    newsroom.later(minutes=6)

    assert len(passes(newsroom).late_confirmations) == 1
    assert answers(newsroom) == []
    assert dropped_confirmations(db.session(), newsroom.now - timedelta(days=7)) == 1
    assert dropped_confirmations(db.session(), newsroom.now) == 0


def test_t12_what_nobody_decides_in_a_business_day_is_a_stop(newsroom: Newsroom) -> None:
    newsroom.now = datetime(2026, 9, 4, 17, 0, tzinfo=UTC)  # the Friday before Labor Day
    newsroom.text("START")
    answers(newsroom)
    say(newsroom, Outcome.REVIEW, "not so often", rule="narrow:en")
    (held_one,) = held()
    assert (held_one.texts, held_one.rule) == (("not so often",), "narrow:en")
    newsroom.later(days=3, hours=23)
    assert passes(newsroom).reviews_stopped == 0
    newsroom.later(hours=1)

    assert passes(newsroom).reviews_stopped == 1
    assert (row(newsroom).state, held(), answers(newsroom)) == ("stopped", [], [])
    agrees_with_the_ledger(newsroom)


def test_a_human_decides_what_a_text_meant_once(newsroom: Newsroom) -> None:
    newsroom.text("START")
    answers(newsroom)
    how = {"by": "operator:ada", "controller": newsroom.controller}
    say(newsroom, Outcome.REVIEW, "hm")
    decide(person().id, stop=False, now=newsroom.now, **how)
    assert (row(newsroom).state, person().review_opened_at) == ("active", None)
    with pytest.raises(Conflict):
        decide(person().id, stop=True, now=newsroom.now, **how)
    newsroom.later(minutes=1)
    say(newsroom, Outcome.REVIEW, "hm hm")
    decided = decide(person().id, stop=True, now=newsroom.now, **how)

    assert (row(newsroom).state, decided.sender_id) == ("stopped", newsroom.sender_id)
    assert len(answers(newsroom)) == 1
    agrees_with_the_ledger(newsroom)


def test_a_number_that_was_dead_for_45_days_has_to_start_again(newsroom: Newsroom) -> None:
    newsroom.text("START")
    with transaction() as session:
        who = session.scalars(select(Subscriber)).one()
        react(
            session,
            [(who.id, SendError(ErrorKind.INVALID, "21211"))],
            sender_id=newsroom.sender_id,
            controller=newsroom.controller,
            now=newsroom.now,
        )
    newsroom.later(days=46)
    newsroom.text("hello")

    assert (row(newsroom).state, person().bounced_at) == ("stale", None)
    agrees_with_the_ledger(newsroom)


def test_t6_a_start_that_was_sent_before_the_stop_and_comes_after_it_starts_nothing(
    newsroom: Newsroom,
) -> None:
    def write(words: str, id_: str, sent_at: datetime) -> None:
        message = InboundMessage(id_, Address("sms", ADA), words, sent_at=sent_at)
        receive_message(
            message, sender_id=newsroom.sender_id, controller=newsroom.controller, now=newsroom.now
        )

    write("START", "m1", newsroom.now)
    newsroom.later(minutes=1)
    write("STOP", "m3", newsroom.now)
    answers(newsroom)
    write("START", "m2", newsroom.now - timedelta(seconds=30))

    assert (row(newsroom).state, answers(newsroom)) == ("stopped", [])
    newsroom.later(minutes=1)
    write("START", "m4", newsroom.now)
    assert row(newsroom).state == "active"


def test_t29_on_a_toll_free_number_help_is_not_answered_after_a_stop(newsroom: Newsroom) -> None:
    with transaction() as session:
        session.get_one(Sender, newsroom.sender_id).address = "+18005550199"
    newsroom.text("HELP")
    assert len(answers(newsroom)) == 1
    newsroom.text("START")
    newsroom.text("STOP")
    answers(newsroom)

    newsroom.text("HELP")

    assert answers(newsroom) == []
    newsroom.text("START")
    newsroom.text("HELP")
    assert len(answers(newsroom)) == 2
