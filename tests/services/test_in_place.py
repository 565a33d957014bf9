"""A correction that changes the old message where it stands: over Telegram's protocol, with SMS beside it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.domain.in_place import InPlace
from app.domain.statuses import DeliveryStatus
from app.services import fan_out, reports, review_broadcasts, schedule_broadcasts
from app.services.controller import Refused
from app.services.correct_broadcasts import corrections_of, draft_correction, ways_in_place
from app.services.media.attach import EVERYWHERE, Given, attach
from app.services.media.take_in import take_in
from app.services.rights import erase_subscriber
from app.storage.database import db, transaction
from app.storage.models import Delivery, Subscriber
from tests.gateways.samples.telegram import SETTINGS
from tests.support import media
from tests.support.chat_city import ADA, GRACE, ChatCity
from tests.support.world import Newsroom, number

WRONG, RIGHT = "The bridge is open.", "The bridge is closed."


class TwoWays:
    """Ada and Grace on Telegram and one person with a phone got the wrong message."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom, self.city = newsroom, ChatCity(newsroom, "telegram", "@CityDeskBot", SETTINGS)
        for phone in (ADA, GRACE):
            self.city.says(phone, "CITY")
        newsroom.join(1)
        self.wrong = newsroom.broadcast(WRONG)
        self.go()

    def go(self) -> None:
        self.city.drain()
        self.newsroom.send()
        db.session.rollback()

    def draft(self, act: InPlace, text: str = RIGHT, wrong: int | None = None) -> int:
        now = self.newsroom.now
        return draft_correction(wrong or self.wrong, title="Right", text=text, by="ada", now=now, act=act)

    def correct(self, act: InPlace, text: str = RIGHT, wrong: int | None = None) -> int:
        draft = self.draft(act, text, wrong)
        now = self.newsroom.now
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=now)
        fan_out.open_due(controller=self.newsroom.controller, now=now)
        self.go()
        return draft

    def phone(self, phone: str) -> list[tuple[str, str]]:
        """The broadcasts on a phone and what was done with them: the answer to START stands before."""
        bubbles = self.city.world.conversations.bubbles(phone)
        return [(one.text, one.mark) for one in bubbles if one.kind == "in"][1:]

    @property
    def by_sms(self) -> list[str]:
        return [body for _, body in self.newsroom.provider.arrived]

    def old(self, phone: str, **values: object) -> None:
        """Change what we know of the wrong message to somebody on Telegram."""
        whose = select(Subscriber.id).where(Subscriber.address == phone.removeprefix("+"))
        with transaction() as session:
            session.execute(
                update(Delivery)
                .where(Delivery.broadcast_id == self.wrong, Delivery.subscriber_id == whose.scalar_subquery())
                .values(**values)
            )


@pytest.fixture
def two(newsroom: Newsroom) -> TwoWays:
    return TwoWays(newsroom)


def test_old_words_are_replaced_where_they_stand_and_others_get_a_message(two: TwoWays) -> None:
    (edit, delete) = ways_in_place(two.wrong, two.newsroom.now)
    right = two.correct(InPlace.EDIT)

    assert (edit.act, edit.channels, edit.others) == (InPlace.EDIT, {"telegram": 2}, 1)
    assert delete.act is InPlace.DELETE
    assert [two.phone(one) for one in (ADA, GRACE)] == [[(RIGHT, "edited")]] * 2
    assert two.by_sms == [WRONG, RIGHT]
    assert reports.tally(right).sent == 3
    (told,) = corrections_of(two.wrong)
    assert (told.act, told.changed) == (InPlace.EDIT, 2)


def test_how_many_were_changed_is_still_known_when_one_of_them_is_erased(two: TwoWays) -> None:
    two.correct(InPlace.EDIT)
    person = db.session.scalar(select(Subscriber.id).where(Subscriber.address == ADA.removeprefix("+")))
    assert person is not None
    erase_subscriber.erase(
        person, full=True, reason="asked", by="ada", controller=two.newsroom.controller, now=two.newsroom.now
    )

    (told,) = corrections_of(two.wrong)
    assert told.changed == 2


def test_whoever_said_stop_keeps_the_old_words_and_a_newcomer_gets_nothing(two: TwoWays) -> None:
    two.city.says(GRACE, "STOP")
    shown = two.phone(GRACE)
    two.newsroom.join(1, first=5)
    right = two.correct(InPlace.EDIT)

    assert two.phone(ADA) == [(RIGHT, "edited")]
    assert two.phone(GRACE) == shown
    assert two.by_sms == [WRONG, RIGHT]
    assert reports.tally(right).reasons == {"stopped": 1}


def test_whose_message_has_no_id_gets_the_correction_as_one_of_its_own(two: TwoWays) -> None:
    two.old(GRACE, status=DeliveryStatus.UNKNOWN.value, provider_id=None)

    two.correct(InPlace.EDIT)

    assert two.phone(ADA) == [(RIGHT, "edited")]
    assert two.phone(GRACE) == [(WRONG, ""), (RIGHT, "")]


def test_what_telegram_will_not_change_fails_with_its_reason_and_is_not_sent_again(two: TwoWays) -> None:
    two.old(GRACE, provider_id="1")

    right = two.correct(InPlace.EDIT)

    assert two.phone(GRACE) == [(WRONG, "")]
    tally = reports.tally(right)
    assert (tally.failed, tally.reasons) == (1, {"unchangeable": 1})
    assert two.city.state(GRACE) == "active"


def test_a_correction_of_a_correction_changes_the_same_message(two: TwoWays) -> None:
    right = two.correct(InPlace.EDIT)

    two.correct(InPlace.EDIT, "It opens at six.", wrong=right)

    assert two.phone(ADA) == [("It opens at six.", "edited")]


def test_without_words_only_those_are_reached_whose_message_can_be_taken_away(two: TwoWays) -> None:
    draft = two.draft(InPlace.DELETE, "")
    review = review_broadcasts.check(draft, now=two.newsroom.now)
    assert (review.problems, review.reachable, review.skipped) == ((), 2, {"not_deletable": 1})

    right = two.correct(InPlace.DELETE, "")

    assert [two.phone(one) for one in (ADA, GRACE)] == [[("", "deleted")]] * 2
    assert two.by_sms == [WRONG]
    tally = reports.tally(right)
    assert (tally.sent, tally.skipped, tally.reasons) == (2, 1, {"not_deletable": 1})


def test_with_words_in_one_language_only_its_people_get_them_who_cannot_lose_the_message(
    two: TwoWays,
) -> None:
    two.newsroom.join(1, first=1)
    now = two.newsroom.now
    with transaction() as session:
        session.execute(update(Subscriber).where(Subscriber.address == number(0)).values(language="de"))
    draft = draft_correction(
        two.wrong,
        title="Right",
        text="",
        variants={"/de": "Sie ist zu."},
        by="ada",
        now=now,
        act=InPlace.DELETE,
    )

    assert review_broadcasts.check(draft, now=now).reachable == 3
    schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=now)
    fan_out.open_due(controller=two.newsroom.controller, now=now)
    two.go()

    assert two.by_sms == [WRONG, "Sie ist zu."]
    assert reports.tally(draft).sent == 3


def test_with_words_whoever_cannot_lose_the_message_gets_them(two: TwoWays) -> None:
    two.correct(InPlace.DELETE, "Please disregard it.")

    assert two.phone(ADA) == [("", "deleted")]
    assert two.by_sms == [WRONG, "Please disregard it."]


def test_what_is_too_old_to_be_taken_away_is_known_before(two: TwoWays) -> None:
    two.newsroom.later(hours=47)
    two.old(GRACE, updated_at=two.newsroom.now - timedelta(hours=48))

    review = review_broadcasts.check(two.draft(InPlace.DELETE, ""), now=two.newsroom.now)
    two.correct(InPlace.DELETE, "")

    assert (review.reachable, review.skipped) == (1, {"not_deletable": 2})
    assert two.phone(ADA) == [("", "deleted")]
    assert two.phone(GRACE) == [(WRONG, "")]


def test_a_correction_that_changes_messages_carries_no_file(two: TwoWays) -> None:
    draft, newsroom = two.draft(InPlace.EDIT), two.newsroom
    media_id = take_in(media.jpeg(), files=two.city.files, by="ada", now=newsroom.now)
    attach(draft, EVERYWHERE, Given(media_id, "bridge.jpg", "A bridge"), by="ada", now=newsroom.now)

    assert any("carries no file" in one for one in review_broadcasts.check(draft, now=newsroom.now).problems)


def test_where_no_channel_can_change_a_message_it_is_refused(newsroom: Newsroom) -> None:
    newsroom.join(1)
    wrong = newsroom.broadcast(WRONG)
    newsroom.send()

    assert ways_in_place(wrong, newsroom.now) == []
    with pytest.raises(Refused, match="No channel of this broadcast can change"):
        draft_correction(wrong, title="R", text="R", by="ada", now=newsroom.now, act=InPlace.EDIT)
    assert newsroom.provider.copies == {number(0): 1}
