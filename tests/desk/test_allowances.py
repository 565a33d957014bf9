"""What a platform still takes is said where somebody chooses the moment, in their language, and shown on Health."""

from collections.abc import Callable

import pytest

from app.clock import utcnow
from app.desk.languages import in_language
from app.desk.refusals import said
from app.domain.allowances import Allowance, Span
from app.services import allowances, write_drafts
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words


@pytest.fixture
def draft(house: House) -> int:
    """Five people on the list, and a sender who may begin to talk with two a day."""
    with house.inside() as newsroom:
        newsroom.join(5)
        assert allowances.claim({"twilio"}, utcnow()) == [newsroom.sender_id]
        allowances.keep(newsroom.sender_id, Allowance(Span.MOVING_DAY, 2), utcnow())
        return write_drafts.create_draft(
            title="Bridge",
            text="Open. STOP to leave.",
            list_ids=[newsroom.list_id],
            by="Ada (#1)",
            now=newsroom.now,
        )


ENGLISH = (
    "Look again: SMS: city-desk may begin to talk with 2 people in 24 hours, 0 are used up, and this broadcast "
    "needs 5. Then it pauses on all its channels, and at least 3 people wait until somebody lets it go on."
)
GERMAN = (
    "SMS: city-desk darf in 24 Stunden mit 2 Menschen ein Gespräch beginnen, 0 davon sind verbraucht, und diese "
    "Rundsendung braucht 5. Danach pausiert sie auf allen Kanälen, und mindestens 3 Menschen warten, bis jemand "
    "sie weitergehen lässt."
)


@pytest.mark.parametrize(("language", "said"), [("en", ENGLISH), ("de", GERMAN)])
def test_the_review_warns_and_can_be_sent_all_the_same(
    visit: Callable[..., Visitor], draft: int, language: str, said: str
) -> None:
    page = visit(Role.EDITOR, language).get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")

    assert said in words(page)
    assert "<button disabled" not in page.text


def test_it_is_said_while_the_moment_is_chosen(editor: Visitor, draft: int) -> None:
    now = editor.get(f"/broadcasts/{draft}/when/words?choice=now&zone=UTC")
    page = editor.get(f"/broadcasts/{draft}/when?choice=now&zone=UTC")

    assert ENGLISH in words(now)
    assert ENGLISH in words(page)


def test_health_shows_what_the_sender_may_send(visit: Callable[..., Visitor], draft: int) -> None:
    page = words(visit(Role.ADMIN, "de").get("/health-page"))

    assert "Was Absender noch dürfen" in page
    assert "„city-desk“ darf in 24 Stunden mit 2 Menschen ein Gespräch beginnen" in page


def test_why_nobody_knows_the_allowance_is_said_in_the_readers_language(house: House) -> None:
    unknown = "what “news-line” may still send is not known: "
    with house.inside(), in_language("de"):
        refused = said(f"{unknown}the provider answered HTTP 401")
        away = said(f"{unknown}there was no answer (timeout)")

    assert refused.endswith("ist nicht bekannt: Der Anbieter antwortete mit HTTP 401")
    assert away.endswith("ist nicht bekannt: Es kam keine Antwort (timeout)")
