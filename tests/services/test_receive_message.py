"""What a texted word does: consent, exactly one answer, and nothing when it comes twice."""

import threading
from functools import partial

import pytest
from sqlalchemy import func, select

from app.domain.addresses import Address
from app.domain.consent import EventType
from app.domain.messages import ErrorKind, InboundMessage, ProviderSignal, SendError
from app.services.decide_reviews import held as held_people
from app.services.manage_subscribers import suppress
from app.services.react_to_failures import react
from app.services.read_inbox import unanswered
from app.services.receive_message import receive_message
from app.storage.database import db, transaction
from app.storage.models import (
    BroadcastList,
    ConsentEvent,
    Delivery,
    InboundRow,
    Notice,
    Subscriber,
    Subscription,
    Suppression,
)
from tests.support.world import Newsroom, number

ADA = number(1)


def state(newsroom: Newsroom, address: str = ADA, list_id: int | None = None) -> str | None:
    db.session.rollback()
    return db.session.scalar(
        select(Subscription.state)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscriber.address == address, Subscription.list_id == (list_id or newsroom.list_id))
    )


def events() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(ConsentEvent.event_type).order_by(ConsentEvent.seq)))


def answers(newsroom: Newsroom) -> list[str]:
    """Send what waits, and return the words that arrived."""
    newsroom.provider.arrived.clear()
    newsroom.send_replies()
    return [body for _, body in newsroom.provider.arrived]


def test_start_subscribes_and_is_welcomed_with_the_notice_to_the_letter(newsroom: Newsroom) -> None:
    newsroom.text("START")

    assert state(newsroom) == "active"
    assert events() == ["notice_shown", "consent_given"]
    given = db.session.scalars(select(ConsentEvent).where(ConsentEvent.event_type == "consent_given")).one()
    notice = db.session.get_one(Notice, given.notice_id)
    assert answers(newsroom) == [notice.text]
    assert given.notice_sha256 == notice.sha256


def test_stop_withdraws_from_every_list_and_is_confirmed_once(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.text("START")
    newsroom.text("SPORT")
    answers(newsroom)

    newsroom.text("Stop!")

    assert (state(newsroom), state(newsroom, list_id=sport)) == ("stopped", "stopped")
    assert len(answers(newsroom)) == 1


def test_a_second_stop_changes_nothing_and_is_not_confirmed_again_within_a_day(newsroom: Newsroom) -> None:
    newsroom.text("START")
    newsroom.text("STOP")
    answers(newsroom)

    newsroom.text("STOP")

    assert answers(newsroom) == []
    assert events()[-1] == "stop_repeated"
    assert state(newsroom) == "stopped"


def test_a_stop_a_day_later_is_confirmed_again(newsroom: Newsroom) -> None:
    newsroom.text("STOP")
    answers(newsroom)

    newsroom.later(hours=25)
    newsroom.text("STOP")

    assert len(answers(newsroom)) == 1


def test_stop_from_a_person_known_under_no_list_is_answered(newsroom: Newsroom) -> None:
    newsroom.text("STOP")

    assert len(answers(newsroom)) == 1
    assert state(newsroom) is None


def test_stop_and_a_lists_word_leaves_only_that_list(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.text("START")
    newsroom.text("SPORT")

    newsroom.text("STOP SPORT")

    assert (state(newsroom), state(newsroom, list_id=sport)) == ("active", "stopped")


def test_help_is_answered_and_changes_nothing(newsroom: Newsroom) -> None:
    newsroom.text("HELP")

    (words,) = answers(newsroom)
    assert "help@example.org" in words
    assert events() == []


@pytest.mark.parametrize("words", ["yes", "hello", "👍", "", "   ", "OK thanks"])
def test_t8_nothing_but_a_start_word_brings_consent_back(newsroom: Newsroom, words: str) -> None:
    newsroom.text("START")
    newsroom.text("STOP")
    answers(newsroom)

    newsroom.text(words)

    assert state(newsroom) == "stopped"
    assert answers(newsroom) == []


def test_start_after_stop_subscribes_again_with_a_new_consent(newsroom: Newsroom) -> None:
    newsroom.text("START")
    newsroom.text("STOP")

    newsroom.text("START")

    assert state(newsroom) == "active"
    assert events().count("consent_given") == 2


def test_start_again_while_subscribed_is_answered_but_is_no_new_consent(newsroom: Newsroom) -> None:
    newsroom.text("START")
    newsroom.text("START")

    assert events().count("consent_given") == 1
    assert len(answers(newsroom)) == 2


def test_start_without_a_default_list_asks_which_one(newsroom: Newsroom) -> None:
    with transaction() as session:
        session.get_one(BroadcastList, newsroom.list_id).is_default = False
    newsroom.new_list("Sport", "SPORT")

    newsroom.text("START")

    (words,) = answers(newsroom)
    assert "CITY" in words
    assert "SPORT" in words
    assert events() == []


def test_t5_the_same_webhook_twice_changes_nothing(newsroom: Newsroom) -> None:
    newsroom.text("START", id_="SM1")
    again = newsroom.text("START", id_="SM1")

    assert again.duplicate
    assert events() == ["notice_shown", "consent_given"]
    assert len(answers(newsroom)) == 1


def test_t5_the_same_webhook_ten_times_at_once_is_one_event_and_one_answer(newsroom: Newsroom) -> None:
    failures: list[BaseException] = []

    def deliver() -> None:
        try:
            with newsroom.app.app_context():
                newsroom.text("STOP", id_="SM1")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=deliver) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert events() == ["stop_repeated"]
    assert len(answers(newsroom)) == 1


def test_many_people_at_once_keep_the_ledger_gapless(newsroom: Newsroom) -> None:
    def deliver(index: int) -> None:
        with newsroom.app.app_context():
            newsroom.text("START", number(index), id_=f"SM{index}")

    threads = [threading.Thread(target=deliver, args=(index,)) for index in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    seqs = db.session.scalars(select(ConsentEvent.seq).order_by(ConsentEvent.seq)).all()
    assert list(seqs) == list(range(1, 25))


def test_t3_we_are_silent_when_the_provider_says_that_it_replied(newsroom: Newsroom) -> None:
    newsroom.text("START")
    answers(newsroom)

    newsroom.text("STOP", signal=ProviderSignal.STOP)

    assert answers(newsroom) == []
    assert state(newsroom) == "stopped"
    row = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc())).first()
    assert row is not None
    assert (row.act, row.reply_skipped_reason) == ("provider_signal", "provider")


def test_the_providers_start_lifts_its_block_but_is_no_consent_of_ours(newsroom: Newsroom) -> None:
    newsroom.text("START")
    block(newsroom)

    newsroom.text("unstop it", signal=ProviderSignal.START)

    assert state(newsroom) == "stopped"
    assert db.session.scalars(select(Subscriber.blocked_at)).one() is None


def test_a_start_word_lifts_the_block_and_subscribes(newsroom: Newsroom) -> None:
    newsroom.text("START")
    block(newsroom)

    newsroom.text("START")

    assert state(newsroom) == "active"
    assert db.session.scalars(select(Subscriber.blocked_at)).one() is None


def block(newsroom: Newsroom) -> None:
    with transaction() as session:
        person = session.scalars(select(Subscriber)).one()
        react(
            session,
            [(person.id, SendError(ErrorKind.OPTED_OUT, "21610"))],
            sender_id=newsroom.sender_id,
            controller=newsroom.controller,
            now=newsroom.now,
        )


def test_whoever_writes_from_a_number_that_bounced_can_be_reached_again(newsroom: Newsroom) -> None:
    newsroom.text("START")
    with transaction() as session:
        person = session.scalars(select(Subscriber)).one()
        react(
            session,
            [(person.id, SendError(ErrorKind.INVALID, "30006"))],
            sender_id=newsroom.sender_id,
            controller=newsroom.controller,
            now=newsroom.now,
        )

    newsroom.text("good morning")

    assert db.session.scalars(select(Subscriber.bounced_at)).one() is None
    assert events()[-2:] == ["endpoint_bounced", "endpoint_revived"]


def test_start_lifts_a_suppression_and_nothing_else_does(newsroom: Newsroom) -> None:
    newsroom.text("START")
    suppress(ADA, reason="complaint", by="dpo", controller=newsroom.controller, now=newsroom.now)

    newsroom.text("hello")
    before = db.session.scalars(select(Suppression.lifted_at)).one()
    newsroom.text("START")

    assert before is None
    assert db.session.scalars(select(Suppression.lifted_at)).one() == newsroom.now
    assert db.session.scalars(select(Subscriber.suppressed_at)).one() is None
    assert state(newsroom) == "active"


def test_talk_is_kept_for_the_desk_and_not_answered(newsroom: Newsroom) -> None:
    newsroom.text("When does the bridge open?")

    row = db.session.scalars(select(InboundRow)).one()
    assert (row.text, row.outcome, row.read_at) == ("When does the bridge open?", "NONE", None)
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_whoever_joins_a_german_list_first_is_answered_in_german_from_then_on(newsroom: Newsroom) -> None:
    newsroom.new_list("Stadt", "STADT", language="de")

    newsroom.text("STADT")
    newsroom.text("STOP")

    welcome, confirmation = answers(newsroom)
    assert "Höchstens 3 am Tag" in welcome
    assert "Abmeldung erledigt" in confirmation


def test_the_welcome_of_a_list_is_in_the_language_of_the_list(newsroom: Newsroom) -> None:
    newsroom.new_list("Stadt", "STADT", language="de")
    newsroom.text("START")
    answers(newsroom)

    newsroom.text("STADT")

    assert "Höchstens 3 am Tag" in answers(newsroom)[0]


def test_a_german_reader_is_answered_in_german(newsroom: Newsroom) -> None:
    newsroom.text("START")
    answers(newsroom)
    with transaction() as session:
        session.scalars(select(Subscriber)).one().language = "de"

    newsroom.text("STOP")

    (words,) = answers(newsroom)
    assert "Abmeldung erledigt" in words


def test_words_of_the_numbers_country_count_and_a_doubt_is_held(newsroom: Newsroom) -> None:
    newsroom.join(2)
    receive = partial(receive_message, sender_id=newsroom.sender_id, controller=newsroom.controller)
    ada, bob = (Address("sms", number(index)) for index in range(2))

    stopped = receive(InboundMessage("A", ada, "ALTO"), now=newsroom.now)
    held = receive(InboundMessage("B", bob, "please don't text me at night"), now=newsroom.now)
    nothing = receive(InboundMessage("C", ada, "No"), now=newsroom.now)

    assert (stopped.outcome, held.outcome, nothing.outcome) == ("STOP", "REVIEW", "NONE")
    assert [(text.text, text.held) for text in unanswered()] == [
        ("please don't text me at night", True),
        ("No", False),
    ]
    [person] = held_people()
    assert (person.address, person.rule) == (bob.value, "en.hold:1")
    assert person.why == f"“{person.words}” may be a wish to stop, and a human should read it (en.hold:1)."


def test_a_deep_link_subscribes_and_says_where_it_hung(newsroom: Newsroom) -> None:
    def carried(payload: str, id_: str) -> str:
        message = InboundMessage(id_, Address("sms", number(1)), "/start", payload=payload)
        return receive_message(
            message, sender_id=newsroom.sender_id, controller=newsroom.controller, now=newsroom.now
        ).outcome

    assert carried("city_poster-7", "U1") == "START_LIST"
    given = db.session.scalars(
        select(ConsentEvent).where(ConsentEvent.event_type == EventType.CONSENT_GIVEN.value)
    ).one()
    assert (given.cta_ref, given.tier) == ("sms:city-desk:city_poster-7", "payload")
    assert carried("stop_button", "U2") == "STOP"
    assert carried("nonsense", "U3") == "START"


def test_a_text_that_a_link_wrote_subscribes_and_says_where_it_hung(newsroom: Newsroom) -> None:
    """WhatsApp and LINE open a chat with the words in it, and bring nothing else along."""
    assert newsroom.text("City_poster-7").outcome == "START_LIST"

    given = db.session.scalars(
        select(ConsentEvent).where(ConsentEvent.event_type == EventType.CONSENT_GIVEN.value)
    ).one()
    assert (given.cta_ref, given.tier) == ("sms:city-desk:City_poster-7", "payload")
    assert newsroom.text("stop-city_poster-7").outcome != "STOP_LIST"
