"""T26, a quota of broadcasts: a second on a day, a fifth in the month, is refused, or left out at the gate."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain.quotas import QUOTAS
from app.domain.statuses import DeliveryStatus, SkipReason
from app.services import fan_out, review_broadcasts, schedule_broadcasts, write_drafts
from app.services.controller import Refused
from app.services.senders_of_lists import add_sender
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Delivery
from tests.gateways.samples.wechat import SETTINGS
from tests.support.wechat import WeChatCity
from tests.support.world import Newsroom

ADA, GRACE, JONAS = "+12025550143", "+447700900118", "+493023125017"


@pytest.fixture
def service(newsroom: Newsroom) -> WeChatCity:
    return followed(WeChatCity(newsroom, "wechat", SETTINGS))


@pytest.fixture
def subscription(newsroom: Newsroom) -> WeChatCity:
    return followed(WeChatCity(newsroom, "wechat_subscription", SETTINGS))


def followed(city: WeChatCity) -> WeChatCity:
    for phone in (ADA, GRACE):
        city.text(phone, "CITY")
    return city


def got(city: WeChatCity, text: str) -> list[int]:
    return [city.shown(phone).count(text) for phone in (ADA, GRACE)]


def reasons(broadcast_id: int) -> list[str | None]:
    db.session.rollback()
    rows = select(Delivery.reason).where(Delivery.broadcast_id == broadcast_id)
    return list(db.session.scalars(rows.order_by(Delivery.subscriber_id)))


def past_the_plan(city: WeChatCity, title: str) -> int:
    """A broadcast that was planned before the quota was used, as by two editors at the same moment."""
    draft = write_drafts.create_draft(
        title=title, text=title, list_ids=[city.newsroom.list_id], by="bob", now=city.newsroom.now
    )
    with transaction() as session:
        session.execute(
            update(Broadcast)
            .where(Broadcast.id == draft)
            .values(
                state="scheduled",
                next_at=city.newsroom.now,
                expires_at=city.newsroom.now + timedelta(hours=2),
                sender_id=city.newsroom.sender_id,
            )
        )
    return draft


def send_all(city: WeChatCity) -> None:
    fan_out.open_due(controller=city.newsroom.controller, now=city.newsroom.now)
    city.send()
    fan_out.end_finished(city.newsroom.now)


def four_in_march(city: WeChatCity) -> None:
    for day in range(1, 5):
        city.broadcast(f"News {day}", f"News {day}.")
        city.newsroom.later(days=2)


def test_t26_a_second_mass_send_on_the_same_day_is_refused_with_the_first_named(
    subscription: WeChatCity,
) -> None:
    city = subscription
    city.broadcast("Bridge")

    draft = write_drafts.create_draft(
        title="Road", text="The road.", list_ids=[city.newsroom.list_id], by="bob", now=city.newsroom.now
    )
    review = review_broadcasts.check(draft, now=city.newsroom.now)
    words = (
        "WeChat takes at most 1 a day from city-wechat; sent or planned so far: 1 (“Bridge”). "
        "The next may go from 2026-03-03 00:00 (Asia/Shanghai) on."
    )
    with pytest.raises(Refused, match="WeChat takes at most 1 a day from city-wechat"):
        city.plan("Road")

    assert words in review.problems
    assert (review.reachable, review.skipped) == (0, {"platform_quota": 2})


def test_t26_the_day_ends_in_china(subscription: WeChatCity) -> None:
    city = subscription
    city.broadcast("Bridge")  # 12:00 UTC, 20:00 in Shanghai

    with pytest.raises(Refused, match="a day"):
        city.plan("Road", hours=3.9)
    city.newsroom.later(hours=4)
    city.broadcast("Road", "The road is open.")

    assert got(city, "The road is open.") == [1, 1]


def test_t26_a_planned_one_counts_and_one_taken_back_does_not(subscription: WeChatCity) -> None:
    city = subscription
    planned = city.plan("Tomorrow", days=1)

    with pytest.raises(Refused, match="“Tomorrow”"):
        city.plan("Another", days=1, hours=1)
    schedule_broadcasts.back_to_draft(planned, by="ada", now=city.newsroom.now)

    assert city.plan("Another", days=1, hours=1)


def test_t26_another_authors_broadcast_at_the_same_moment_is_left_out_at_the_gate(
    subscription: WeChatCity,
) -> None:
    city = subscription
    first, second = past_the_plan(city, "First."), past_the_plan(city, "Second.")

    send_all(city)

    assert (got(city, "First."), got(city, "Second.")) == ([1, 1], [0, 0])
    assert reasons(first) == [None, None]
    assert reasons(second) == [SkipReason.QUOTA] * 2
    assert city.wire.paths.count("message/mass/send") == 1


def test_t26_what_may_wait_until_the_next_day_and_is_fresh_then_waits(subscription: WeChatCity) -> None:
    city = subscription
    city.newsroom.now = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
    city.text(ADA, "Hello")
    city.broadcast("First", "First.")
    second = past_the_plan(city, "Second.")

    send_all(city)
    assert got(city, "Second.") == [0, 0]
    city.newsroom.later(hours=1, minutes=10)
    fan_out.bring_back(city.newsroom.now)
    city.send()

    assert got(city, "Second.") == [1, 1]
    assert reasons(second) == [None, None]


def test_t26_a_fifth_broadcast_in_the_month_is_refused_with_the_count(service: WeChatCity) -> None:
    city = service
    four_in_march(city)

    with pytest.raises(
        Refused, match=r"lets a person have at most 4 a month .*; sent or planned so far: 4"
    ) as refused:
        city.plan("Fifth")

    assert "“News 1”, “News 2”, “News 3”, “News 4”" in str(refused.value)
    assert "2026-04-01 00:00 (Asia/Shanghai)" in str(refused.value)
    assert city.plan("In April", days=31)


def test_t26_whoever_came_lately_still_gets_the_fifth_and_the_others_are_left_out(
    service: WeChatCity,
) -> None:
    city = service
    four_in_march(city)
    city.text(JONAS, "CITY")

    draft = write_drafts.create_draft(
        title="Fifth", text="Fifth.", list_ids=[city.newsroom.list_id], by="ada", now=city.newsroom.now
    )
    review = review_broadcasts.check(draft, now=city.newsroom.now)
    fifth = city.broadcast("Fifth", "Fifth.")

    assert (review.reachable, review.skipped, review.problems) == (1, {"platform_quota": 2}, ())
    assert "On WeChat 2 of 3 people are left out" in review.warnings[0]
    assert got(city, "Fifth.") == [0, 0]
    assert city.shown(JONAS)[-1] == "Fifth."
    assert reasons(fifth) == [SkipReason.QUOTA, SkipReason.QUOTA, None]


def test_t26_planned_ones_count_for_those_on_their_lists(service: WeChatCity) -> None:
    city = service
    for day in range(1, 5):
        city.plan(f"News {day}", days=day)

    with pytest.raises(Refused, match="sent or planned so far: 4"):
        city.plan("Fifth", days=5)


def test_t26_what_failed_and_what_was_answered_uses_nothing_up(subscription: WeChatCity) -> None:
    city = subscription
    city.text(ADA, "HELP")
    broadcast_id = city.broadcast("Bridge")
    with transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id)
            .values(status=DeliveryStatus.FAILED.value)
        )

    assert city.plan("Road", minutes=5)


def test_t26_who_reads_it_by_sms_gets_it_though_wechat_takes_no_more(subscription: WeChatCity) -> None:
    city = subscription
    newsroom = city.newsroom
    newsroom.join(1)
    newsroom.provider.arrived.clear()
    city.broadcast("Bridge")
    newsroom.send()

    draft = write_drafts.create_draft(
        title="Road", text="The road.", list_ids=[newsroom.list_id], by="bob", now=newsroom.now
    )
    review = review_broadcasts.check(draft, now=newsroom.now)
    road = city.broadcast("Road", "The road.")
    newsroom.send()

    assert (review.reachable, review.skipped, review.problems) == (1, {"platform_quota": 2}, ())
    assert review.quota_notes[0].startswith("WeChat takes at most 1 a day from city-wechat")
    assert [text for _, text in newsroom.provider.arrived] == ["The bridge is open.", "The road."]
    assert got(city, "The road.") == [0, 0]
    assert sorted(reasons(road), key=str) == [None, SkipReason.QUOTA, SkipReason.QUOTA]


def test_the_quota_of_one_sender_is_none_of_anothers(subscription: WeChatCity) -> None:
    city = subscription
    newsroom = city.newsroom
    (sms,) = newsroom.join(1)
    other = newsroom.new_list("Sport", "SPORT")
    newsroom.text("SPORT", sms)
    city.broadcast("Bridge")

    draft = write_drafts.create_draft(
        title="Goal", text="Goal!", list_ids=[other], by="bob", now=newsroom.now
    )

    assert (
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="bob", now=newsroom.now) == newsroom.now
    )
    add_sender("SPORT", "city-wechat", by="tests", now=newsroom.now)


def test_where_one_request_is_all_there_is_one_text_must_do_and_the_audience_must_fit(
    subscription: WeChatCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = subscription

    with pytest.raises(Refused, match="On WeChat one text goes to all"):
        city.plan("Personal", "Good morning, {{first_name|friend}}!")
    smaller = replace(QUOTAS["wechat_subscription"], people=1)
    monkeypatch.setitem(QUOTAS, "wechat_subscription", smaller)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="one broadcast reaches 1 people, and these lists have 2 there"):
        city.plan("Bridge")


def test_a_thousand_followers_and_more_share_one_request(
    service: WeChatCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = service
    monkeypatch.setattr("app.storage.audience.SLICE_SIZE", 2)
    monkeypatch.setattr("app.services.send_deliveries.WINDOW", 1)
    city.text(JONAS, "CITY")

    broadcast_id = city.broadcast("Bridge")

    assert city.wire.paths.count("message/mass/send") == 1
    assert reasons(broadcast_id) == [None] * 3


def test_t26_a_first_wave_would_be_the_whole_quota_and_is_refused(subscription: WeChatCity) -> None:
    newsroom = subscription.newsroom
    draft = write_drafts.create_draft(
        title="Road", text="The road.", list_ids=[newsroom.list_id], by="bob", now=newsroom.now
    )
    with pytest.raises(Refused, match="A first wave would use up the quota"):
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="bob", now=newsroom.now, first_percent=10)
