"""People's rights at the desk."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.domain.addresses import spaced
from app.services.rights import retention
from app.storage.database import db
from app.storage.models import Subscriber
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.services.rights.test_erasure import ask
from tests.support.world import Newsroom, number

ANNA = number(0)


def met(newsroom: Newsroom) -> int:
    """Anna joined and had a broadcast; returns her id."""
    newsroom.text("START", ANNA)
    newsroom.send_replies()
    newsroom.broadcast()
    newsroom.send()
    return db.session.scalars(select(Subscriber.id).where(Subscriber.address == ANNA)).one()


def test_an_admin_hands_a_person_their_data(house: House, admin: Visitor) -> None:
    with house.inside() as newsroom:
        anna = met(newsroom)
    assert "If this person asks" in words(admin.get(f"/people/{anna}"))

    page = admin.post(f"/people/{anna}/data", {"format": "html"})
    file = admin.post(f"/people/{anna}/data", {"format": "json"})

    assert page.headers["Content-Disposition"] == f'attachment; filename="person-{anna}-en.html"'
    assert "Everything that Riverside News holds about +12015550100" in words(page)
    assert json.loads(file.text)["person"]["address"] == ANNA
    assert admin.post(f"/people/{anna}/data", {"format": "pdf"}).status_code == 404
    assert admin.post("/people/99/data").status_code == 404


def test_an_erasure_says_first_what_goes_and_what_stays(house: House, admin: Visitor) -> None:
    with house.inside() as newsroom:
        anna = met(newsroom)
    page = admin.get(f"/people/{anna}/erase")

    for said in (
        "What goes, at once and for good",
        "What stays, and why",
        "keyed hash",
        "START from this very address",
        "2 deliveries",
        "5 years",
    ):
        assert said in words(page)
    assert admin.post(f"/people/{anna}/erase").status_code == 422
    after = words(admin.submit(f"/people/{anna}/erase", {"step": "restricted", "reason": "letter"}))

    assert "This person is erased." in after
    assert "Erased: nothing leads to this person any more" in after
    assert "If this person asks" not in after
    assert "Language" not in after
    assert "Town" not in after
    assert ANNA not in after
    assert "words that are not kept any more" in after
    assert "erased already" in words(admin.get(admin.get(f"/people/{anna}/erase").location))
    assert "Nobody has this number." in words(admin.get("/people?q=0100"))
    done = words(admin.get("/requests"))
    assert "Admin Berg under lock" in done
    assert "Nobody is waiting to be erased." in done


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Requests for erasure"), ("de", "Bitten um Löschung")]
)
def test_open_requests_are_listed_with_their_deadline(
    language: str, title: str, house: House, visit: Callable[..., Visitor]
) -> None:
    with house.inside() as newsroom:
        met(newsroom)
        ask(newsroom, ANNA)
    admin = visit(Role.ADMIN, language)

    page = words(admin.get("/requests"))

    assert title in page
    assert spaced(ANNA) in page
    assert "2 Apr" in page.replace("2. Apr", "2 Apr")
    assert "Erase now" in page or "Jetzt löschen" in page


def test_retention_and_the_record_of_processing_are_shown_to_admins(house: House, admin: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.text("when is the fair?", ANNA)
        newsroom.later(days=91)
        retention.purge(
            by="system",
            periods=newsroom.app.extensions["tidings"].settings.retention,
            controller=newsroom.controller,
            now=newsroom.now,
        )

    page = words(admin.get("/retention"))

    assert "Sign-ups that were never confirmed 30 days" in page
    assert "People who wrote to us and never signed up: 1" in page
    assert "Record of processing activities" in words(admin.get("/retention/art30.html"))
    assert json.loads(admin.get("/retention/art30.json").text)["controller"]["name"] == "Riverside News"
    assert admin.get("/retention/art30.pdf").status_code == 404


def test_editors_have_no_part_in_it(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.text("START", ANNA)
    assert "If this person asks" not in words(editor.get("/people/1"))
    for path in ("/requests", "/retention", "/people/1/erase", "/retention/art30.html"):
        assert editor.get(path).status_code == 403
    for path in ("/people/1/data", "/people/1/erase"):
        assert editor.post(path).status_code == 403
