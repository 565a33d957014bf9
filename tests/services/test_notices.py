"""Notices: each edit is a new version, and one that lacks what people must know is refused."""

import hashlib

import pytest
from sqlalchemy import select

from app.services import notices, prove_consent
from app.services.controller import Conflict, NotFound, Refused
from app.services.lists_of_sender import present_notice
from app.services.verify_ledger import verify
from app.storage.database import db
from app.storage.models import BroadcastList, Subscriber, Subscription
from tests.support.world import Newsroom, number

GOOD = (
    "Riverside News: City sends you News of City, for example road works. At most 3 a day, 0 to 24 h. "
    "Msg&data rates may apply. Reply HELP for help, STOP to end. Privacy: https://example.org/privacy"
)


def write(newsroom: Newsroom, text: str = GOOD, **changes: object) -> int:
    given = {"purpose": "News of City", "after_version": 1, "confirmed": False, **changes}
    return notices.write(
        newsroom.list_id, "en", text=text, by="ada", controller=newsroom.controller, now=newsroom.now, **given
    )


def test_t18_an_edit_is_a_new_version_and_old_entries_still_print_the_old_words(newsroom: Newsroom) -> None:
    newsroom.text("START", number(0))
    old = present_notice(db.session(), newsroom.list_id, "en").text
    db.session.rollback()
    newsroom.later(hours=1)

    assert write(newsroom) == 2

    newsroom.text("START", number(1))
    db.session.rollback()
    (first, second) = (
        prove_consent.prove(one, controller=newsroom.controller, now=newsroom.now)["notices"][0]
        for one in (number(0), number(1))
    )
    assert (first["text"], second["text"]) == (old, GOOD)
    assert first["sha256"] == hashlib.sha256(old.encode()).hexdigest()
    assert second["policy_url"] == newsroom.controller.privacy_url
    found = notices.versions(newsroom.list_id, "en")
    assert [(row.version, row.written_by) for row in found] == [(2, "ada"), (1, None)]
    assert [row.version for row in notices.versions(newsroom.list_id, "de")] == [1]
    assert verify(controller=newsroom.controller).bad is None


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("Riverside News", "Say who is writing"),
        ("At most 3 a day, 0 to 24 h.", "Say how often"),
        ("Reply HELP for help, ", "Say how to get help"),
        ("STOP to end", "Say how to leave"),
        ("https://example.org/privacy", "link to the privacy page"),
        ("Msg&data rates may apply.", "rates may apply"),
    ],
)
def test_t19_a_notice_that_lacks_what_people_must_know_is_refused(
    lost: str, said: str, newsroom: Newsroom
) -> None:
    with pytest.raises(Refused, match=said):
        write(newsroom, GOOD.replace(lost, ""))

    assert len(notices.versions(newsroom.list_id, "en")) == 1


def test_two_parts_are_the_most(newsroom: Newsroom) -> None:
    with pytest.raises(Refused, match="3 parts"):
        write(newsroom, GOOD + " And more." * 12)
    with pytest.raises(Refused, match=r"\d parts"):
        write(newsroom, GOOD + " Привет")


def test_another_purpose_needs_a_word_that_people_are_asked_again(newsroom: Newsroom) -> None:
    other = GOOD.replace("News of City", "Offers of our shop")
    changed = {"text": other, "purpose": "Offers of our shop"}
    draft = notices.look_at(
        newsroom.list_id, "en", other, "Offers of our shop", controller=newsroom.controller
    )
    assert (draft.purpose_changes, draft.controller_changes, draft.asks_again) == (True, False, False)
    newsroom.join(2)

    with pytest.raises(Refused, match="2 people agreed to another"):
        write(newsroom, **changed)
    with pytest.raises(Refused, match="2 people agreed to another"):
        write(newsroom, text=other)  # the words are gone, though the list's own purpose stays
    assert write(newsroom, **changed, confirmed=True) == 2

    assert db.session.scalar(select(BroadcastList.purpose)) == "Offers of our shop"


def test_an_author_who_saw_an_older_version_is_told(newsroom: Newsroom) -> None:
    write(newsroom)

    with pytest.raises(Conflict, match="wrote version 2"):
        write(newsroom, GOOD + " Thank you.")
    with pytest.raises(Refused, match="nothing would change"):
        write(newsroom, after_version=2)
    with pytest.raises(NotFound):
        notices.versions(99, "en")
    with pytest.raises(Refused, match="not in “fr”"):
        notices.versions(newsroom.list_id, "fr")


def test_row_39_what_is_new_goes_to_nobody_who_agreed_to_the_old(newsroom: Newsroom) -> None:
    old, new = newsroom.join(2)
    newsroom.change_purpose(newsroom.list_id, "News of City", "Offers of our shop")
    newsroom.text("CITY", new)  # the welcome tells them what it is for now
    newsroom.send()
    newsroom.provider.arrived.clear()

    broadcast_id = newsroom.broadcast()
    newsroom.send()

    assert [to for to, _ in newsroom.provider.arrived] == [new]
    assert newsroom.tally(broadcast_id).reasons == {"other_purpose": 1}
    assert (
        db.session.scalar(
            select(Subscription.state)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .where(Subscriber.address == old)
        )
        == "active"
    )


def test_row_39_a_broadcast_that_began_before_is_what_people_agreed_to(newsroom: Newsroom) -> None:
    numbers = newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    newsroom.text("STOP", numbers[0])
    newsroom.change_purpose(newsroom.list_id, "News of City", "Offers of our shop")

    newsroom.send()

    assert newsroom.tally(broadcast_id).reasons == {"stopped": 1}


def test_row_39_another_list_left_open_does_not_let_its_old_purpose_through(newsroom: Newsroom) -> None:
    other = newsroom.new_list("Sport", "SPORT")
    newsroom.text("CITY")
    newsroom.text("SPORT")
    newsroom.change_purpose(other, "News of Sport", "Bets of our shop")
    broadcast_id = newsroom.broadcast(list_ids=[newsroom.list_id, other])
    newsroom.text("STOP CITY")

    newsroom.send()

    assert newsroom.tally(broadcast_id).reasons == {"stopped": 1}


def test_words_that_say_the_same_purpose_otherwise_stop_nobody(newsroom: Newsroom) -> None:
    newsroom.join(1)
    text = present_notice(db.session(), newsroom.list_id, "en").text
    write(newsroom, text=f"Hello! {text}")
    broadcast_id = newsroom.broadcast()

    newsroom.send()

    assert newsroom.tally(broadcast_id).reasons == {}
