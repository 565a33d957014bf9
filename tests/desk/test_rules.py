"""Broadcasts that repeat, at the desk: ask, review, begin, and change a rule."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.recurrence import Every, make_rule
from app.services import repeat_broadcasts, write_drafts
from app.services.make_editions import make_editions
from app.storage.database import db
from app.storage.models import Broadcast, RepeatRule
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_schedule import list_of_hours, write
from tests.support.world import NOON

FIRST = datetime(2099, 3, 5, 8, 0, tzinfo=UTC)


SAID: list[tuple[dict[str, str], str]] = [
    ({}, "Every day, 09:00 (Europe/Berlin) Thursday 5 March 2099, 09:00 CET"),
    ({"interval": "2", "times": "3"}, "Every 2 days, 09:00 (Europe/Berlin), 3 times"),
    (
        {"every": "week", "until": "2099-12-31"},
        "Every week on Thursday, 09:00 (Europe/Berlin), until 31 December",
    ),
    ({"every": "week&weekdays=0&weekdays=4"}, "Every week on Monday and Friday, 09:00"),
    (
        {"own_clocks": "1"},
        "Every day, 09:00 on each person’s own clock Thursday 5 March 2099, 09:00 Friday 6",
    ),
    ({"every": "month", "day": "2099-03-31"}, "Every month on day 31, 09:00"),
    ({"every": "month", "day": "2099-03-31"}, "Months that have no day 31 are left out."),
    ({"every": "month_end"}, "Every month on its last day, 09:00"),
    ({"day": "2099-03-28", "hour": "02:30"}, "skip 02:30. It goes at 03:30 CEST."),
    ({"day": "2099-10-24", "hour": "02:30"}, "show this time twice. It goes at the first."),
    ({"day": "2099-07-03", "zone": "UTC"}, "Public holiday (United States)."),
    ({"interval": "0"}, "Repeat every 1 to 52 days, weeks or months."),
    ({"interval": "often"}, "Write a whole number."),
    ({"until": "2099-03-01"}, "The rule would end before it first goes out. Choose a later end."),
    ({"times": "2", "until": "2099-12-31"}, "Give a last day or a number of times, not both."),
    ({"every": "century"}, "Choose days, weeks or months."),
    ({"zone": "Mars/Olympus"}, "Choose a time zone."),
    ({"day": "2020-03-05"}, "This moment is over. Choose a later one."),
]


@pytest.fixture
def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(3)
    return write(house)


def repeating(**more: str) -> str:
    """The form of When, for a rule from Thursday 5 March 2099 on."""
    form = {"choice": "repeat", "day": "2099-03-05", "hour": "09:00", "zone": "Europe/Berlin", "every": "day"}
    return "&".join(f"{name}={value}" for name, value in {**form, **more}.items())


def begun(house: House, draft: int) -> int:
    """A daily rule, begun past the forms."""
    rule = make_rule(datetime(2099, 3, 5, 9, 0), "Europe/Berlin", Every.DAY)
    with house.inside():
        return repeat_broadcasts.repeat(draft, rule, by="Ada (#1)", now=NOON)


def test_the_rule_is_said_in_words_while_it_is_chosen(editor: Visitor, draft: int) -> None:
    for given, said in SAID:
        assert said in words(editor.get(f"/broadcasts/{draft}/when/words?{repeating(**given)}")), given


def test_the_next_five_dates_are_shown_before_anything_is_saved(editor: Visitor, draft: int) -> None:
    page = editor.get(f"/broadcasts/{draft}/review?{repeating(every='week&weekdays=3&weekdays=0')}")

    text = words(page)
    assert page.text.count("<li>Thursday") == 3
    assert page.text.count("<li>Monday") == 2
    assert "Thursday 5 March 2099, 09:00 CET" in text
    assert "Repeat it, first on Thu 5 Mar, 09:00 CET" in text
    assert "The first time 3 people" in text


def test_a_rule_is_begun_and_said_in_german_too(
    house: House, visit: Callable[..., Visitor], draft: int
) -> None:
    german = visit(Role.EDITOR, "de")
    german.get(f"/broadcasts/{draft}/review?{repeating(every='week')}")
    form = dict(pair.split("=") for pair in repeating(every="week").split("&")) | {"weekdays": ["3", "0"]}

    page = german.submit(f"/broadcasts/{draft}/repeat", form)
    twice = german.post(f"/broadcasts/{draft}/repeat", form)

    assert "Jede Woche am Montag und Donnerstag, 09:00 (Europe/Berlin)" in words(page)
    assert twice.location == page.request.path
    with house.inside():
        row = db.session.query(RepeatRule).one()
    assert (row.rrule, row.zone, row.dtstart) == (
        "FREQ=WEEKLY;BYDAY=MO,TH",
        "Europe/Berlin",
        "20990305T090000",
    )


def test_what_is_wrong_leads_back_to_the_question(house: House, editor: Visitor, draft: int) -> None:
    page = editor.get(f"/broadcasts/{draft}/review?{repeating(interval='0')}")
    late = write(house, list_ids=[list_of_hours(house, 7, 9)])
    never = editor.get(f"/broadcasts/{late}/review?{repeating()}")
    forced = editor.submit(f"/broadcasts/{late}/repeat", dict(p.split("=") for p in repeating().split("&")))

    assert page.status_code == 422
    assert 'id="interval-error"' in page.text
    assert never.status_code == 422
    assert "Outside the hours that Office hours promised: it will not go." in words(never)
    assert "never goes out within the hours promised" in words(forced)


def test_a_date_is_left_out_and_taken_back_and_the_rule_paused_and_ended(
    house: House, editor: Visitor, draft: int
) -> None:
    rule = f"/rules/{begun(house, draft)}"
    editor.get(rule)

    left_out = words(editor.submit(f"{rule}/dates/20990306T080000Z/skip"))
    back = words(editor.submit(f"{rule}/dates/20990306T080000Z/reopen"))
    wrong = words(editor.submit(f"{rule}/dates/20990306T090000Z/skip"))
    paused = words(editor.submit(f"{rule}/pause"))
    on = words(editor.submit(f"{rule}/resume"))
    ended = words(editor.submit(f"{rule}/end"))

    assert "left out Let it go after all" in left_out
    assert "Let it go after all" not in back
    assert "nothing to come at that time" in wrong
    assert "While it is paused nothing of this goes out." in paused
    assert "Go on" in paused
    assert "Every day, 09:00" in on
    assert "ended Every day" in ended
    assert "next dates" not in ended
    assert editor.post(f"{rule}/dates/soon/skip").status_code == 404
    assert editor.post("/rules/99/pause").status_code == 404
    assert editor.get("/rules/99").status_code == 404


def test_what_was_made_and_what_was_refused_is_shown_with_its_rule(
    house: House, editor: Visitor, draft: int
) -> None:
    assert "Nothing repeats yet." in words(editor.get("/rules"))
    rule_id = begun(house, draft)
    with house.inside():
        make_editions(FIRST)
        write_drafts.save_draft(
            draft, title="Bridge", text="See https://bit.ly/x", list_ids=[1], revision=1, by="ada", now=NOON
        )
        make_editions(FIRST + timedelta(days=1))

    rule = words(editor.get(f"/rules/{rule_id}"))
    broadcast = editor.get("/broadcasts?tab=waiting")
    edition = re.search(r'href="(/broadcasts/\d+)"', broadcast.text)
    assert edition is not None

    assert "made See the broadcast" in rule
    assert "could not go out Carriers filter public link shorteners." in rule
    assert "could not go out" in words(editor.get("/rules"))
    assert "One of a broadcast that repeats." in words(editor.get(edition.group(1)))
    assert "repeats When it goes out" in words(editor.get("/broadcasts?tab=drafts"))
    assert "goes out from the next time on" in words(editor.get(f"/broadcasts/{draft}/edit"))


def test_a_rule_on_each_persons_own_clock_is_reviewed_with_who_gets_it_when_and_begun(
    house: House, editor: Visitor, draft: int
) -> None:
    review = editor.get(f"/broadcasts/{draft}/review?{repeating(own_clocks='1')}")
    form = dict(one.split("=") for one in repeating(own_clocks="1").split("&"))
    rule = words(editor.submit(f"/broadcasts/{draft}/repeat", form))

    assert "3 people at 09:00" in words(review)
    assert "made an hour before the first clocks on earth show the time" in words(review)
    assert 'name="own_clocks" value="1"' in review.text
    assert "Every day, 09:00 on each person’s own clock" in rule
    with house.inside():
        assert db.session.scalars(db.select(RepeatRule.own_clocks)).one()


def test_what_repeats_is_not_saved_by_itself_for_half_a_text_could_go_out(
    house: House, editor: Visitor, draft: int
) -> None:
    begun(house, draft)
    editor.get(f"/broadcasts/{draft}/edit")

    answer = editor.post(
        f"/broadcasts/{draft}/edit",
        {
            "title": "Bridge",
            "text": "Half a",
            "list_ids": [house.newsroom.list_id],
            "revision": 1,
            "act": "auto",
        },
    )

    assert "Not saved yet: this broadcast repeats" in words(answer)
    with house.inside():
        assert db.session.get_one(Broadcast, draft).revision == 1
