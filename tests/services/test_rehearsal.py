"""A rehearsal: everybody is played by a stand-in, the books are held against what arrived, and nothing leaves."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from app.clock import utcnow
from app.domain.addresses import Address
from app.domain.buttons import Button, ButtonKind, Rich, TemplateUse, limits_named
from app.domain.media.attached import Media
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.domain.rehearsal import Faults
from app.gateways.base import Call
from app.gateways.line import MAX_TO
from app.rehearsal import script
from app.rehearsal.files import Shelf
from app.rehearsal.provider import Account, LeavesTheMachine, LoopbackOnly, StandInGateway
from app.rehearsal.run import play, stage_environment
from app.runtime import runtime
from app.services import review_broadcasts, schedule_broadcasts
from app.services.controller import Refused
from app.services.media.attach import EVERYWHERE, Given, attach
from app.services.media.take_in import take_in
from app.services.rehearsal_cast import Cast, cast_of
from app.services.rehearsal_extras import Part
from app.services.rich_messages import save_rich
from app.services.write_drafts import create_draft
from app.storage.database import transaction
from app.storage.models import Broadcast, Sender, Subscriber
from tests.support import media
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


@pytest.mark.slow
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


def with_everything(newsroom: Newsroom) -> int:
    """A draft with a picture and two buttons, of which an SMS has neither; the text alone is one part."""
    broadcast_id = draft(newsroom, "The bridge is open.")
    media_id = take_in(media.jpeg(), files=runtime().files, by="ada", now=newsroom.now)
    attach(broadcast_id, EVERYWHERE, Given(media_id, "b.jpg", "An open bridge"), by="ada", now=newsroom.now)
    buttons = (
        Button(ButtonKind.REPLY, "Yes"),
        Button(ButtonKind.LINK, "Map", f"https://x.example/{'a' * 99}"),
    )
    with transaction() as session:
        save_rich(session, broadcast_id, {"": Rich(buttons)})
    return broadcast_id


@pytest.mark.slow
@on_one_engine
def test_files_and_buttons_are_played_as_they_would_go_out(newsroom: Newsroom) -> None:
    """City's number is American, and so files go to Americans alone; the others get a link, of its true length."""
    newsroom.now = utcnow()  # the door for files looks at the true clock, and links run out
    newsroom.join(2)
    abroad = newsroom.join(3, first=10)
    with transaction() as session:
        for place, one in enumerate(session.query(Subscriber).filter(Subscriber.address.in_(abroad))):
            one.address = f"+44770090000{place}"
    broadcast_id = with_everything(newsroom)
    review = review_broadcasts.check(broadcast_id, now=newsroom.now)

    report = play(broadcast_id, CALM, now=newsroom.now)

    assert (report.passed, report.sent) == (True, 5), report
    assert (report.files, report.parts) == (2, review.total_parts)
    assert review.shares[0].parts < review.shares[0].elsewhere_parts


def test_an_hour_on_each_persons_own_clock_is_played_to_the_last_of_them(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    newsroom.join(1)
    broadcast_id, nine = draft(newsroom), datetime(2030, 3, 4, 9)
    schedule_broadcasts.schedule(broadcast_id, at=None, local_at=nine, zone="UTC", by="ada", now=newsroom.now)
    with transaction() as session:
        expires_at = session.get_one(Broadcast, broadcast_id).expires_at

    script.write(script.Script(cast(newsroom, broadcast_id), CALM, 1.0), tmp_path)
    (row,) = script.read(tmp_path).cast.rows["broadcast"]

    assert (row["local_at"], row["expires_at"]) == (nine, expires_at)


def test_a_stand_in_shows_buttons_takes_batches_and_carries_files_as_its_gateway_does() -> None:
    shelf = Shelf("http://127.0.0.1:9", frozenset({"+999000000211"}))
    account = Account("http://127.0.0.1:8", ACCOUNT, TOKEN)
    gateway = StandInGateway(account, "+99900000000111", Part(1, "line", "line", beside=True), shelf)
    people = [
        Recipient(DeliveryRef(1, one), Address("line", f"+999000000{one}11"), "Open!") for one in (2, 3)
    ]
    link = "https://news.example.org/m/7.abc.jpg"
    file = Media(7, "f" * 64, "image/jpeg", 9, "b.jpg", "A bridge", link, instead="\nA bridge: link")

    can = gateway.capabilities()
    left_out, carried = (
        parse_qs(one.body.decode()) for one in gateway.encode(Batch(tuple(people), "", file))
    )

    assert (can.channel, can.rate_unit, can.max_batch) == ("line", "request", MAX_TO)
    assert can.buttons == limits_named("line")
    assert left_out["Body"] == ["Open!\nA bridge: link"]
    assert "MediaUrl" not in left_out
    assert (carried["Body"], carried["MediaUrl"]) == (["Open!"], ["http://127.0.0.1:9/m/7.abc.jpg"])


def test_a_file_that_is_gone_is_said_before_anything_is_played(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = with_everything(newsroom)
    (row,) = cast(newsroom, broadcast_id).rows["media_file"]
    runtime().files.delete(row["sha256"])

    with pytest.raises(Refused, match="not where it should be"):
        play(broadcast_id, CALM, now=newsroom.now)


def test_who_brought_a_file_stays_here_and_a_template_is_filled_with_stand_ins(newsroom: Newsroom) -> None:
    newsroom.join(1)
    with transaction() as session:
        session.query(Subscriber).one().attributes = {"city": "Leeds", "route:1": "room"}
    broadcast_id = with_everything(newsroom)
    with transaction() as session:
        template = TemplateUse("news", "en", ("{{city|here}}",))
        save_rich(session, broadcast_id, {"whatsapp": Rich(template=template)})

    rows = cast(newsroom, broadcast_id).rows

    assert [row["created_by"] for row in rows["media_file"]] == ["-"]
    assert {row["channel"] for row in rows["broadcast_rich"]} == {"", "whatsapp"}
    assert rows["subscriber"][0]["attributes"] == {"city": "xxxxx"}


def test_faults_are_read_from_words() -> None:
    assert Faults.parse("throttle=5, slow=20") == Faults(throttle=5, slow=20)
    for bad in ("fire=1", "errors=x", "errors=51", "slow=9999"):
        with pytest.raises(ValueError, match=r"fault|no number"):
            Faults.parse(bad)
    assert json.loads(json.dumps(Faults().for_simulator()))["latency_ms"] == 5
