"""Asking the provider what became of messages that left without an answer."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.short_links import Clicks
from app.domain.statuses import OnUnknown
from app.gateways.base import Call, Reply
from app.gateways.line import LineGateway
from app.gateways.registry import build
from app.gateways.twilio import TwilioGateway
from app.services import fan_out, short_links
from app.services.look_up_unknown import LookedUp, look_up, senders_to_ask
from app.services.manage_lists import set_on_unknown
from app.services.rich_messages import save_rich
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Delivery
from tests.gateways.samples import line
from tests.services.test_media import Carrier, lane, start, with_file
from tests.services.test_media import gateway as twilio
from tests.support import media
from tests.support.world import ACCOUNT, NUMBER, TOKEN, FakeProvider, Newsroom, number

BODY = "The bridge is open again."
PUBLIC = "https://n.example.org"


class Archive:
    """Twilio's list of messages, as far as a test has put some there."""

    free, in_flight = 4, 0

    def __init__(self, *messages: dict[str, Any], status: int = 200) -> None:
        self.messages, self._status = list(messages), status
        self.asked: list[Call] = []
        self._waiting: list[Call] = []

    def submit(self, call: Call) -> None:
        self.asked.append(call)
        self._waiting.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        calls, self._waiting = self._waiting, []
        return [(call, self._answer(call)) for call in calls]

    def _answer(self, call: Call) -> Reply:
        to = parse_qs(urlsplit(call.url).query)["To"][0]
        found = [one for one in self.messages if one["to"] == to]
        return Reply(self._status, json.dumps({"messages": found}).encode())

    def close(self) -> None:
        self._waiting.clear()


def message(
    to: str, at: datetime, body: str = BODY, status: str = "delivered", sid: str = "a"
) -> dict[str, Any]:
    return {
        "sid": f"SM{sid * 32}",
        "to": to,
        "from": NUMBER,
        "body": body,
        "status": status,
        "error_code": 30005 if status == "undelivered" else None,
        "date_created": format_datetime(at),
    }


@pytest.fixture
def silent(newsroom: Newsroom) -> tuple[Newsroom, int]:
    """A broadcast to three; the provider never said whether it took that to the first."""
    newsroom.join(3)
    broadcast_id = newsroom.broadcast(BODY)
    newsroom.provider.answer = lambda to, body: (
        Reply(0, left=True, reason="curl_28")
        if to == number(0)
        else Reply(201, b'{"sid": "SM%032x"}' % abs(hash(to)))
    )
    newsroom.send()
    assert newsroom.tally(broadcast_id).unknown == 1
    newsroom.provider = FakeProvider()
    newsroom.later(minutes=6)
    return newsroom, broadcast_id


def ask(newsroom: Newsroom, archive: Archive) -> LookedUp:
    gateway = TwilioGateway({"account_sid": ACCOUNT, "auth_token": TOKEN, "from": NUMBER})
    return asked(newsroom, gateway, archive)


def asked(newsroom: Newsroom, gateway: object, archive: Archive, public_url: str = PUBLIC) -> LookedUp:
    return look_up(
        newsroom.sender_id,
        gateway,
        archive,
        controller=newsroom.controller,
        public_url=public_url,
        now=newsroom.now,
    )


def row(broadcast_id: int) -> Delivery:
    db.session.rollback()
    return (
        db.session.query(Delivery)
        .filter_by(broadcast_id=broadcast_id)
        .order_by(Delivery.subscriber_id)
        .first()
    )


def earlier(newsroom: Newsroom) -> datetime:
    return newsroom.now - timedelta(minutes=6)


def test_a_message_that_the_provider_has_is_settled_as_by_its_receipt(silent: tuple[Newsroom, int]) -> None:
    newsroom, broadcast_id = silent
    assert senders_to_ask(newsroom.now) == [newsroom.sender_id]

    assert ask(newsroom, Archive(message(number(0), earlier(newsroom)))) == LookedUp(found=1)

    assert newsroom.tally(broadcast_id).delivered == 1
    assert row(broadcast_id).provider_id == "SM" + "a" * 32
    assert senders_to_ask(newsroom.now) == []


def test_one_that_failed_there_fails_here_for_the_same_reason(silent: tuple[Newsroom, int]) -> None:
    newsroom, broadcast_id = silent
    ask(newsroom, Archive(message(number(0), earlier(newsroom), status="undelivered")))

    assert (newsroom.tally(broadcast_id).failed, row(broadcast_id).error_code) == (1, "30005")


def test_one_that_is_not_there_stays_unknown_unless_the_list_wants_it_sent(
    silent: tuple[Newsroom, int],
) -> None:
    newsroom, broadcast_id = silent

    assert ask(newsroom, Archive()) == LookedUp(absent=1)

    tally = newsroom.tally(broadcast_id)
    assert (tally.unknown, tally.reasons) == (1, {"not_at_provider": 1})
    assert senders_to_ask(newsroom.now) == []  # asked and answered
    fan_out.bring_back(newsroom.now)
    newsroom.send()
    assert newsroom.provider.arrived == []


def test_a_list_that_wants_it_gets_it_sent_once_more_to_that_person_alone(
    silent: tuple[Newsroom, int],
) -> None:
    newsroom, broadcast_id = silent
    set_on_unknown("CITY", OnUnknown.RESEND, by="tests", now=newsroom.now)

    assert ask(newsroom, Archive()) == LookedUp(absent=1, sent_again=1)
    fan_out.bring_back(newsroom.now)
    newsroom.send()

    assert newsroom.provider.arrived == [(number(0), BODY)]
    assert newsroom.tally(broadcast_id).sent == 3
    db.session.rollback()
    assert db.session.get_one(Broadcast, broadcast_id).state == "finished"


def test_nothing_stale_is_sent_again(silent: tuple[Newsroom, int]) -> None:
    newsroom, broadcast_id = silent
    set_on_unknown("CITY", OnUnknown.RESEND, by="tests", now=newsroom.now)
    newsroom.later(hours=2)

    assert ask(newsroom, Archive()) == LookedUp(absent=1)
    assert newsroom.tally(broadcast_id).reasons == {"not_at_provider": 1}


def test_whoever_said_stop_meanwhile_gets_nothing_again(silent: tuple[Newsroom, int]) -> None:
    newsroom, broadcast_id = silent
    set_on_unknown("CITY", OnUnknown.RESEND, by="tests", now=newsroom.now)
    newsroom.text("STOP", number(0))
    ask(newsroom, Archive())

    assert newsroom.tally(broadcast_id).reasons == {"stopped": 1}


def test_the_same_words_to_the_same_person_yesterday_are_another_message(
    silent: tuple[Newsroom, int],
) -> None:
    newsroom, _ = silent
    yesterday = message(number(0), newsroom.now - timedelta(days=1))

    assert ask(newsroom, Archive(yesterday)) == LookedUp(absent=1)


def test_a_message_in_other_words_that_may_be_it_leaves_a_doubt(silent: tuple[Newsroom, int]) -> None:
    newsroom, broadcast_id = silent
    set_on_unknown("CITY", OnUnknown.RESEND, by="tests", now=newsroom.now)
    rewritten = message(number(0), earlier(newsroom), body="The bridge is open again. [trial account]")

    assert ask(newsroom, Archive(rewritten)) == LookedUp(untold=1)
    assert newsroom.tally(broadcast_id).reasons == {"outcome_unknown": 1}
    assert senders_to_ask(newsroom.now) == []  # others first
    newsroom.later(minutes=6)
    assert senders_to_ask(newsroom.now) == [newsroom.sender_id]


def test_messages_that_we_know_to_be_others_leave_no_doubt(silent: tuple[Newsroom, int]) -> None:
    newsroom, _ = silent
    newsroom.text("HELP", number(0))
    newsroom.provider.answer = lambda to, body: Reply(201, b'{"sid": "SM%s"}' % (b"b" * 32))
    newsroom.send_replies()
    answer = message(number(0), newsroom.now, body="Riverside News: help", sid="b")

    assert ask(newsroom, Archive(answer)) == LookedUp(absent=1)


@pytest.mark.parametrize(
    "archive",
    [
        lambda now: Archive(status=500),
        lambda now: Archive(*[message(number(0), now, body=f"other {i}") for i in range(50)]),
        lambda now: Archive({**message(number(0), now), "date_created": "soon"}),
    ],
)
def test_an_answer_that_tells_nothing_changes_nothing(
    silent: tuple[Newsroom, int], archive: Callable[[datetime], Archive]
) -> None:
    newsroom, broadcast_id = silent
    assert ask(newsroom, archive(newsroom.now)) == LookedUp(untold=1)
    assert newsroom.tally(broadcast_id).reasons == {"outcome_unknown": 1}


def test_a_provider_that_cannot_be_asked_leaves_them_unknown(silent: tuple[Newsroom, int]) -> None:
    newsroom, broadcast_id = silent
    gateway = build(LineGateway.name, line.SETTINGS, None)
    archive = Archive()

    done = asked(newsroom, gateway, archive)

    assert (done, archive.asked) == (LookedUp(untold=1), [])
    assert newsroom.tally(broadcast_id).reasons == {"outcome_unknown": 1}


def test_nobody_asks_before_a_receipt_had_its_time(silent: tuple[Newsroom, int]) -> None:
    newsroom, _ = silent
    newsroom.later(minutes=-2)
    assert senders_to_ask(newsroom.now) == []


@pytest.mark.parametrize(
    ("person", "data", "answer"),
    [
        (
            "+447700900123",
            media.jpeg(),
            LookedUp(found=1),
        ),  # a country without MMS: the link is at the very end
        ("+447700900123", media.mp4() + bytes(600_000), LookedUp(found=1)),
        (number(0), media.jpeg(), LookedUp(found=1)),  # beside the text, in which is no link to it
    ],
)
def test_a_message_with_a_link_to_its_file_and_buttons_in_words_is_found_again(
    newsroom: Newsroom, person: str, data: bytes, answer: LookedUp
) -> None:
    newsroom.text("START", person)
    newsroom.send()
    short_links.set_clicks("City", Clicks.LINKS, public_url=PUBLIC, by="ada", now=newsroom.now)
    broadcast_id = with_file(newsroom, data)
    buttons = Rich((Button(ButtonKind.REPLY, "Yes"), Button(ButtonKind.LINK, "Plan", "https://e.org/plan")))
    with transaction() as session:
        save_rich(session, broadcast_id, {"": buttons})
    start(newsroom, broadcast_id)
    provider = FakeProvider(answer=lambda to, body: Reply(0, left=True, reason="curl_28"))
    lane(newsroom, twilio(), Carrier([]), provider).drain(newsroom.now + timedelta(seconds=5))
    ((_, body),) = provider.arrived
    newsroom.later(minutes=6)

    archive = Archive(message(person, earlier(newsroom), body=body))

    assert asked(newsroom, twilio(), archive, public_url="http://localhost") == answer
    assert newsroom.tally(broadcast_id).delivered == 1
