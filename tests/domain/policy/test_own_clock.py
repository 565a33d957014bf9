"""An hour on each person's own clock: its instant in every place, over clock changes, and what the moment decides."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.policy.decisions import Defer, Send, Skip
from app.domain.policy.own_clock import OwnClock, hour_in
from app.domain.policy.places import Source, Whereabouts
from app.domain.statuses import SkipReason

NINE = datetime(2026, 5, 3, 9, 0)
MIDNIGHT = datetime(2026, 5, 2, tzinfo=UTC)
BERLIN = Whereabouts(Source.COUNTRY, "DE", "DE", ("Europe/Berlin", "Europe/Busingen"))
KENTUCKY = Whereabouts(Source.NUMBER, "US-KY", "US", ("America/Chicago", "America/New_York"))
BRAZIL = Whereabouts(Source.COUNTRY, "BR", "BR", ("America/Manaus", "America/Sao_Paulo"))
NOWHERE = Whereabouts(Source.CONTROLLER, "unknown", "US", ("America/New_York",))
ZONES = (
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Europe/Berlin",
    "UTC",
    "America/St_Johns",
    "America/New_York",
    "Pacific/Honolulu",
    "Pacific/Pago_Pago",
)


def own(
    wall: datetime = NINE, *, since: datetime = MIDNIGHT, any_hour: bool = True, **hours: int
) -> OwnClock:
    return OwnClock(wall, "Europe/Berlin", since, timedelta(hours=2), any_hour=any_hour, **hours)


@pytest.mark.parametrize(
    ("where", "hour", "zone", "known"),
    [
        (BERLIN, 7, "Europe/Berlin", True),
        (KENTUCKY, 14, "America/Chicago", True),
        (BRAZIL, 7, "Europe/Berlin", False),
        (NOWHERE, 7, "Europe/Berlin", False),
        (Whereabouts(Source.STATED, "DE", "DE", ("Asia/Tokyo",)), 0, "Asia/Tokyo", True),
    ],
)
def test_the_last_zone_counts_and_where_nobody_knows_it_that_of_the_broadcast(
    where: Whereabouts, hour: int, zone: str, known: bool
) -> None:
    found = own().hour(where)

    assert found.at == datetime(2026, 5, 3, hour, tzinfo=UTC)
    assert (found.zone, found.known) == (zone, known)


@pytest.mark.parametrize(
    ("wall", "at"),
    [
        # Put forward at 02:00: what does not exist goes an hour later on the new clock.
        (datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        # Put back at 03:00: what comes twice goes at the first.
        (datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_change_of_the_clocks_is_settled_as_for_what_repeats(wall: datetime, at: datetime) -> None:
    assert own(wall).hour(BERLIN).at == at


@given(
    wall=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(lambda one: one.replace(microsecond=0)),
    zones=st.sets(st.sampled_from(ZONES), min_size=1),
    later=st.timedeltas(timedelta(0), timedelta(hours=40)),
)
def test_nobody_gets_it_before_the_hour_on_any_clock_that_may_be_theirs(
    wall: datetime, zones: set[str], later: timedelta
) -> None:
    where = Whereabouts(Source.NUMBER, "US-NY", "US", tuple(sorted(zones)))
    rule = own(wall, since=hour_in("Pacific/Kiritimati", wall), any_hour=False)
    now = rule.since + later

    at = rule.hour(where).at

    moments = [hour_in(zone, wall) for zone in zones]
    assert at == max(moments)
    match rule.decide(where, now):
        case Send():
            assert now >= at
        case Defer(until):
            assert until >= at
            assert until > now
            assert rule.decide(where, until) == Send()
        case Skip(reason):
            assert reason in (SkipReason.QUIET_HOURS, SkipReason.EXPIRED)


def test_whose_hour_is_past_gets_it_at_once_and_it_is_fresh_from_then_on() -> None:
    since = datetime(2026, 5, 3, 12, tzinfo=UTC)
    rule = own(since=since)

    assert rule.decide(BERLIN, since) == Send()
    assert rule.decide(BERLIN, since + timedelta(minutes=119)) == Send()
    assert rule.decide(BERLIN, since + timedelta(hours=2)) == Skip(SkipReason.EXPIRED)
    assert rule.decide(KENTUCKY, since) == Defer(datetime(2026, 5, 3, 14, tzinfo=UTC))


def test_promised_and_quiet_hours_hold_on_their_own_clock() -> None:
    early = datetime(2026, 5, 4, 6, 30)  # a Monday

    promised = own(early, from_hour=8, until_hour=20)
    quiet = own(early, any_hour=False)

    assert promised.decide(BERLIN, MIDNIGHT) == Defer(datetime(2026, 5, 4, 6, tzinfo=UTC))
    opens = quiet.opens(BERLIN, MIDNIGHT)
    assert opens > promised.hour(BERLIN).at
    assert quiet.decide(BERLIN, MIDNIGHT) in (Defer(opens), Skip(SkipReason.QUIET_HOURS))
