"""LINE in the simulator: the story of two friends of an account, and what LINE refuses."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.clock import utcnow
from app.domain.messages import ErrorKind
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Call, Reply
from app.storage.database import db, transaction
from app.storage.models import Delivery, InboundRow
from app.storage.replies import drop_late_confirmations
from tests.gateways.samples.line import SETTINGS
from tests.support.chat_city import ADA, GRACE, ChatCity, Platform, ask
from tests.support.world import Newsroom


def test_people_follow_join_read_stop_block_and_come_back(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "line", SETTINGS["id"], SETTINGS)
    city.comes(ADA)
    assert "CITY" in city.shown(ADA)[0]  # to follow is no consent: she is told what there is
    assert city.state(ADA) is None
    for phone in (ADA, GRACE):
        city.says(phone, "CITY")
    assert [city.state(one) for one in (ADA, GRACE)] == ["active", "active"]

    assert city.broadcast("The bridge is open.") == ["sent", "sent"]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The bridge is open."] * 2

    city.says(ADA, "STOP")
    city.blocks(GRACE)
    assert [city.state(one) for one in (ADA, GRACE)] == ["stopped", "stopped"]
    assert city.broadcast("Nobody reads this.") == []

    city.blocks(GRACE, False)
    assert city.state(GRACE) == "stopped"
    city.says(GRACE, "CITY")
    assert city.broadcast("The road is open.") == ["sent"]
    assert city.shown(GRACE)[-1] == "The road is open."
    assert [city.shown(one).count("The bridge is open.") for one in (ADA, GRACE)] == [1, 1]


@pytest.fixture
def line() -> Platform:
    return Platform("line", SETTINGS["id"], SETTINGS)


def kinds(line: Platform, *people: str, text: str = "Hello") -> list[ErrorKind | None]:
    return [one.error.kind if one.error else None for one in line.send(*people, text=text)]


def user(number: str) -> str:
    return f"U{number.removeprefix('+'):0>32}"


def test_the_same_request_twice_is_one_message(line: Platform) -> None:
    line.world.chats.open(ADA, line.account)

    first, again = line.send(user(ADA)), line.send(user(ADA))

    assert (first[0].error, first[0].provider_id) == (None, again[0].provider_id)
    assert line.shown(ADA) == ["Hello"]


def test_somebody_who_blocked_is_a_yes_and_reads_nothing(line: Platform) -> None:
    line.world.chats.open(ADA, line.account)
    line.world.chats.block(ADA, line.account, True)

    assert kinds(line, user(ADA)) == [None]
    assert line.shown(ADA) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+12025550199", [ErrorKind.INVALID] * 2),  # nobody's friend
        ("+447700900404", [ErrorKind.INVALID] * 2),
        ("+447700900403", [None] * 2),
        ("+447700900429", [ErrorKind.RATE_LIMITED, None]),
        ("+447700900500", [ErrorKind.TEMPORARY, None]),
    ],
)
def test_some_people_misbehave(line: Platform, number: str, expected: list[ErrorKind | None]) -> None:
    if number != "+12025550199":
        line.world.chats.open(number, line.account)

    assert [kinds(line, user(number))[0] for _ in range(2)] == expected


def test_the_months_quota_counts_people_and_ends(line: Platform) -> None:
    now = utcnow().replace(day=15)
    limited = Platform("line", SETTINGS["id"], {**SETTINGS, "monthly_limit": "3"}, lambda: now)
    people = [user(one) for one in (ADA, GRACE)]

    assert kinds(limited, *people) == [None, None]
    assert kinds(limited, user("+12025550151"), user("+12025550152")) == [ErrorKind.QUOTA] * 2
    now += timedelta(days=31)
    assert kinds(limited, user("+12025550151"), user("+12025550152")) == [None, None]


def test_too_many_requests_a_second_are_told_apart_from_the_quota() -> None:
    now = utcnow()
    line = Platform("line", SETTINGS["id"], SETTINGS, lambda: now)
    numbers = [f"+1202555{last:04d}" for last in (*range(100, 200), *range(100, 200), 100)]

    found = [kinds(line, user(one), user(str(at)))[0] for at, one in enumerate(numbers, 1000)]

    assert found == [None] * 200 + [ErrorKind.RATE_LIMITED]


def test_an_event_may_be_answered_once_and_costs_no_quota(line: Platform) -> None:
    line.world.chats.open(ADA, line.account)
    (token,) = line.world.line.reply_tokens
    headers = {"Authorization": f"Bearer {SETTINGS['channel_token']}"}
    body = {"replyToken": token, "messages": [{"type": "text", "text": "Welcome"}]}

    def status(**more: str) -> int:
        return line.client.post("/v2/bot/message/reply", json=body, headers=headers | more).status_code

    assert [status(**{"X-Line-Retry-Key": str(uuid4())}), status(), status()] == [400, 200, 400]
    assert line.shown(ADA) == ["Welcome"]


def test_what_line_cannot_read_is_refused_and_named(line: Platform) -> None:
    def words(kind: str, **body: object) -> str:
        headers = {"Authorization": f"Bearer {SETTINGS['channel_token']}"}
        answer = line.client.post(f"/v2/bot/message/{kind}", json=body, headers=headers)
        assert answer.status_code == 400
        return str(answer.get_json())

    hello = [{"type": "text", "text": "Hello"}]
    assert "'to'" in words("push", to="ada", messages=hello)
    assert "between 1 and 500" in words("multicast", to=[user(ADA)] * 501, messages=hello)
    assert "messages[0].text" in words("push", to=user(ADA), messages=[{"type": "text", "text": "x" * 5001}])
    assert "messages" in words("push", to=user(ADA), messages=[])
    nobody = Platform("line", SETTINGS["id"], {**SETTINGS, "channel_token": "rotated"})
    line.world.chats.put(nobody.account)
    assert kinds(line, user(ADA)) == [ErrorKind.AUTH]


def used(city: ChatCity) -> int:
    headers = {"Authorization": f"Bearer {SETTINGS['channel_token']}"}
    answer = city.client.get("/v2/bot/message/quota/consumption", headers=headers)
    return int(answer.get_json()["totalUsage"])


def tokens_kept() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(InboundRow.reply_token).where(InboundRow.reply_token.is_not(None))))


def answers() -> list[tuple[DeliveryStatus, int]]:
    db.session.rollback()
    rows = db.session.execute(
        select(Delivery.status, Delivery.attempts)
        .where(Delivery.inbound_id > 0)
        .order_by(Delivery.inbound_id)
    )
    return [(DeliveryStatus(status), attempts) for status, attempts in rows]


def test_what_answers_people_costs_no_message_of_the_month(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "line", SETTINGS["id"], SETTINGS)
    city.world.chats.put(replace(city.account, settings={**SETTINGS, "monthly_limit": "1"}))
    city.comes(ADA)
    for words in ("CITY", "HELP"):
        city.says(ADA, words)

    assert (len(city.shown(ADA)), used(city), tokens_kept()) == (3, 0, [])
    assert [kinds(city, user(ADA), text=words) for words in ("one", "two")] == [[None], [ErrorKind.QUOTA]]
    city.says(ADA, "STOP")  # the month is used up, and she reads all the same that it is done
    assert (len(city.shown(ADA)), used(city), city.state(ADA)) == (5, 1, "stopped")


def test_an_answer_that_comes_too_late_for_its_token_goes_by_a_push(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "line", SETTINGS["id"], SETTINGS)
    city.comes(ADA)
    city.world.chats.text(ADA, city.account, "CITY")
    assert len(tokens_kept()) == 1
    newsroom.later(seconds=51)
    city.drain()

    assert (len(city.shown(ADA)), used(city), tokens_kept()) == (2, 1, [])


def test_a_refused_token_is_followed_by_one_push_at_once(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "line", SETTINGS["id"], SETTINGS)
    city.comes(ADA)
    city.world.chats.text(ADA, city.account, "CITY")
    city.world.line.reply_tokens.clear()
    city.drain()

    assert (len(city.shown(ADA)), used(city), answers()[-1]) == (2, 1, (DeliveryStatus.SENT, 2))


@pytest.mark.parametrize(
    "lost", [Reply(0, left=True, reason="timeout"), Reply(500, b'{"message": "Internal server error"}')]
)
def test_an_answer_of_which_nobody_knows_whether_it_was_taken_is_followed_by_none(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, lost: Reply
) -> None:
    city = ChatCity(newsroom, "line", SETTINGS["id"], SETTINGS)
    city.comes(ADA)
    city.world.chats.text(ADA, city.account, "CITY")

    def taken_and_lost(client: FlaskClient, call: Call) -> Reply:
        ask(client, call)
        return lost

    with monkeypatch.context() as away:
        away.setattr("tests.support.chat_city.ask", taken_and_lost)
        city.drain()
    newsroom.later(minutes=5)
    city.drain()

    assert (len(city.shown(ADA)), used(city)) == (2, 0)
    assert (answers()[-1], tokens_kept()) == ((DeliveryStatus.UNKNOWN, 1), [])


def test_a_confirmation_that_nobody_fetched_takes_its_token_with_it(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "line", SETTINGS["id"], SETTINGS)
    city.says(ADA, "CITY")
    city.world.chats.text(ADA, city.account, "STOP")
    newsroom.later(minutes=6)
    with transaction() as session:
        assert len(drop_late_confirmations(session, newsroom.now)) == 1

    assert tokens_kept() == []


def test_a_token_is_good_for_a_minute_and_for_the_account_that_heard_it() -> None:
    now = utcnow()
    line = Platform("line", SETTINGS["id"], SETTINGS, lambda: now)
    other = Platform("line", "@sport", {**SETTINGS, "id": "@sport", "channel_token": "others"})
    line.world.chats.put(other.account)

    def status(token: str, access: str = SETTINGS["channel_token"]) -> int:
        body = {"replyToken": token, "messages": [{"type": "text", "text": "Welcome"}]}
        headers = {"Authorization": f"Bearer {access}"}
        return line.client.post("/v2/bot/message/reply", json=body, headers=headers).status_code

    def newest() -> str:
        line.world.chats.text(ADA, line.account, "hello")
        return list(line.world.line.reply_tokens)[-1]

    assert [status(newest(), "others"), status(newest())] == [400, 200]
    old = newest()
    now += timedelta(seconds=61)
    assert (status(old), line.shown(ADA)) == (400, ["Welcome"])


def test_friends_are_listed_page_by_page_without_those_who_blocked(line: Platform) -> None:
    for phone in (ADA, GRACE, "+12025550152"):
        line.world.chats.open(phone, line.account)
    line.world.chats.block(GRACE, line.account, True)

    def listed(**query: str) -> tuple[int, dict[str, object]]:
        headers = {"Authorization": f"Bearer {SETTINGS['channel_token']}"}
        answer = line.client.get("/v2/bot/followers/ids", query_string=query, headers=headers)
        return answer.status_code, answer.get_json()

    both = sorted([user(ADA), user("+12025550152")])
    assert listed() == (200, {"userIds": both})
    assert listed(limit="1") == (200, {"userIds": both[:1], "next": both[0]})
    assert listed(limit="1", start=both[0]) == (200, {"userIds": both[1:]})
    assert [listed(limit=one)[0] for one in ("0", "1001", "many")] == [400] * 3
    line.world.chats.put(replace(line.account, settings={**SETTINGS, "verified": "no"}))
    assert listed()[0] == 403
