"""Words that come at the same moment share a transaction, and come to what they would have come to one by one."""

import random

import pytest
from sqlalchemy import func, select

from app.domain.addresses import Address
from app.domain.messages import HookRequest, InboundMessage
from app.services import receive_messages as together
from app.services.rebuild_subscriptions import rebuild
from app.services.receive_message import Received, receive_message
from app.services.receive_messages import Said, can_share, receive_messages
from app.services.verify_ledger import verify
from app.storage.database import db
from app.storage.models import ConsentEvent, Delivery, InboundRow, Subscriber, Subscription, Webhook
from tests.support.world import Newsroom, number

WORDS = ("STOP", "START", "HELP", "stop please", "City", "what time is it?", "YES", "pause 3")


def text(newsroom: Newsroom, index: int, words: str, id_: str = "") -> InboundMessage:
    return InboundMessage(id_ or f"M{next(newsroom._ids)}", Address("sms", number(index)), words)


def say(newsroom: Newsroom, *texts: InboundMessage, post: HookRequest | None = None) -> list[Received]:
    said = [Said(newsroom.sender_id, one, post) for one in texts]
    return receive_messages(said, controller=newsroom.controller, now=newsroom.now)


def states() -> dict[str, str]:
    db.session.rollback()
    rows = select(Subscriber.address, Subscription.state).join(Subscription)
    return {address: state for address, state in db.session.execute(rows)}


def story(newsroom: Newsroom, index: int) -> list[tuple[object, ...]]:
    """What the ledger and the inbox say of one person, without numbers that count everybody."""
    db.session.rollback()
    person = db.session.scalars(select(Subscriber).where(Subscriber.address == number(index))).one()
    events = db.session.execute(
        select(ConsentEvent.event_type, ConsentEvent.reply_template, ConsentEvent.reply_skipped_reason)
        .where(ConsentEvent.subject_ref == person.subject_ref)
        .order_by(ConsentEvent.seq)
    )
    texts = db.session.execute(
        select(InboundRow.text, InboundRow.outcome, InboundRow.reply_text, InboundRow.reply_skipped)
        .where(InboundRow.subscriber_id == person.id)
        .order_by(InboundRow.id)
    )
    state = select(Subscription.state).where(Subscription.subscriber_id == person.id)
    return [*map(tuple, events), *map(tuple, texts), *map(tuple, db.session.execute(state))]


def test_a_crowd_comes_to_what_each_would_have_come_to_alone(newsroom: Newsroom) -> None:
    newsroom.join(6)
    chance = random.Random(7)
    script = [(chance.randrange(8), chance.choice(WORDS)) for _ in range(60)]

    for index, words in script:
        receive_message(
            text(newsroom, index, words),
            sender_id=newsroom.sender_id,
            controller=newsroom.controller,
            now=newsroom.now,
        )
    alone = [story(newsroom, index) for index in range(8)]
    newsroom.join(6, first=20)
    for start in range(0, 60, 20):
        say(newsroom, *(text(newsroom, 20 + index, words) for index, words in script[start : start + 20]))

    assert [story(newsroom, 20 + index) for index in range(8)] == alone
    assert rebuild(controller=newsroom.controller, now=newsroom.now).differing == 0
    assert verify(controller=newsroom.controller).bad is None


def test_the_words_of_one_person_count_in_their_order(newsroom: Newsroom) -> None:
    words = ["START", "STOP", "START", "STOP"]

    found = say(newsroom, *(text(newsroom, 1, word) for word in words), text(newsroom, 2, "START"))

    assert [one.outcome for one in found] == [*words, "START"]
    assert states() == {number(1): "stopped", number(2): "active"}


def test_a_message_that_comes_again_in_the_same_crowd_or_later_changes_nothing(newsroom: Newsroom) -> None:
    first, again = text(newsroom, 1, "START", "A"), text(newsroom, 1, "START", "A")
    stop = text(newsroom, 1, "STOP")

    found = say(newsroom, first, again, stop)
    late = say(newsroom, again, text(newsroom, 2, "START"))

    assert [one.duplicate for one in found + late] == [False, True, False, True, False]
    assert states() == {number(1): "stopped", number(2): "active"}


def test_each_gets_one_answer_that_names_their_message(newsroom: Newsroom) -> None:
    found = say(newsroom, *(text(newsroom, index, "START") for index in range(5)))

    assert all(one.reply_waits for one in found)
    rows = db.session.execute(select(Delivery.subscriber_id, Delivery.inbound_id))
    assert sorted(map(tuple, rows)) == sorted((one.subscriber_id, one.inbound_id) for one in found)
    newsroom.send_replies()
    assert sorted(to for to, _ in newsroom.provider.arrived) == sorted(number(index) for index in range(5))


def test_everybody_who_leaves_in_a_crowd_is_struck_from_what_is_being_sent(newsroom: Newsroom) -> None:
    newsroom.join(5)
    broadcast_id = newsroom.broadcast()

    say(newsroom, *(text(newsroom, index, "STOP") for index in range(3)))

    assert newsroom.tally(broadcast_id).skipped == 3
    newsroom.send()
    assert {number(3), number(4)} == {
        to for to, body in newsroom.provider.arrived if "unsubscribed" not in body
    }


def test_one_fault_undoes_the_whole_crowd(newsroom: Newsroom) -> None:
    broken = Said(newsroom.sender_id + 1_000, text(newsroom, 2, "START"))
    good = Said(newsroom.sender_id, text(newsroom, 1, "START"))

    with pytest.raises(Exception, match="No row"):
        receive_messages([good, broken], controller=newsroom.controller, now=newsroom.now)

    assert states() == {}
    assert db.session.scalar(select(func.count()).select_from(InboundRow)) == 0


def test_a_post_is_put_away_with_its_words_and_words_count_where_it_cannot_be(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = HookRequest("POST", "https://example.org/hooks/city-desk", {}, b"From=1", {})
    say(newsroom, text(newsroom, 1, "START"), post=post)
    assert db.session.scalar(select(func.count()).select_from(Webhook)) == 1
    kept = together.keep
    monkeypatch.setattr(together, "keep", lambda *args, **more: kept(*args, **(more | {"sender_id": None})))

    say(newsroom, text(newsroom, 2, "START"), post=post)

    assert states() == {number(1): "active", number(2): "active"}
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Webhook)) == 1


def test_what_a_link_or_a_page_brought_goes_alone(newsroom: Newsroom) -> None:
    plain = text(newsroom, 1, "START")
    linked = InboundMessage("L", plain.address, "/start", payload="city")

    assert (can_share(plain), can_share(linked)) == (True, False)
