"""What a platform tells about ourselves: what would fail is stopped with the reason, and good news lifts nothing."""

from datetime import timedelta

import pytest

from app.domain.buttons import Rich, TemplateUse
from app.domain.platform_news import News, PlatformNews
from app.services import check_platforms, fan_out, hear_platform, review_broadcasts, stop_broadcasts
from app.services.schedule_broadcasts import schedule
from app.services.template_news import back_again
from app.services.write_drafts import create_draft
from app.storage.database import db
from app.storage.models import Broadcast, Sender
from tests.gateways.samples.whatsapp import SETTINGS
from tests.support.chat_city import GRACE, ChatCity
from tests.support.world import Newsroom

USUAL, OWN = "newsletter:en_US", "poll:en"
WHY = "PAUSED, LOW_QUALITY"
SENTENCE = f"The template {USUAL} may not be sent now, says the platform: {WHY}"


@pytest.fixture
def city(newsroom: Newsroom) -> ChatCity:
    found = ChatCity(newsroom, "whatsapp", SETTINGS["number"], {**SETTINGS, "template": USUAL})
    found.says(GRACE, "CITY")
    return found


def tell(city: ChatCity, news: News, subject: str = USUAL, minutes: int = 0, why: str = WHY) -> bool:
    now = city.newsroom.now + timedelta(minutes=minutes)
    told = PlatformNews(news, subject, why, usual=subject == USUAL)
    return hear_platform.hear(told, sender_id=city.sender_id, at=now, now=now)


def planned(city: ChatCity, rich: dict[str, Rich] | None = None) -> int:
    now = city.newsroom.now
    draft = create_draft(
        title="Bridge",
        text="It is open.",
        list_ids=[city.newsroom.list_id],
        by="bob",
        now=now,
        rich=rich or {},
    )
    schedule(draft, at=now, zone="UTC", by="bob", now=now)
    return draft


def stand(broadcast_id: int) -> tuple[str, str | None]:
    db.session.rollback()
    row = db.session.get_one(Broadcast, broadcast_id)
    return row.state, row.state_reason


def start(city: ChatCity) -> None:
    fan_out.open_due(controller=city.newsroom.controller, now=city.newsroom.now)


def test_what_is_being_sent_by_a_lost_template_is_paused_before_the_rest_fails(city: ChatCity) -> None:
    broadcast = planned(city)
    start(city)

    tell(city, News.TEMPLATE_LOST)

    assert stand(broadcast) == ("paused", SENTENCE)
    city.drain()
    assert "It is open." not in city.shown(GRACE)


def test_what_is_scheduled_is_paused_when_its_time_comes_and_nothing_of_it_leaves(city: ChatCity) -> None:
    broadcast = planned(city)
    tell(city, News.TEMPLATE_LOST)

    start(city)

    assert stand(broadcast) == ("paused", SENTENCE)


def test_a_draft_says_on_its_review_which_template_is_lost_until_it_is_back(city: ChatCity) -> None:
    now = city.newsroom.now
    draft = create_draft(title="B", text="Open.", list_ids=[city.newsroom.list_id], by="bob", now=now)
    tell(city, News.TEMPLATE_LOST)
    wrong = review_broadcasts.check(draft, now=now).problems

    tell(city, News.TEMPLATE_BACK, minutes=1)

    assert [one for one in wrong if SENTENCE in one]
    assert not [one for one in review_broadcasts.check(draft, now=now).problems if USUAL in one]


def test_a_broadcast_by_another_template_goes_on(city: ChatCity) -> None:
    broadcast = planned(city, {"whatsapp": Rich(template=TemplateUse("poll", "en"))})
    start(city)

    tell(city, News.TEMPLATE_LOST)
    assert stand(broadcast)[0] == "sending"

    tell(city, News.TEMPLATE_LOST, subject=OWN)
    assert stand(broadcast)[0] == "paused"


def test_an_approval_resumes_nothing_and_is_said(city: ChatCity) -> None:
    broadcast = planned(city)
    start(city)
    tell(city, News.TEMPLATE_LOST)

    tell(city, News.TEMPLATE_BACK, minutes=1, why="APPROVED")

    assert stand(broadcast)[0] == "paused"
    assert back_again(db.session(), db.session.get_one(Broadcast, broadcast)) == [USUAL]
    assert check_platforms.said(city.newsroom.now) == ([], [f"“city”: {USUAL}"])


def test_news_that_comes_again_or_too_late_stops_nothing_that_was_resumed(city: ChatCity) -> None:
    broadcast = planned(city)
    start(city)
    tell(city, News.TEMPLATE_LOST)
    stop_broadcasts.resume(broadcast, by="bob", now=city.newsroom.now)

    again = tell(city, News.TEMPLATE_LOST)
    late = tell(city, News.TEMPLATE_LOST, minutes=-5)

    assert (again, late) == (False, False)
    assert stand(broadcast)[0] == "sending"
    assert tell(city, News.TEMPLATE_LOST, minutes=5)
    assert stand(broadcast)[0] == "paused"


def test_a_ban_closes_the_sender_with_the_reason_and_a_pause_keeps_its_own(city: ChatCity) -> None:
    tell(city, News.CLOSED, subject="account", why="DISABLED_UPDATE, DISABLE")
    tell(city, News.CLOSED, subject="restriction", why="ACCOUNT_RESTRICTION")

    db.session.rollback()
    row = db.session.get_one(Sender, city.sender_id)
    assert row.paused_reason == "The platform closed this account to us: DISABLED_UPDATE, DISABLE"
    against, _ = check_platforms.said(city.newsroom.now)
    assert "“city”: DISABLED_UPDATE, DISABLE" in against


def test_complaints_fade_but_a_lost_template_stays_until_it_is_forgotten(city: ChatCity) -> None:
    tell(city, News.QUALITY, subject="number", why="FLAGGED")
    tell(city, News.TEMPLATE_LOST)
    later = city.newsroom.now + timedelta(days=15)

    assert check_platforms.said(later)[0] == [f"“city”: {USUAL} {WHY}"]
    assert hear_platform.forget("city", by="ops", now=later) == 2
    assert check_platforms.said(later) == ([], [])
    assert hear_platform.told("city") == []
