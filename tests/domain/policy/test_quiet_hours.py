"""Quiet hours against an oracle that knows neither our data nor the time zone database: offsets and hours by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.addresses import Address
from app.domain.policy import windows
from app.domain.policy.places import Source, Whereabouts, busiest_zone, whereabouts
from app.domain.policy.quiet import is_guess, is_open, next_open, next_quarter

QUARTER = timedelta(minutes=15)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


# --- the oracle ---------------------------------------------------------------------------------------------------

# Minutes east of Greenwich in winter and summer, and the rule by which clocks change.
CLOCKS = {
    "New_York": (-300, -240, "us"), "Chicago": (-360, -300, "us"), "Boise": (-420, -360, "us"),
    "Los_Angeles": (-480, -420, "us"), "Anchorage": (-540, -480, "us"), "St_Johns": (-210, -150, "us"),
    "Honolulu": (-600, -600, ""), "London": (0, 60, "eu"), "Berlin": (60, 120, "eu"), "Noronha": (-120, -120, ""),
    "Adak": (-600, -540, "us"), "Halifax": (-240, -180, "us"), "Rio_Branco": (-300, -300, ""),
    "Calcutta": (330, 330, ""), "Kaliningrad": (120, 120, ""), "Kamchatka": (720, 720, ""),
    "Perth": (480, 480, ""), "Sydney": (600, 660, "au"), "Lord_Howe": (630, 660, "lord howe"),
}  # fmt: skip


def is_summer(moment: datetime, winter_offset: int, rule: str) -> bool:
    if rule == "us":  # at 2:00 by the clock that is put forward or back
        start = utc(2026, 3, 8, 2) - timedelta(minutes=winter_offset)
        end = utc(2026, 11, 1, 1) - timedelta(minutes=winter_offset)
        return start <= moment < end
    if rule == "eu":
        return utc(2026, 3, 29, 1) <= moment < utc(2026, 10, 25, 1)
    if rule == "au":
        return not utc(2026, 4, 4, 16) <= moment < utc(2026, 10, 3, 16)
    return rule == "lord howe" and not utc(2026, 4, 4, 15) <= moment < utc(2026, 10, 3, 15, 30)


def clock_in(zone: str, moment: datetime) -> datetime:
    winter, summer, rule = CLOCKS[zone]
    return moment + timedelta(minutes=summer if is_summer(moment, winter, rule) else winter)


DAILY = dict.fromkeys(range(7), (9, 20))
NO_SUNDAY = {**DAILY, 6: (0, 0)}
STRICTEST_STATE = {**dict.fromkeys(range(5), (10, 18)), 5: (10, 17), 6: (0, 0)}
RHODE_ISLAND = {**dict.fromkeys(range(5), (9, 18)), 5: (10, 17), 6: (10, 17)}
# Number, the zones that matter (the outermost ones; those between never narrow), and the hours of Monday to Sunday.
TABLE = [
    ("+12025550123", ["New_York"], DAILY),
    ("+12125550123", ["New_York"], DAILY),
    ("+13055550123", ["New_York"], DAILY),
    ("+14015550123", ["New_York"], RHODE_ISLAND),
    ("+12145550123", ["Chicago"], {**DAILY, 6: (12, 20)}),  # Texas
    ("+15045550123", ["Chicago"], NO_SUNDAY),  # Louisiana
    ("+12055550123", ["Chicago"], NO_SUNDAY),  # Alabama
    ("+15025550123", ["New_York"], dict.fromkeys(range(7), (10, 20))),  # Kentucky
    ("+17025550123", ["Los_Angeles"], DAILY),
    ("+19075550123", ["Anchorage", "Adak"], DAILY),
    ("+18085550123", ["Honolulu"], DAILY),
    ("+12085550123", ["Boise", "Los_Angeles"], DAILY),
    (
        "+18505550123",
        ["New_York", "Chicago"],
        DAILY,
    ),  # a part of Florida that phonenumbers puts into one zone
    ("+15555550123", ["New_York", "Honolulu"], STRICTEST_STATE),  # no such area code: anywhere in the country
    ("+18005550199", ["New_York"], STRICTEST_STATE),  # toll-free: 42 zones have no hour in common
    ("+17095550123", ["St_Johns", "Halifax"], DAILY),
    ("+447700900123", ["London"], NO_SUNDAY),  # Etc/Unknown: the country's zones
    ("+493023125123", ["Berlin"], NO_SUNDAY),
    ("+33639980000", ["Berlin"], NO_SUNDAY),
    (f"+91{'0' * 10}", ["Calcutta"], dict.fromkeys(range(7), (10, 20))),
    (f"+55{'0' * 10}", ["Noronha", "Rio_Branco"], DAILY),
    (f"+7{'0' * 10}", ["Kaliningrad", "Kamchatka"], DAILY),
    (f"+61{'0' * 9}", ["Perth", "Sydney", "Lord_Howe"], DAILY),
]
# Sundays on which clocks change somewhere, and the Mondays after.
DAYS = [utc(2026, *day) for day in ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1))]
DAYS += [day + timedelta(days=1) for day in DAYS]
EASTER_MONDAY = date(2026, 4, 6)
ALL_SAINTS = date(2026, 11, 1)


def allowed(number: str, zones: list[str], week: dict[int, tuple[int, int]], moment: datetime) -> bool:
    clocks = [clock_in(zone, moment) for zone in zones]
    if number.startswith("+33") and clocks[0].date() in (EASTER_MONDAY, ALL_SAINTS):
        return False
    return all(week[clock.weekday()][0] <= clock.hour < week[clock.weekday()][1] for clock in clocks)


# --- the tests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "zones", "week"), TABLE, ids=[row[0] for row in TABLE])
def test_t21_every_half_hour_of_the_days_on_which_clocks_change(number, zones, week):
    where = whereabouts(Address("sms", number))

    wrong = [
        moment
        for day in DAYS
        for moment in (day + step * timedelta(minutes=30) for step in range(48))
        if is_open(where, moment) is not allowed(number, zones, week, moment)
    ]

    assert wrong == []


@pytest.mark.parametrize(("number", "zones", "week"), TABLE, ids=[row[0] for row in TABLE])
def test_t21_the_next_allowed_instant_is_the_first_that_the_oracle_finds(number, zones, week):
    where = whereabouts(Address("sms", number))
    for day in DAYS[:6]:
        moments = [day + step * QUARTER for step in range(4 * 24 * 4)]
        first = None
        expected = {}
        for moment in reversed(moments):
            first = moment if allowed(number, zones, week, moment) else first
            expected[moment] = first

        found = {moment: next_open(where, moment) for moment in moments[:48:5]}

        assert found == {moment: expected[moment] for moment in found}


def test_t21_a_toll_free_number_has_no_hour_in_common_and_goes_by_the_busiest_zone():
    where = whereabouts(Address("sms", "+18005550199"))

    assert len(where.zones) > 40
    assert is_guess(where, utc(2026, 7, 15))
    assert busiest_zone(where.country) == "America/New_York"


def test_between_two_quarters_of_an_hour_nothing_changes_and_an_open_moment_is_its_own_answer():
    where = whereabouts(Address("sms", "+493023125123"))
    monday = utc(2026, 3, 30, 6, 59, 59)  # 8:59:59 in Berlin

    assert not is_open(where, monday)
    assert next_open(where, monday) == next_quarter(monday) == utc(2026, 3, 30, 7)
    assert next_open(where, utc(2026, 3, 30, 7, 3, 21)) == utc(2026, 3, 30, 7, 3, 21)


@pytest.mark.parametrize(
    ("stated", "source", "zones"),
    [
        ("Europe/Lisbon", Source.STATED, ("Europe/Lisbon",)),
        (None, Source.NUMBER, ("Europe/Berlin",)),
        ("Etc/Unknown", Source.NUMBER, ("Europe/Berlin",)),  # no such zone: as if nothing had been said
        ("../../etc/passwd", Source.NUMBER, ("Europe/Berlin",)),
    ],
)
def test_a_zone_that_the_person_stated_goes_before_the_number(stated, source, zones):
    found = whereabouts(Address("sms", "+493023125123"), stated_zone=stated)

    assert (found.source, found.zones, found.place) == (source, zones, "DE")


def test_an_address_without_a_place_has_the_middle_of_our_own_day():
    found = whereabouts(Address("telegram", "4503599627370497"), home="DE")

    assert (found.source, found.zones) == (Source.CONTROLLER, ("Europe/Berlin",))
    assert next_open(found, utc(2026, 3, 30, 6)) == utc(2026, 3, 30, 10)  # 12:00 in Berlin
    assert not is_open(found, utc(2026, 3, 30, 16))


def test_whoever_stated_a_zone_has_the_hours_of_our_country_where_nothing_else_is_known():
    found = whereabouts(Address("telegram", "4503599627370497"), stated_zone="Europe/Berlin", home="DE")

    assert found.place == "DE"
    assert is_open(found, utc(2026, 3, 30, 7))


@pytest.mark.parametrize("number", [row[0] for row in TABLE])
def test_a_key_keeps_everything(number):
    where = whereabouts(Address("sms", number))

    assert Whereabouts.parse(where.key) == where
    assert len(where.key) < 1000


def test_every_entry_says_where_it_comes_from_narrows_the_default_and_leaves_time_on_a_wednesday():
    wednesday = date(2026, 3, 11)
    default = windows.rules()[windows.DEFAULT].hours

    for place, rule in windows.rules().items():
        assert rule.source
        hours = windows.hours_of(place, wednesday)
        assert default.first <= hours.first < hours.last <= default.last, place


def test_alabama_keeps_its_own_holidays_quiet():
    confederate_memorial_day, next_monday = date(2026, 4, 27), date(2026, 5, 4)

    assert not windows.hours_of("US-AL", confederate_memorial_day).holds(12)
    assert windows.hours_of("US-AL", next_monday).holds(12)
    assert windows.hours_of("US-NY", confederate_memorial_day).holds(12)
