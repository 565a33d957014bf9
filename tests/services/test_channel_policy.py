"""What a platform lets through to people whom we answer nothing (consent rules, 4.4, 4.5 and 6.1 T27, T28)."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from app.domain.addresses import Address
from app.domain.messages import InboundMessage, PlatformEvent, PlatformSignal
from app.gateways.base import Call, Reply
from app.gateways.registry import build, gateway_class
from app.services import review_broadcasts, write_drafts
from app.services.apply_signal import apply_signal
from app.services.manage_senders import add, rotate_secrets
from app.services.receive_message import receive_message
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Lane, LaneSetup
from app.services.senders_of_lists import add_sender
from app.storage.database import db, transaction
from app.storage.models import Sender
from tests.gateways.samples import messenger, whatsapp
from tests.support.world import Newsroom
from workers.journal import journal

BERLIN, LONDON, WASHINGTON = "+493023125001", "+447700900123", "+12025550123"
TEMPLATE = {"template": "newsletter:en_US"}


class Meta:
    """Meta's side of the wire, which takes everything and remembers it."""

    free = 10

    def __init__(self) -> None:
        self.taken: list[Mapping[str, object]] = []
        self._waiting: list[Call] = []

    @property
    def in_flight(self) -> int:
        return len(self._waiting)

    def submit(self, call: Call) -> None:
        self.taken.append(json.loads(call.body))
        self._waiting.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        calls, self._waiting = self._waiting, []
        return [(call, Reply(200, b'{"messages": [{"id": "w1"}], "message_id": "m1"}')) for call in calls]

    def close(self) -> None:
        self._waiting.clear()


class OnMeta:
    """The newsroom's list “City” on a channel of Meta's, besides SMS."""

    def __init__(self, newsroom: Newsroom, name: str, settings: Mapping[str, str]) -> None:
        self.newsroom, self.name, self.settings = newsroom, name, settings
        self.sender_id = add(
            name=f"city-{name}",
            gateway=gateway_class(name),
            settings=settings,
            rate=1000.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        add_sender("CITY", f"city-{name}", by="tests", now=newsroom.now)

    def write(self, who: str, words: str) -> None:
        newsroom = self.newsroom
        id_ = f"{who}:{words}:{newsroom.now.isoformat()}"
        receive_message(
            InboundMessage(id_, Address(self.name, who), words),
            sender_id=self.sender_id,
            controller=newsroom.controller,
            now=newsroom.now,
        )

    def send(self) -> Meta:
        newsroom, meta = self.newsroom, Meta()
        with transaction() as session:
            replies_id = replies_broadcast(session, session.get_one(Sender, self.sender_id), newsroom.now)
        gateway = build(self.name, self.settings, None)
        Lane(
            LaneSetup(self.sender_id, replies_id, 1000.0, "http://localhost/hooks/x", gateway),
            transport=meta,
            throttle=newsroom.throttle,
            controller=newsroom.controller,
            journal=journal(),
            clock=lambda: newsroom.now,
            worker="here:2",
        ).drain(newsroom.now + timedelta(seconds=20))
        return meta

    def review(self) -> review_broadcasts.Review:
        newsroom = self.newsroom
        draft = write_drafts.create_draft(
            title="Bridge",
            text="City: open. STOP ends.",
            list_ids=[newsroom.list_id],
            by="a",
            now=newsroom.now,
        )
        found = review_broadcasts.check(draft, now=newsroom.now)
        db.session.rollback()
        return found


@pytest.fixture
def page(newsroom: Newsroom) -> OnMeta:
    return OnMeta(newsroom, "messenger", messenger.SETTINGS)


@pytest.fixture
def number(newsroom: Newsroom) -> OnMeta:
    return OnMeta(newsroom, "whatsapp", {**whatsapp.SETTINGS, **TEMPLATE})


def test_t27_whoever_did_not_write_for_a_day_is_skipped_and_never_tagged(page: OnMeta) -> None:
    newsroom = page.newsroom
    page.write("1001", "CITY")
    newsroom.later(hours=23)
    page.write("1002", "CITY")
    page.send()
    newsroom.later(hours=2)

    assert page.review().skipped == {"no_proactive_path": 1}
    broadcast_id = newsroom.broadcast()
    sent = page.send().taken

    assert [one["recipient"] for one in sent] == [{"id": "1002"}]
    assert all(one["messaging_type"] == "UPDATE" and "tag" not in one for one in sent)
    assert newsroom.tally(broadcast_id).reasons == {"no_proactive_path": 1}


def test_t27_any_words_of_theirs_open_the_way_again(page: OnMeta) -> None:
    page.write("1001", "CITY")
    page.newsroom.later(days=9)
    page.write("1001", "when does the bridge open?")

    assert page.review().skipped == {}


def test_t27_what_the_platform_says_of_a_person_is_no_word_of_theirs(page: OnMeta) -> None:
    newsroom = page.newsroom
    page.write("1001", "CITY")
    newsroom.later(days=2)
    came_back = PlatformEvent("s1", Address("messenger", "1001"), PlatformSignal.CAME_BACK)
    apply_signal(came_back, sender_id=page.sender_id, controller=newsroom.controller, now=newsroom.now)

    assert page.review().skipped == {"no_proactive_path": 1}


def test_t27_the_way_may_close_while_people_wait_for_their_turn(page: OnMeta) -> None:
    newsroom = page.newsroom
    page.write("1001", "CITY")
    page.send()
    newsroom.later(hours=23, minutes=59)
    broadcast_id = newsroom.broadcast()
    lane_of_sms = newsroom.lane()  # somebody else's lane claims nothing of this one
    lane_of_sms.drain(newsroom.now + timedelta(seconds=1))
    newsroom.later(minutes=2)

    assert page.send().taken == []
    assert newsroom.tally(broadcast_id).reasons == {"no_proactive_path": 1}


def test_t28_no_newsletter_by_whatsapp_to_a_number_of_plus_one(number: OnMeta) -> None:
    newsroom = number.newsroom
    for who in (BERLIN, LONDON, WASHINGTON):
        number.write(who, "CITY")
    number.send()
    newsroom.later(days=3)

    review = number.review()
    assert (review.reachable, review.skipped, review.elsewhere) == (2, {"region_closed": 1}, 0)
    broadcast_id = newsroom.broadcast()
    assert {one["to"] for one in number.send().taken} == {LONDON[1:], BERLIN[1:]}
    assert newsroom.tally(broadcast_id).reasons == {"region_closed": 1}


def test_t28_whoever_agreed_to_sms_as_well_gets_it_there_and_the_review_says_so(number: OnMeta) -> None:
    newsroom = number.newsroom
    number.write(WASHINGTON, "CITY")
    number.write("+12025550124", "CITY")  # on no other channel: nobody writes to them there
    newsroom.text("CITY", WASHINGTON)
    newsroom.send()
    newsroom.later(days=1)

    assert number.review().elsewhere == 1
    newsroom.provider.arrived.clear()
    newsroom.broadcast()
    newsroom.send()
    assert [to for to, _ in newsroom.provider.arrived] == [WASHINGTON]
    assert number.send().taken == []


def test_without_a_template_whatsapp_reaches_those_who_wrote_within_a_day(newsroom: Newsroom) -> None:
    number = OnMeta(newsroom, "whatsapp", whatsapp.SETTINGS)
    number.write(BERLIN, "CITY")
    newsroom.later(days=1, minutes=1)
    number.write(WASHINGTON, "CITY")

    assert number.review().skipped == {"no_proactive_path": 1}

    rotate_secrets(
        "city-whatsapp",
        gateway=gateway_class("whatsapp"),
        settings=TEMPLATE,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )
    assert number.review().skipped == {"region_closed": 1}
