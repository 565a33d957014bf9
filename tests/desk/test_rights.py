"""People's rights at the desk: their data as a file, erasure with what stays, requests, retention; and notices."""

import json
from collections.abc import Callable

from sqlalchemy import select

from app.storage.database import db
from app.storage.models import Notice, Subscriber
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import number


def joined(house: House) -> int:
    """Somebody who texted START; returns the subscriber's id."""
    with house.inside() as newsroom:
        newsroom.text("START", number(1))
        return db.session.scalars(select(Subscriber.id)).one()


def test_an_admin_hands_a_person_their_data_as_a_page_or_as_json(house: House, admin: Visitor) -> None:
    person = joined(house)
    admin.get(f"/people/{person}")

    page = admin.post(f"/people/{person}/data", {"format": "html"})
    pack = admin.post(f"/people/{person}/data", {"format": "json"})

    assert (page.status_code, number(1) in page.text) == (200, True)
    assert "attachment" in pack.headers["Content-Disposition"]
    assert number(1) in json.dumps(json.loads(pack.text))
    assert admin.post(f"/people/{person}/data", {"format": "exe"}).status_code == 404


def test_erasing_says_what_goes_and_what_stays_and_needs_a_choice(house: House, admin: Visitor) -> None:
    person = joined(house)

    asked = words(admin.get(f"/people/{person}/erase"))
    undecided = admin.post(f"/people/{person}/erase", {"step": ""})
    done = admin.submit(f"/people/{person}/erase", {"step": "restricted", "reason": "letter of 3 March"})

    assert "What goes, at once and for good" in asked
    assert "A keyed hash of the address" in asked
    assert (undecided.status_code, "Choose what becomes of the proof." in words(undecided)) == (422, True)
    assert "This person is erased." in words(done)
    assert number(1) not in done.text
    assert "done" in words(admin.get("/requests")).lower()


def test_what_is_kept_how_long_is_one_page_with_the_record_of_processing(admin: Visitor) -> None:
    page = admin.get("/retention")
    record = admin.get("/retention/art30.json")

    assert page.status_code == 200
    assert json.loads(record.text)
    assert admin.get("/retention/art30.exe").status_code == 404


def test_t19_a_notice_that_lacks_its_duties_is_refused_and_each_is_named(
    house: House, admin: Visitor
) -> None:
    path = f"/lists/{house.newsroom.list_id}/notice"
    admin.get(path)

    answer = admin.post(
        path, {"act": "save", "text": "Welcome!", "purpose": "News of City", "after_version": "1"}
    )

    said = words(answer)
    assert answer.status_code == 422
    for missing in ("who is writing", "the link to the privacy page", "how to leave", "how to get help"):
        assert missing in said
    with house.inside():
        assert len(db.session.scalars(select(Notice).where(Notice.language == "en")).all()) == 1


def test_t18_a_new_version_of_a_notice_stands_beside_the_old_one(
    house: House, admin: Visitor, visit: Callable[..., Visitor]
) -> None:
    path = f"/lists/{house.newsroom.list_id}/notice"
    admin.get(path)
    with house.inside():
        old = db.session.scalars(select(Notice).where(Notice.language == "en")).one()
        text, purpose = old.text, "News of City"

    answer = admin.submit(
        path, {"act": "save", "text": f"{text} Thanks!", "purpose": purpose, "after_version": "1"}
    )

    assert "Version 2" in words(answer)
    with house.inside():
        rows = db.session.scalars(
            select(Notice).where(Notice.language == "en").order_by(Notice.version)
        ).all()
        assert [row.text for row in rows] == [text, f"{text} Thanks!"]
    assert visit(Role.EDITOR).post(path, {"act": "save"}).status_code == 403
