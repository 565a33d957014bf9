"""First waves, brakes, and another try for those with whom it failed."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.policy.brakes import Brakes
from app.gateways.base import Reply
from app.services import fan_out, stop_broadcasts
from app.services.controller import Refused
from app.services.manage_lists import set_any_hour
from app.services.schedule_broadcasts import schedule
from app.services.try_again import try_again, waiting_for_it
from app.services.watch_broadcasts import REST_FOLLOWS_AFTER, Watched, release, watch
from app.services.write_drafts import create_draft
from app.storage.database import db
from app.storage.models import AuditEntry, Broadcast, Slice
from tests.support.world import FakeProvider, Newsroom, accepted, number

BRAKES = Brakes()


@pytest.fixture
def newsroom(newsroom: Newsroom) -> Newsroom:
    """An ordinary list, at an hour at which all of America may be written to."""
    set_any_hour("CITY", "", by="tests", now=newsroom.now)
    newsroom.later(hours=6)
    return newsroom


def in_waves(newsroom: Newsroom, percent: int, list_id: int | None = None) -> int:
    broadcast_id = create_draft(
        title="Bridge",
        text="The bridge is open.",
        list_ids=[list_id or newsroom.list_id],
        by="ada",
        now=newsroom.now,
    )
    schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now, first_percent=percent)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    return broadcast_id


def state(broadcast_id: int) -> tuple[str, str | None]:
    db.session.rollback()
    row = db.session.get_one(Broadcast, broadcast_id)
    return row.state, row.state_reason


def refusing(share: int) -> FakeProvider:
    """A provider that refuses every `share`-th number for good."""

    def answer(to: str, body: str) -> Reply:
        if int(to[-2:]) % share == 0:
            return Reply(400, b'{"code": 21211, "message": "no such number"}')
        return accepted(to, body)

    return FakeProvider(answer)


def broken(to: str, body: str) -> Reply:
    return Reply(401, b'{"code": 20003, "message": "Authenticate"}')


def test_the_first_wave_goes_and_the_rest_follows_when_nothing_bad_came(newsroom: Newsroom) -> None:
    newsroom.join(200)
    broadcast_id = in_waves(newsroom, 10)
    newsroom.send()
    assert len(newsroom.provider.arrived) == 20

    assert watch(BRAKES, newsroom.now) == []  # the clock is set now
    newsroom.later(seconds=REST_FOLLOWS_AFTER.total_seconds() - 1)
    assert watch(BRAKES, newsroom.now) == []
    newsroom.send()
    assert len(newsroom.provider.arrived) == 20
    newsroom.later(seconds=1)
    assert watch(BRAKES, newsroom.now) == [Watched(broadcast_id)]
    newsroom.send()

    assert state(broadcast_id)[0] == "finished"
    assert set(newsroom.provider.copies.values()) == {1}
    assert len(newsroom.provider.copies) == 200


def test_who_goes_first_is_drawn_by_lot(newsroom: Newsroom) -> None:
    newsroom.join(100)
    firsts = []
    for _ in range(4):
        broadcast_id = in_waves(newsroom, 5)
        query = select(Slice.lo).where(Slice.broadcast_id == broadcast_id, Slice.state == "open")
        firsts.append(tuple(db.session.scalars(query)))
        stop_broadcasts.cancel(broadcast_id, by="ada", now=newsroom.now)
    assert len(set(firsts)) > 1


def test_even_one_person_can_be_a_first_wave(newsroom: Newsroom) -> None:
    newsroom.join(3)
    in_waves(newsroom, 1)
    newsroom.send()
    assert len(newsroom.provider.arrived) == 1


def test_somebody_may_let_the_rest_go_at_once(newsroom: Newsroom) -> None:
    newsroom.join(40)
    broadcast_id = in_waves(newsroom, 25)
    newsroom.send()
    release(broadcast_id, by="ada", now=newsroom.now)
    newsroom.send()

    assert len(newsroom.provider.copies) == 40
    with pytest.raises(Refused, match="Nothing of this broadcast waits"):
        release(broadcast_id, by="ada", now=newsroom.now)


def test_a_stop_from_the_rest_is_heard_before_it_goes(newsroom: Newsroom) -> None:
    numbers = newsroom.join(40)
    broadcast_id = in_waves(newsroom, 25)
    newsroom.send()
    had_it = newsroom.provider.copies
    left = next(one for one in numbers if one not in had_it)
    newsroom.text("STOP", left)
    release(broadcast_id, by="ada", now=newsroom.now)
    newsroom.send()

    assert newsroom.tally(broadcast_id).reasons == {"stopped": 1}
    assert sum(1 for to, body in newsroom.provider.arrived if to == left and "bridge" in body) == 0


def test_many_opt_outs_after_the_first_wave_hold_the_rest(newsroom: Newsroom) -> None:
    newsroom.join(200)
    broadcast_id = in_waves(newsroom, 10)
    newsroom.send()
    for to in list(newsroom.provider.copies)[:10]:
        newsroom.text("STOP", to)
    newsroom.later(minutes=1)

    (watched,) = watch(BRAKES, newsroom.now)

    reason = "Stopped by itself: 10 of 20 people have opted out, 50.0 per cent; the limit is 3."
    assert watched == Watched(broadcast_id, reason)
    assert state(broadcast_id) == ("paused", reason)
    assert db.session.scalar(select(func.count()).where(AuditEntry.action == "broadcast.brake")) == 1
    newsroom.later(minutes=15)
    assert watch(BRAKES, newsroom.now) == []

    stop_broadcasts.resume(broadcast_id, by="ada", now=newsroom.now)
    assert watch(BRAKES, newsroom.now) == []  # counted from now; the clock of the first wave begins
    newsroom.later(minutes=11)
    assert watch(BRAKES, newsroom.now) == [Watched(broadcast_id)]
    newsroom.send()
    assert newsroom.tally(broadcast_id).pending == 0


def test_a_jump_of_failures_stops_a_broadcast_with_the_reason_in_words(newsroom: Newsroom) -> None:
    newsroom.join(100)
    broadcast_id = newsroom.broadcast()
    newsroom.provider = refusing(4)
    newsroom.lane().drain(newsroom.now + timedelta(seconds=20))

    assert watch(Brakes(failures=0), newsroom.now) == []
    (watched,) = watch(BRAKES, newsroom.now)
    assert watched.reason == (
        "Stopped by itself: 25 of 100 people could not be reached, 25.0 per cent; the limit is 20."
    )
    assert state(broadcast_id)[0] == "paused"


def test_a_warning_to_people_in_danger_is_not_braked(newsroom: Newsroom) -> None:
    alarm = newsroom.new_list("Flood alarm", "FLOOD", any_hour="the fire service")
    for index in range(100):
        newsroom.text("FLOOD", number(index))
    newsroom.broadcast(list_ids=[alarm])
    newsroom.provider = refusing(2)
    newsroom.lane().drain(newsroom.now + timedelta(seconds=20))

    assert watch(BRAKES, newsroom.now) == []


@pytest.mark.parametrize("percent", [0, 51, -1])
def test_a_first_wave_is_one_to_fifty_per_cent(newsroom: Newsroom, percent: int) -> None:
    newsroom.join(1)
    with pytest.raises(Refused, match="1 to 50 per cent"):
        in_waves(newsroom, percent)


def test_only_those_with_whom_it_failed_get_it_again_and_once(newsroom: Newsroom) -> None:
    newsroom.join(40)
    broadcast_id = newsroom.broadcast()
    newsroom.provider.answer = lambda to, body: (
        Reply(400, b'{"code": 21211}') if to == number(0)
        else Reply(503, b"") if int(to[-2:]) < 10 else accepted(to, body)
    )  # fmt: skip
    for _ in range(6):  # five tries, each later than the one before
        newsroom.send()
        newsroom.later(minutes=9)
        fan_out.bring_back(newsroom.now)
    assert newsroom.tally(broadcast_id).reasons == {"invalid_address": 1, "temporary": 9}
    assert state(broadcast_id)[0] == "finished"
    assert waiting_for_it(broadcast_id) == 9

    newsroom.text("STOP", number(3))
    newsroom.send_replies()
    newsroom.provider = FakeProvider()
    newsroom.later(hours=5)
    moved = try_again(broadcast_id, by="ada", controller=newsroom.controller, now=newsroom.now)
    fan_out.bring_back(newsroom.now)
    newsroom.send()

    assert moved == 9
    assert sorted(newsroom.provider.copies) == [number(i) for i in range(1, 10) if i != 3]
    assert newsroom.tally(broadcast_id).reasons == {"invalid_address": 1, "stopped": 1}
    assert state(broadcast_id)[0] == "finished"
    with pytest.raises(Refused, match="Nobody is left"):
        try_again(broadcast_id, by="ada", controller=newsroom.controller, now=newsroom.now)


def test_what_was_stopped_by_somebody_is_not_sent_again(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    stop_broadcasts.cancel(broadcast_id, by="ada", now=newsroom.now)
    with pytest.raises(Refused, match="nothing of it can be sent again"):
        try_again(broadcast_id, by="ada", controller=newsroom.controller, now=newsroom.now)
