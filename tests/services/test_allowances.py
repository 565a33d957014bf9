"""What a platform still takes from a sender: asked once an hour, said before scheduling, and true afterwards."""

from datetime import datetime, timedelta

import pytest

from app.desk.refusals import is_known
from app.domain.allowances import Allowance, Span, Standing
from app.domain.statuses import BroadcastState
from app.gateways.allowances import CannotSay, TellsAllowance, ask_allowance
from app.services import allowances, review_broadcasts, write_drafts
from app.services.allowance_health import check_allowances
from app.services.checks import Health
from app.storage.database import db, transaction
from app.storage.models import Broadcast, SenderAllowance
from tests.gateways.samples.line import SETTINGS
from tests.support.chat_city import ADA, GRACE, ChatCity, Line
from tests.support.world import Newsroom

MARY = "+447700900119"


def tell(newsroom: Newsroom, told: Allowance | CannotSay) -> None:
    """Let the platform of the newsroom's sender have said this just now."""
    with transaction() as session:
        row = session.get(SenderAllowance, newsroom.sender_id)
        if row is not None:
            session.delete(row)
    assert newsroom.sender_id in allowances.claim({"twilio"}, newsroom.now)
    allowances.keep(newsroom.sender_id, told, newsroom.now)


def month(most: int | None, used: int) -> Allowance:
    return Allowance(Span.MONTH, most, used, "Asia/Tokyo")


def draft(newsroom: Newsroom) -> int:
    return write_drafts.create_draft(
        title="Bridge",
        text="The bridge is open.",
        list_ids=[newsroom.list_id],
        by="bob",
        now=newsroom.now,
    )


def notes(newsroom: Newsroom, at: datetime | None = None, fresh_minutes: int = 120) -> tuple[str, ...]:
    said = review_broadcasts.check(
        draft(newsroom), now=newsroom.now, at=at, fresh_minutes=fresh_minutes
    ).quota_notes
    assert [one for one in said if not is_known(one)] == []
    return said


def test_a_sender_is_asked_about_once_an_hour(newsroom: Newsroom) -> None:
    first = allowances.claim({"twilio"}, newsroom.now)
    again = allowances.claim({"twilio"}, newsroom.now + timedelta(minutes=59))
    later = allowances.claim({"twilio"}, newsroom.now + timedelta(minutes=61))

    assert (first, again, later) == ([newsroom.sender_id], [], [newsroom.sender_id])
    assert allowances.claim({"another"}, newsroom.now + timedelta(days=1)) == []


def test_what_could_not_be_told_is_asked_again_after_two_minutes(newsroom: Newsroom) -> None:
    tell(newsroom, CannotSay("the provider answered HTTP 401"))

    assert allowances.claim({"twilio"}, newsroom.now + timedelta(seconds=119)) == []
    assert allowances.claim({"twilio"}, newsroom.now + timedelta(seconds=121)) == [newsroom.sender_id]


def test_nothing_is_said_of_a_sender_by_which_nobody_is_reached(newsroom: Newsroom) -> None:
    tell(newsroom, CannotSay("the provider answered HTTP 401"))

    assert notes(newsroom) == ()


def test_a_month_with_too_little_left_is_said_with_how_many_and_until_when(newsroom: Newsroom) -> None:
    newsroom.join(5)
    tell(newsroom, month(5000, 4998))

    (said,) = notes(newsroom)
    assert said == (
        "SMS: 2 messages are left this month for city-desk, and this broadcast needs 5. Then it pauses on all its "
        "channels, and at least 3 people do not get it: the next month begins on 2026-04-01 (Asia/Tokyo), when it is "
        "not fresh any more."
    )


def test_who_is_still_fresh_then_waits(newsroom: Newsroom) -> None:
    newsroom.join(5)
    newsroom.later(days=28, hours=23)  # March 31, 20:00 in Tokyo
    tell(newsroom, month(5000, 4998))

    (said,) = notes(newsroom, fresh_minutes=600)

    assert said.endswith(
        "at least 3 people wait until somebody lets it go on, which works from 2026-04-01 (Asia/Tokyo)."
    )


@pytest.mark.parametrize("told", [month(5000, 4995), month(None, 10**6)])
def test_nothing_is_said_where_enough_is_left_or_there_is_no_limit(
    newsroom: Newsroom, told: Allowance
) -> None:
    newsroom.join(5)
    tell(newsroom, told)

    assert notes(newsroom) == ()


def test_a_broadcast_in_the_next_month_has_a_whole_one(newsroom: Newsroom) -> None:
    newsroom.join(5)
    tell(newsroom, month(4, 4))

    (said,) = notes(newsroom, newsroom.now + timedelta(days=31))

    assert said.startswith("SMS: city-desk has 4 messages a month, and this broadcast needs 5.")
    assert "2026-05-01" in said


def test_a_moving_day_counts_only_people_outside_of_their_window_who_had_nothing_yet(
    newsroom: Newsroom,
) -> None:
    for phone in newsroom.join(5):
        newsroom.text("How are you?", phone)
    day = Allowance(Span.MOVING_DAY, 3)
    tell(newsroom, day)
    assert notes(newsroom) == ()  # all of them wrote today

    newsroom.later(hours=25)
    tell(newsroom, day)
    (said,) = notes(newsroom)
    assert said == (
        "SMS: city-desk may begin to talk with 3 people in 24 hours, 0 are used up, and this broadcast needs 5. Then "
        "it pauses on all its channels, and at least 2 people wait until somebody lets it go on."
    )

    newsroom.broadcast("The road is open.")
    newsroom.send()
    tell(newsroom, day)
    assert notes(newsroom) == ()  # they are counted already, and count once
    newsroom.join(1, first=50)
    newsroom.later(hours=23)
    tell(newsroom, Allowance(Span.MOVING_DAY, 5))
    assert "5 are used up, and this broadcast needs 1." in notes(newsroom)[0]
    tell(newsroom, Allowance(Span.MOVING_DAY, 6))
    assert notes(newsroom) == ()
    newsroom.later(hours=2)  # the day moved on: all six are new again
    tell(newsroom, Allowance(Span.MOVING_DAY, 5))
    assert "0 are used up, and this broadcast needs 6." in notes(newsroom)[0]


def test_what_is_not_known_or_old_is_said_so(newsroom: Newsroom) -> None:
    newsroom.join(5)
    tell(newsroom, CannotSay("the provider answered HTTP 401"))
    assert notes(newsroom) == (
        "SMS: nobody knows how much city-desk may still send: its platform has not told.",
    )

    tell(newsroom, month(5000, 0))
    newsroom.later(hours=4)
    assert notes(newsroom) == (
        "SMS: its platform told last at 2026-03-02 12:00 UTC how much city-desk may still send; it may be less by now.",
    )


def test_an_answer_that_fails_leaves_what_was_told_before(newsroom: Newsroom) -> None:
    tell(newsroom, month(5000, 100))
    allowances.keep(newsroom.sender_id, CannotSay("there was no answer (timeout)"), newsroom.now)

    check = check_allowances(newsroom.now)

    assert (check.health, check.found) == (
        Health.OK,
        "“city-desk” has 4,900 of 5,000 messages left this month",
    )
    assert is_known(check.found)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (month(5000, 4500), "“city-desk” has 500 of 5,000 messages left this month"),
        (
            CannotSay("the provider named the tier TIER_NOT_SET"),
            "what “city-desk” may still send is not known: ",
        ),
        (Allowance(Span.MOVING_DAY, 9, standing=Standing.LOW), "people block or report “city-desk”; "),
    ],
)
def test_the_doctor_names_whose_is_short_unknown_or_about_to_shrink(
    newsroom: Newsroom, told: Allowance | CannotSay, found: str
) -> None:
    tell(newsroom, told)

    check = check_allowances(newsroom.now)

    assert check.health is Health.WARN
    assert check.found.startswith(found)
    assert is_known(check.found)
    assert is_known(check.advice)


def asked_line(city: ChatCity) -> None:
    assert allowances.claim({"line"}, city.newsroom.now) == [city.sender_id]
    assert isinstance(city.gateway, TellsAllowance)
    allowances.keep(city.sender_id, ask_allowance(city.gateway, Line(city.client)), city.newsroom.now)


def test_what_was_said_before_scheduling_is_what_happens_and_the_platform_is_asked_again(
    newsroom: Newsroom,
) -> None:
    city = ChatCity(newsroom, "line", SETTINGS["id"], dict(SETTINGS))
    for phone in (ADA, GRACE, MARY):
        city.comes(phone)
        city.says(phone, "CITY")
    city.account.settings["monthly_limit"] = "100"
    used = ask_allowance(city.gateway, Line(city.client)).used  # type: ignore[arg-type]
    city.account.settings["monthly_limit"] = str((used or 0) + 1)
    asked_line(city)

    (said,) = notes(newsroom)
    city.broadcast("The bridge is open.")

    assert said.startswith("LINE: 1 messages are left this month for city, and this broadcast needs 3.")
    assert "pauses on all its channels, and at least 2 people" in said
    db.session.rollback()
    stopped = db.session.scalars(
        db.select(Broadcast).where(Broadcast.state == BroadcastState.PAUSED.value)
    ).one()
    assert "quota is used up" in (stopped.state_reason or "")
    assert [city.shown(one).count("The bridge is open.") for one in (ADA, GRACE, MARY)] == [0, 0, 0]
    assert allowances.claim({"line"}, newsroom.now) == [city.sender_id]
