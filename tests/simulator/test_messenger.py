"""Messenger in the simulator: the story of two readers of a page, echoes, the window, and what Meta refuses."""

from datetime import timedelta

import pytest

from app.clock import utcnow
from app.domain.messages import ErrorKind
from tests.gateways.samples.messenger import SETTINGS, event, told
from tests.support.chat_city import ADA, GRACE, ChatCity, Platform
from tests.support.world import Newsroom

PAGE = SETTINGS["username"]


def test_people_come_join_read_switch_off_and_on_and_block(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "messenger", PAGE, SETTINGS)
    city.comes(ADA, scene="city_poster7")  # a link says which list
    city.comes(GRACE)
    assert [city.state(one) for one in (ADA, GRACE)] == ["active", None]
    assert "CITY" in city.shown(GRACE)[0]
    city.says(GRACE, "CITY")
    assert city.broadcast("The bridge is open.") == ["delivered", "delivered"]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The bridge is open."] * 2

    city.prefers(ADA, False)
    assert city.state(ADA) == "stopped"
    city.prefers(ADA, True)
    city.says(GRACE, "STOP")
    assert [city.state(one) for one in (ADA, GRACE)] == ["active", "stopped"]
    city.blocks(ADA)  # nobody is told: the refusal of the next message shows it
    assert city.broadcast("The road is open.") == ["failed blocked"]

    city.blocks(ADA, False)
    city.says(ADA, "CITY")
    assert city.broadcast("The tram runs.") == ["delivered"]
    city.newsroom.later(hours=25)
    assert city.broadcast("Too late.") == []
    assert [city.shown(ADA).count(one) for one in ("The bridge is open.", "The tram runs.")] == [1, 1]


def test_a_report_of_a_colleagues_message_holds_up_nobodys_words_and_is_taken_when_it_is_old(
    newsroom: Newsroom,
) -> None:
    city = ChatCity(newsroom, "messenger", PAGE, SETTINGS)
    city.comes(ADA, scene="city_poster7")
    ada = person(ADA)

    def told_of_both(seconds_ago: float) -> int:
        then = int((utcnow() - timedelta(seconds=seconds_ago)).timestamp() * 1000)
        arrived = {**event(sender=ada, delivery={"mids": ["m_by_hand"]}), "timestamp": then}
        said = {**event(sender=ada, message={"mid": "m_5", "text": "STOP"}), "timestamp": then}
        hook = told(arrived, said)
        return city.tell(hook.body, dict(hook.headers))

    assert told_of_both(1) == 503
    assert city.state(ADA) == "stopped"
    assert told_of_both(60) == 200


@pytest.fixture
def page() -> Platform:
    return Platform("messenger", PAGE, SETTINGS)


def kind(page: Platform, person: str) -> ErrorKind | None:
    (outcome,) = page.send(person)
    return outcome.error.kind if outcome.error else None


def person(number: str) -> str:
    return f"7{number.removeprefix('+'):0>15}"


def test_a_page_may_write_for_a_day_after_words_or_a_press() -> None:
    now = utcnow()
    page = Platform("messenger", PAGE, SETTINGS, lambda: now)
    assert kind(page, person(ADA)) is ErrorKind.INVALID
    page.world.chats.open(ADA, page.account)
    assert kind(page, person(ADA)) is None
    now += timedelta(hours=24)
    assert kind(page, person(ADA)) is ErrorKind.WINDOW_CLOSED


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("0403", [ErrorKind.BLOCKED] * 2),
        ("0404", [ErrorKind.INVALID] * 2),
        ("0424", [ErrorKind.WINDOW_CLOSED] * 2),
        ("0449", [ErrorKind.PREFERENCE_CAP] * 2),
        ("0429", [ErrorKind.RATE_LIMITED, None]),
        ("0500", [ErrorKind.TEMPORARY, None]),
    ],
)
def test_some_people_misbehave(page: Platform, digits: str, expected: list[ErrorKind | None]) -> None:
    page.world.chats.open(f"+44770090{digits}", page.account)

    assert [kind(page, person(f"+44770090{digits}")) for _ in range(2)] == expected


def test_what_meta_cannot_read_is_refused(page: Platform) -> None:
    page.world.chats.open(ADA, page.account)

    def code(**changes: object) -> tuple[int, int | None]:
        body = {
            "recipient": {"id": person(ADA)},
            "messaging_type": "UPDATE",
            "message": {"text": "Hello"},
        }
        address = f"/v25.0/{SETTINGS['page_id']}/messages?access_token={SETTINGS['token']}"
        error = page.client.post(address, json=body | changes).get_json()["error"]
        return error["code"], error.get("error_subcode")

    assert code(recipient={}) == (100, None)
    assert code(message={}) == (100, 2018034)
    assert code(message={"text": "x" * 2001}) == (100, None)
    assert code(messaging_type="MESSAGE_TAG") == (100, None)
