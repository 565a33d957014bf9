"""Corrections that change the message on the phones, at the desk: the choice, the review and the report."""

import pytest
from sqlalchemy import select

from app.domain.statuses import DeliveryStatus
from app.services import fan_out, schedule_broadcasts
from app.storage.database import db, transaction
from app.storage.models import Broadcast, DeliveryTally, Sender, Slice
from tests.desk.conftest import House, Visitor, words
from tests.gateways.samples.telegram import SETTINGS
from tests.support.chat_city import ADA, GRACE, ChatCity

SAID = "Telegram (2 people). 1 person gets"


@pytest.fixture
def city(house: House) -> ChatCity:
    with house.inside() as newsroom:
        return ChatCity(newsroom, "telegram", "@CityDeskBot", SETTINGS)


@pytest.fixture
def wrong(house: House, city: ChatCity) -> int:
    """A broadcast that two people got on Telegram and one by SMS."""
    with house.inside() as newsroom:
        for phone in (ADA, GRACE):
            city.says(phone, "CITY")
        newsroom.join(1)
        sent = newsroom.broadcast("The bridge is open. STOP to leave.")
        city.drain()
        newsroom.send()
    return sent


def begin(editor: Visitor, wrong: int, in_place: str, act: str = "correct") -> int:
    editor.get(f"/broadcasts/{wrong}/correct")
    answer = editor.post(f"/broadcasts/{wrong}/correct", {"act": act, "in_place": in_place})
    return int(answer.location.split("/")[2])


def row(house: House, broadcast_id: int) -> tuple[str | None, str]:
    with house.inside():
        found = db.session.get_one(Broadcast, broadcast_id)
        return found.in_place, found.text


def test_the_choice_says_on_how_many_phones_it_can_be_done(editor: Visitor, wrong: int) -> None:
    page = editor.get(f"/broadcasts/{wrong}/correct")

    assert f"The old words are replaced where they stand: {SAID} a message of their own." in words(page)
    assert f"The old message is taken off the phones: {SAID} the words that you write" in words(page)
    assert page.text.count('name="in_place"') == 3
    assert "Count exactly" not in page.text


def test_a_large_broadcast_says_at_most_how_many_and_the_exact_numbers_follow(
    house: House, editor: Visitor, city: ChatCity, wrong: int
) -> None:
    with house.inside(), transaction() as session:
        on_telegram = select(Slice.sender_id).join(Sender, Sender.id == Slice.sender_id)
        sender_id = session.scalars(on_telegram.where(Sender.channel == "telegram")).first()
        session.add(
            DeliveryTally(
                broadcast_id=wrong,
                status=DeliveryStatus.SENT.value,
                reason="",
                error_code="",
                sender_id=sender_id,
                shard=7,
                people=30_000,
            )
        )
    with house.inside():
        city.says(GRACE, "STOP")
    page = editor.get(f"/broadcasts/{wrong}/correct")
    most = "at most: Telegram (30,002 people)."

    assert f"The old words are replaced where they stand, {most}" in words(page)
    assert f"The old message is taken off the phones, {most}" in words(page)
    assert "These are the most there can be" in words(page)
    assert f'hx-get="/broadcasts/{wrong}/correct/count"' in page.text
    for path in (f"/broadcasts/{wrong}/correct/count", f"/broadcasts/{wrong}/correct?count=1"):
        counted = words(editor.get(path))
        assert "replaced where they stand: Telegram (1 person)." in counted
        assert "at most" not in counted


def test_what_is_chosen_is_said_again_before_it_goes_and_told_afterwards(
    house: House, editor: Visitor, city: ChatCity, wrong: int
) -> None:
    draft = begin(editor, wrong, "edit")
    assert row(house, draft) == ("edit", "Correction: The bridge is open. STOP to leave.")

    for path in (f"/broadcasts/{draft}/edit", f"/broadcasts/{draft}/review?choice=now&zone=UTC"):
        assert f"are replaced where they stand: {SAID} a message" in words(editor.get(path)), path
    with house.inside() as newsroom:
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
        fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
        city.drain()
        newsroom.send()

    told = "Correction sent, no receipt yet 3 of these, where the old words stood 2 Failed 0"
    for path in (f"/broadcasts/{wrong}", f"/broadcasts/{draft}/report"):
        assert told in words(editor.get(path)), path


def test_words_for_those_who_cannot_lose_the_message_may_be_left_out(
    house: House, editor: Visitor, wrong: int
) -> None:
    draft = begin(editor, wrong, "delete")
    assert row(house, draft)[1].startswith("Our message of ")
    editor.get(f"/broadcasts/{draft}/edit")
    editor.post(f"/broadcasts/{draft}/edit", {"title": "Away", "text": "", "revision": "1"})

    review = words(editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC"))

    assert (
        "left out: the message cannot be taken off their phone, and there are no words for them −1" in review
    )
    assert "It cannot go yet" not in review


def test_a_plain_correction_and_words_that_are_no_choice_leave_the_phones_alone(
    house: House, editor: Visitor, wrong: int
) -> None:
    drafts = [begin(editor, wrong, "", "retract"), begin(editor, wrong, "burn")]

    assert [row(house, one)[0] for one in drafts] == [None, None]
