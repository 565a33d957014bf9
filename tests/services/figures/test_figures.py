"""Reports: exact, each entry counted once, and the same figures on every sheet."""

import pytest
from sqlalchemy import func, select, update

from app.domain.short_links import Clicks
from app.services import record_clicks, reports, short_links
from app.services.controller import Refused
from app.services.figures import roll_up, sheets
from app.services.figures.compare import compare
from app.services.figures.sheets import SHEETS, Sheet, grown
from app.services.figures.sums import tenths
from app.services.reports import list_counts
from app.storage.database import db, transaction
from app.storage.models import BroadcastHour, FigureMark, InboundRow, ListDay, Sender
from tests.desk.test_progress import refuses_some
from tests.support.world import NOON, FakeProvider, Newsroom, number


def count_all(newsroom: Newsroom, batch: int = 1000) -> None:
    newsroom.later(minutes=2)
    while roll_up.roll_up(controller=newsroom.controller, now=newsroom.now, batch=batch):
        pass


def sheet(newsroom: Newsroom, name: str, days: int = 7) -> Sheet:
    return sheets.make(name, sheets.window(days, now=newsroom.now, list_id=newsroom.list_id))


def a_day(newsroom: Newsroom) -> int:
    """Four people, a broadcast that one cannot get, an opt-out, an answer and a click."""
    with transaction() as session:
        session.execute(update(Sender).values(price_micros=7_500, currency="EUR"))
    short_links.set_clicks("City", Clicks.LINKS, public_url="https://n.example", by="a", now=newsroom.now)
    newsroom.join(4)
    broadcast_id = newsroom.broadcast("Open again: https://example.org/a")
    newsroom.send(FakeProvider(refuses_some))
    newsroom.later(minutes=10)
    newsroom.text("STOP", number(1))
    newsroom.text("great, thank you for telling us", number(2))
    code = short_links.links_of(db.session(), broadcast_id)[0].code
    opened = record_clicks.find(code, controller=newsroom.controller)
    record_clicks.count(opened, program=False, controller=newsroom.controller, now=newsroom.now)
    count_all(newsroom)
    return broadcast_id


def test_who_left_is_counted_for_the_last_broadcast_alone_by_the_sheets_and_the_command(
    newsroom: Newsroom,
) -> None:
    newsroom.join(2)
    first = newsroom.broadcast("The bridge is closed.")
    newsroom.send()
    newsroom.later(minutes=10)
    second = newsroom.broadcast("The bridge is open.")
    newsroom.send()
    newsroom.later(minutes=10)
    newsroom.text("STOP", number(1))
    count_all(newsroom)

    told = dict(
        zip(sheet(newsroom, "broadcasts").ids, sheet(newsroom, "broadcasts").column("left"), strict=True)
    )

    assert told == {first: 0, second: 1}
    assert {one: reports.optouts_caused(one) for one in told} == told


@pytest.mark.parametrize("said", ["STOP everything", "stop everything, please", "Stop all"])
def test_a_stop_of_everything_ends_everything_and_is_told_as_a_stop(newsroom: Newsroom, said: str) -> None:
    newsroom.join(1)
    newsroom.text(said, number(0))
    newsroom.send_replies()
    count_all(newsroom)
    with pytest.raises(Refused, match="Nobody on these lists can be reached"):
        newsroom.broadcast("Nobody shall read this.")

    rows = sheet(newsroom, "words").rows
    (row,) = db.session.scalars(select(InboundRow).where(InboundRow.text == said))
    assert str(row.reply_kind).startswith("stopped")
    assert [one for one in rows if one[0] in ("STOP", "STOP_FUZZY")] == [
        (row.outcome, "stopall" if said == "Stop all" else "stop", 1)
    ]
    assert list_counts() == {}


def test_every_sheet_tells_the_same_day(newsroom: Newsroom) -> None:
    broadcast_id = a_day(newsroom)

    found = {name: sheet(newsroom, name) for name in SHEETS}
    (told,) = found["broadcasts"].as_dicts()
    assert found["broadcasts"].ids == (broadcast_id,)
    expected = {"audience": 4, "sent_to": 4, "failed": 1, "open": 3, "left": 1, "answered": 1, "clicks": 1}
    assert told.items() >= expected.items()
    assert (told["parts"], told["cost"]) == (3, "0.02 EUR")
    for name in ("days", "lists"):
        assert found[name].as_dicts()[-1].items() >= expected.items()
    assert (
        found["channels"].as_dicts()[0].items()
        >= {"channel": "sms", "sender": "city-desk", "failed": 1}.items()
    )
    assert found["failures"].rows == [("failed", "invalid_address", 1)]
    assert [sum(found["growth"].column(name)) for name in ("joined", "left_list", "net")] == [4, 1, 3]
    assert found["growth"].rows[-1][-2:] == (3, None)
    assert found["sources"].rows == [
        ("joined", "sms", "keyword_exact", "", 4),
        ("left", "sms", "keyword_exact", "", 1),
    ]
    assert found["hours"].as_dicts()[0].items() >= {"hour": 12, "few": True, "clicks": 1}.items()
    assert set(found["words"].rows) == {("STOP", "stop", 1), ("NONE", "", 1)}


def test_a_sentence_that_was_understood_is_no_word(newsroom: Newsroom) -> None:
    newsroom.join(2)
    newsroom.text("please stop sending me these messages", number(1))
    newsroom.text("stop", number(0))
    newsroom.later(minutes=10)
    count_all(newsroom)

    rows = sheet(newsroom, "words").rows

    assert {row for row in rows if str(row[0]).startswith("STOP")} == {
        ("STOP_FUZZY", "", 1),
        ("STOP", "stop", 1),
    }


def test_cost_is_told_by_word_and_what_cannot_be_split_is_not(newsroom: Newsroom) -> None:
    a_day(newsroom)
    other = newsroom.new_list("Sport", "SPORT")
    newsroom.broadcast("To both", list_ids=[newsroom.list_id, other])
    newsroom.send()

    assert sheet(newsroom, "costs").rows == [
        ("CITY", "City", 1, 4, 3, "0.02 EUR", 0),
        ("CITY + SPORT", "City, Sport", 1, 2, 2, "0.01 EUR", 0),
    ]
    with transaction() as session:
        session.execute(update(Sender).values(price_micros=None))
    assert [row[-2:] for row in sheet(newsroom, "costs").rows] == [("", 3), ("", 2)]


def test_growth_meets_the_people_on_the_list_however_often_the_clock_counts(newsroom: Newsroom) -> None:
    newsroom.join(6)
    newsroom.text("STOP", number(1))
    newsroom.text("PAUSE", number(2))
    count_all(newsroom, batch=1)
    newsroom.text("CITY", number(1))
    newsroom.text("STOP", number(3))
    newsroom.text("STOP", number(3))
    count_all(newsroom, batch=3)
    count_all(newsroom)

    joined = db.session.scalar(select(func.sum(ListDay.people)).where(ListDay.kind == "joined"))
    left = db.session.scalar(select(func.sum(ListDay.people)).where(ListDay.kind == "left"))
    assert (joined, left) == (7, 2)
    assert list_counts()[newsroom.list_id] == 4  # and one who paused
    assert roll_up.counted_until(newsroom.controller) is not None


def test_what_happened_in_the_last_minute_is_counted_later(newsroom: Newsroom) -> None:
    newsroom.join(1)

    assert roll_up.roll_up(controller=newsroom.controller, now=newsroom.now) == 0
    assert db.session.scalar(select(func.count()).select_from(ListDay)) == 0
    assert db.session.scalar(select(func.count()).select_from(FigureMark)) == 2


def test_an_opt_out_is_the_effect_of_the_last_broadcast_alone_and_for_three_days(newsroom: Newsroom) -> None:
    newsroom.join(3)
    ids = []
    for _ in range(2):
        ids.append(newsroom.broadcast())
        newsroom.send()
        newsroom.later(hours=2)
    newsroom.text("STOP", number(1))
    newsroom.later(days=4)
    newsroom.text("STOP", number(2))
    count_all(newsroom)

    rows = db.session.execute(select(BroadcastHour.broadcast_id, BroadcastHour.kind, BroadcastHour.people))
    assert [tuple(row) for row in rows] == [(ids[1], "left", 1)]


def test_a_broadcast_is_held_against_the_middle_of_the_last_five(newsroom: Newsroom) -> None:
    newsroom.join(4)
    for bad in (True, False, False):
        last = newsroom.broadcast()
        newsroom.send(FakeProvider(refuses_some) if bad else None)
        newsroom.later(days=1)

    found = compare(last)

    assert found is not None
    assert found.against == 2
    failed = next(one for one in found.measures if one.measure == "failed")
    assert (failed.own, failed.others) == (0.0, 12.5)
    assert compare(987) is None


def test_a_csv_is_utf_8_and_no_cell_of_it_is_calculated() -> None:
    made = Sheet("x", ("broadcast", "people", "few"), [("=1+1 für alle", -3, True), (None, 1.5, False)])

    text = "".join(made.as_csv())

    assert text == "\ufeffbroadcast,people,few\n'=1+1 für alle,-3,yes\n,1.5,no\n"


def test_what_is_no_report_is_refused(newsroom: Newsroom) -> None:
    with pytest.raises(Refused, match="There are: broadcasts, days"):
        sheet(newsroom, "nonsense")
    with pytest.raises(Refused, match="1 to 3660 days"):
        sheet(newsroom, "days", 0)


@pytest.mark.parametrize(
    ("joined", "left", "people", "percent"),
    [(5, 1, 14, 10.0), (0, 10, 0, 100.0), (3, 1, 3, 100.0), (4, 1, 3, None), (0, 0, 0, None), (2, 0, 7, 0.0)],
)
def test_who_left_is_a_share_of_those_who_were_there_before(
    joined: int, left: int, people: int, percent: float | None
) -> None:
    day = NOON.date()

    assert grown(day, joined, left, people) == (day, joined, left, joined - left, people, percent)


@pytest.mark.parametrize(
    ("exact", "said"), [(0.0, 0.0), (99.4995, 99.5), (99.96, 99.9), (100.0, 100.0), (112.34, 112.3)]
)
def test_a_hundred_per_cent_is_said_of_everybody_alone(exact: float, said: float) -> None:
    assert tenths(exact) == said
