"""A broadcast with buttons, on a channel that shows them and on one that does not: pressed, numbered, counted, left."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.consent import EventType
from app.domain.retention import read_periods
from app.services import answers, fan_out, review_broadcasts, schedule_broadcasts, write_drafts
from app.services.controller import Refused
from app.services.prove_consent import prove
from app.services.rights import erase_subscriber
from app.services.rights.timers import OldDeliveries
from app.services.senders_of_lists import add_sender
from app.storage.database import db, transaction
from app.storage.models import BroadcastAnswer, ConsentEvent, InboundRow, Subscriber, Subscription
from tests.services.test_channels import Messenger, TwoChannels
from tests.support.world import Newsroom, number

YES, NO = Button(ButtonKind.REPLY, "Yes"), Button(ButtonKind.REPLY, "No")
STOP = Button(ButtonKind.REPLY, "No more news", "STOP")
POLL = Rich((YES, NO, STOP))
ADA = "4242"


class Keyboards(Messenger):
    """Telegram's side, which remembers the keys below each message, too."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[dict[str, str]] = []

    def submit(self, call):  # type: ignore[no-untyped-def]
        rows = json.loads(call.body).get("reply_markup", {}).get("inline_keyboard", [])
        self.keys.append(
            {key["text"]: key.get("callback_data", key.get("url")) for row in rows for key in row}
        )
        super().submit(call)


class Poll:
    """A question with Yes, No and a way out, to one person on Telegram and two by SMS."""

    def __init__(self, city: TwoChannels) -> None:
        self.city, self.newsroom = city, city.newsroom
        self.newsroom.join(2)
        city.write(ADA, "START")
        city.send(Messenger())
        self.id = self.ask("Is the bridge safe?", POLL)

    def ask(self, text: str, rich: Rich) -> int:
        newsroom = self.newsroom
        draft = write_drafts.create_draft(
            title="Poll", text=text, list_ids=[newsroom.list_id], rich={"": rich}, by="ada", now=newsroom.now
        )
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
        fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
        self.phone = Keyboards()
        self.city.send(self.phone)
        newsroom.send()
        return draft

    def key(self, label: str) -> str:
        return self.phone.keys[-1][label]

    def press(self, code: str, chat: str = ADA) -> str:
        return self.city.write(chat, "", code)

    def counts(self) -> dict[str, int]:
        db.session.rollback()
        return {one.label: one.people for one in answers.tallied(self.id)}


@pytest.fixture
def poll(newsroom: Newsroom) -> Poll:
    return Poll(TwoChannels(newsroom))


def test_the_story_of_a_poll_on_telegram_and_by_sms(poll: Poll) -> None:
    newsroom = poll.newsroom
    assert poll.phone.told == [(ADA, "Is the bridge safe?")]
    assert list(poll.phone.keys[-1]) == ["Yes", "No", "No more news"]
    assert {text for _, text in newsroom.provider.arrived} == {
        "Is the bridge safe?\n1 Yes, 2 No\nSTOP: No more news"
    }

    poll.press(poll.key("Yes"))
    newsroom.later(minutes=1)
    poll.press(poll.key("Yes"))
    newsroom.text("2", number(0))
    newsroom.text(" Yes! ", number(1))
    assert poll.counts() == {"Yes": 2, "No": 1, "No more news": 0}

    newsroom.later(minutes=1)
    assert poll.press(poll.key("No more news")) == "STOP"
    assert poll.counts() == {"Yes": 1, "No": 1, "No more news": 1}
    _left_by_the_button(poll)


def _left_by_the_button(poll: Poll) -> None:
    ada = db.session.scalars(select(Subscriber).where(Subscriber.address == ADA)).one()
    row = db.session.scalars(select(Subscription).where(Subscription.subscriber_id == ada.id)).one()
    assert row.state == "stopped"
    left = db.session.scalars(
        select(ConsentEvent).where(ConsentEvent.event_type == EventType.CONSENT_WITHDRAWN.value)
    ).one()
    assert (left.act, left.cta_ref) == ("button", f"telegram:city-telegram:broadcast-{poll.id}-button-3")
    pack = prove(
        ADA, channel="telegram", language="en", controller=poll.newsroom.controller, now=poll.newsroom.now
    )
    assert '"button": "No more news"' in json.dumps(pack)
    assert "Is the bridge safe?" in json.dumps(pack)


def test_the_same_press_again_changes_neither_answer_nor_its_moment(poll: Poll) -> None:
    poll.press(poll.key("Yes"))
    first = db.session.scalars(select(BroadcastAnswer)).one()
    before = (first.place, first.inbound_id, first.answered_at)

    poll.newsroom.later(minutes=5)
    poll.press(poll.key("Yes"))

    db.session.rollback()
    after = db.session.scalars(select(BroadcastAnswer)).one()
    assert (after.place, after.inbound_id, after.answered_at) == before
    assert db.session.scalars(select(InboundRow.text).order_by(InboundRow.id.desc()).limit(1)).one() == "Yes"


def test_nobody_joins_by_an_id_that_we_did_not_make_or_that_was_not_sent_to_them(poll: Poll) -> None:
    poll.ask("Sport, too?", Rich((Button(ButtonKind.REPLY, "Join", "CITY"), STOP)))
    code = poll.key("Join")
    forged = code[:-4] + ("AAAA" if code[-4:] != "AAAA" else "BBBB")

    assert poll.press(forged, chat="5151") == "NONE"
    assert poll.press(code, chat="5151") == "NONE"
    assert poll.press(poll.key("No more news"), chat="5151") == "STOP"

    stranger = db.session.scalars(select(Subscriber).where(Subscriber.address == "5151")).one()
    assert not db.session.scalars(select(Subscription).where(Subscription.subscriber_id == stranger.id)).all()
    assert poll.counts() == {"Yes": 0, "No": 0, "No more news": 0}


def test_a_pressed_opt_in_is_consent_with_the_words_that_were_shown(poll: Poll) -> None:
    newsroom = poll.newsroom
    sport = newsroom.new_list("Sport", "SPORT")
    add_sender("SPORT", "city-telegram", by="tests", now=newsroom.now)
    poll.ask(
        "Sport from today on. Do you want it?", Rich((Button(ButtonKind.REPLY, "Sport, please", "SPORT"),))
    )

    assert poll.press(poll.key("Sport, please")) == "START_LIST"

    db.session.rollback()
    given = db.session.scalars(
        select(ConsentEvent).where(
            ConsentEvent.event_type == EventType.CONSENT_GIVEN.value, ConsentEvent.list_id == sport
        )
    ).one()
    assert given.act == "button"
    assert given.notice_id is not None
    pack = prove(ADA, channel="telegram", language="en", controller=newsroom.controller, now=newsroom.now)
    assert "Sport from today on. Do you want it?" in json.dumps(pack)


def test_a_number_answers_the_newest_broadcast_for_three_days_and_only_of_those_who_got_it(
    poll: Poll,
) -> None:
    newsroom = poll.newsroom
    newsroom.later(hours=1)
    newer = poll.ask(
        "Tea or coffee?", Rich((Button(ButtonKind.REPLY, "Tea"), Button(ButtonKind.REPLY, "Coffee")))
    )

    newsroom.text("1", number(0))
    newsroom.text("1", number(7))
    assert {one.label: one.people for one in answers.tallied(newer)} == {"Tea": 1, "Coffee": 0}
    assert sum(poll.counts().values()) == 0

    newsroom.later(days=3, minutes=1)
    newsroom.text("2", number(1))
    db.session.rollback()
    assert {one.label: one.people for one in answers.tallied(newer)} == {"Tea": 1, "Coffee": 0}


def test_a_word_of_ours_is_never_an_answer_and_a_no_to_the_poll_is_no_doubt(poll: Poll) -> None:
    poll.ask("Shall we go on?", Rich((YES, NO, Button(ButtonKind.REPLY, "Stop"))))

    assert poll.newsroom.text("no", number(0)).outcome == "NONE"
    assert poll.newsroom.text("stop", number(1)).outcome == "STOP"

    people = db.session.scalars(select(Subscriber.review_opened_at)).all()
    assert not any(people)


def test_an_erased_person_leaves_a_count_behind_and_nothing_else(poll: Poll) -> None:
    newsroom = poll.newsroom
    newsroom.text("2", number(0))
    person = db.session.scalars(select(Subscriber).where(Subscriber.address == number(0))).one()

    erase_subscriber.erase(
        person.id, full=True, reason="asked", by="dpo", controller=newsroom.controller, now=newsroom.now
    )

    assert poll.counts()["No"] == 1
    kept = db.session.scalars(select(BroadcastAnswer)).one()
    assert (kept.subscriber_id, kept.inbound_id, kept.answered_at) == (None, None, None)
    assert list(answers.answers_csv(poll.id))[1] == ",,,No,\n"


def test_a_word_that_nobody_can_text_is_refused_with_what_to_write(newsroom: Newsroom) -> None:
    def draft(value: str) -> None:
        write_drafts.create_draft(
            title="Poll",
            text="Well?",
            list_ids=[newsroom.list_id],
            rich={"": Rich((Button(ButtonKind.REPLY, "Go", value),))},
            by="ada",
            now=newsroom.now,
        )

    draft("HELP")
    draft("CITY")
    for value in ("BANANA", "YES"):
        with pytest.raises(Refused, match=r"Button 1: .*Write STOP"):
            draft(value)


def test_a_copy_and_its_parts_have_the_buttons_of_the_original(poll: Poll) -> None:
    copy = write_drafts.copy_broadcast(poll.id, by="ada", now=poll.newsroom.now)

    (share, *_) = review_broadcasts.check(copy, now=poll.newsroom.now + timedelta(days=1)).shares
    assert share.tail.endswith("1 Yes, 2 No\nSTOP: No more news")
    assert share.in_words


def test_when_the_deliveries_are_old_enough_answers_are_counts_as_well(poll: Poll) -> None:
    newsroom = poll.newsroom
    newsroom.text("1", number(0))
    fan_out.end_finished(newsroom.now)

    with transaction() as session:
        OldDeliveries().take(session, read_periods(""), newsroom.now + timedelta(days=2000))

    assert poll.counts()["Yes"] == 1
    assert db.session.scalars(select(BroadcastAnswer)).one().subscriber_id is None
