"""A rehearsal: everybody is played by a stand-in, the books are held against what arrived, and nothing leaves."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.rehearsal import Faults
from app.gateways.base import Call
from app.rehearsal import script
from app.rehearsal.provider import LeavesTheMachine, LoopbackOnly
from app.rehearsal.run import play, stage_environment
from app.services.controller import Refused
from app.services.plan_broadcasts import create_draft
from app.services.rehearsal_cast import Cast, cast_of
from app.storage.database import transaction
from app.storage.models import Sender, Subscriber
from tests.support.world import ACCOUNT, TOKEN, FakeProvider, Newsroom, number

CALM = Faults(0, 0, 0, 0, 0)
# The stage has an engine of its own, whatever the house has; to play twice would take twice as long.
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def draft(newsroom: Newsroom, text: str = "Hello {{first_name|friend}}, the bridge is open.") -> int:
    return create_draft(title="Bridge", text=text, list_ids=[newsroom.list_id], by="ada", now=newsroom.now)


def cast(newsroom: Newsroom, broadcast_id: int, most: int = 100) -> Cast:
    with transaction() as session:
        return cast_of(session, broadcast_id, controller=newsroom.controller, now=newsroom.now, most=most)


def test_nothing_of_a_person_or_an_account_crosses_over_to_the_stage(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    newsroom.join(3)
    with transaction() as session:
        for person in session.query(Subscriber):
            person.attributes = {"first_name": "Zoë", "city": "Leeds", "route:1": "room"}
    with transaction() as session:
        session.get_one(Sender, newsroom.sender_id).base_url = "https://sms.example.net"
    newsroom.text("What about the bus to 7 Hill Street?", number(1))
    made = cast(newsroom, draft(newsroom))
    script.write(script.Script(made, CALM, 1.0), tmp_path)
    written = (tmp_path / script.FILE).read_text()
    secrets = (TOKEN, ACCOUNT, "sms.example.net", "Zoë", "Leeds", "Hill Street", *map(number, range(4)))
    assert [one for one in secrets if one in written] == []
    assert {row["address"][:4] for row in made.rows["subscriber"]} == {"+999"}
    assert made.rows["subscriber"][0]["attributes"] == {
        "first_name": "xxж"
    }  # of the same length, and as dear
    assert [row["sealed_settings"] for row in made.rows["sender"]] == [""]
    assert asdict(script.read(tmp_path).cast) == asdict(made)


def test_the_stage_learns_no_setting_of_the_installation() -> None:
    assert set(stage_environment()) <= {"PATH", "LANG", "LC_ALL", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV"}


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json",
        "http://192.0.2.7/",
        "http://localhost.example.org/",
        "http://127.0.0.1.example.org/",
        "https://127.0.0.1/",
    ],
)
def test_a_call_to_another_machine_is_refused_before_a_byte_leaves(url: str) -> None:
    provider = FakeProvider()
    with pytest.raises(LeavesTheMachine):
        LoopbackOnly(provider).submit(Call("POST", url, (), b"To=%2B12025550101&Body=x"))
    assert provider.arrived == []


def test_of_a_large_audience_a_sample_is_taken_evenly(newsroom: Newsroom) -> None:
    newsroom.join(10)
    made = cast(newsroom, draft(newsroom), most=4)
    assert (made.audience, made.people) == (10, 4)
    ids = [row["id"] for row in made.rows["subscriber"]]
    assert [one - ids[0] for one in ids] == [0, 2, 5, 7]


def test_only_what_has_not_begun_and_reaches_somebody_is_rehearsed(newsroom: Newsroom) -> None:
    with pytest.raises(Refused, match="Nobody is on these lists"):
        cast(newsroom, draft(newsroom))
    newsroom.join(1)
    with pytest.raises(Refused, match="sending; only one that has not begun"):
        cast(newsroom, newsroom.broadcast())


@on_one_engine
def test_a_broadcast_is_played_in_full_and_nobody_is_doubled_or_lost(newsroom: Newsroom) -> None:
    newsroom.join(150)
    newsroom.text("STOP", number(7))
    with transaction() as session:
        session.query(Subscriber).filter_by(address=number(8)).one().bounced_at = newsroom.now
    report = play(draft(newsroom), Faults(10, 10, 3, 3, 0), now=newsroom.now)
    assert report.passed, report
    assert (report.audience, report.people, report.waiting) == (149, 149, 0)
    assert report.skipped == {"bounced": 1}
    assert report.sent + report.unknown + sum(report.failed.values()) == 148
    assert report.unknown_arrived < report.unknown
    assert set(report.refused) == {"20429", "20503"}
    assert report.tries > 148
    assert newsroom.provider.arrived == []


@on_one_engine
def test_people_who_sleep_are_played_through_the_night(newsroom: Newsroom) -> None:
    newsroom.later(hours=-6)  # six in the morning UTC: an hour after midnight in New York
    newsroom.list_id = newsroom.new_list("Night", "NIGHT", any_hour="")
    newsroom.join(2)
    broadcast_id = draft(newsroom)
    with transaction() as session:
        made = cast_of(session, broadcast_id, controller=newsroom.controller, now=newsroom.now)
    assert {row["quiet_group_id"] for row in made.rows["subscriber"]} != {None}
    assert made.starts_at - newsroom.now < timedelta(hours=1)
    report = play(broadcast_id, CALM, now=newsroom.now)
    assert report.skipped == {"quiet_hours": 2}


def test_faults_are_read_from_words() -> None:
    assert Faults.parse("throttle=5, slow=20") == Faults(throttle=5, slow=20)
    for bad in ("fire=1", "errors=x", "errors=51", "slow=9999"):
        with pytest.raises(ValueError, match=r"fault|no number"):
            Faults.parse(bad)
    assert json.loads(json.dumps(Faults().for_simulator()))["latency_ms"] == 5
