"""What a platform took from us, as editors and operators read it in their language."""

from collections.abc import Callable
from datetime import timedelta

from app.domain.platform_news import News, PlatformNews
from app.services import hear_platform, write_drafts
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import Newsroom

TEMPLATE = "newsletter:en_US"


def tell(newsroom: Newsroom, news: News, why: str, minutes: int = 0) -> None:
    at = newsroom.now + timedelta(minutes=minutes)
    told = PlatformNews(news, TEMPLATE, why, usual=True)
    hear_platform.hear(told, sender_id=newsroom.sender_id, at=at, now=at)


def test_a_paused_broadcast_says_why_and_later_that_the_template_is_back(
    house: House, visit: Callable[..., Visitor]
) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        running = newsroom.broadcast()
        tell(newsroom, News.TEMPLATE_LOST, "PAUSED, LOW_QUALITY")
    german = visit(Role.EDITOR, "de")

    lost = words(german.get(f"/broadcasts/{running}"))
    with house.inside() as newsroom:
        tell(newsroom, News.TEMPLATE_BACK, "APPROVED", minutes=5)
    back = words(german.get(f"/broadcasts/{running}"))

    assert (
        f"Die Vorlage {TEMPLATE} darf jetzt nicht gesendet werden, sagt die Plattform: PAUSED, LOW_QUALITY"
        in lost
    )
    assert "wieder freigegeben" not in lost
    assert f"Die Plattform hat die Vorlage {TEMPLATE} wieder freigegeben. Setzen Sie fort" in back
    assert "Angehalten" in back


def test_the_check_of_a_draft_names_the_lost_template(house: House, visit: Callable[..., Visitor]) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        draft = write_drafts.create_draft(
            title="Bridge", text="Open.", list_ids=[newsroom.list_id], by="bob", now=newsroom.now
        )
        tell(newsroom, News.TEMPLATE_LOST, "DISABLED")

    english = words(visit(Role.ADMIN).get(f"/broadcasts/{draft}/review?choice=now&zone=UTC"))
    german = words(visit(Role.EDITOR, "de").get(f"/broadcasts/{draft}/review?choice=now&zone=UTC"))

    assert (
        f"The template {TEMPLATE} may not be sent now, says the platform: DISABLED. Name another" in english
    )
    assert (
        f"Die Vorlage {TEMPLATE} darf jetzt nicht gesendet werden, sagt die Plattform: DISABLED. Nennen"
        in german
    )


def test_health_says_what_the_platforms_hold_against_us(house: House, visit: Callable[..., Visitor]) -> None:
    with house.inside() as newsroom:
        tell(newsroom, News.TEMPLATE_LOST, "REJECTED")

    page = words(visit(Role.ADMIN, "de").get("/health-page"))

    assert "die Plattformen sagen" in page
    assert f"{TEMPLATE} REJECTED" in page
