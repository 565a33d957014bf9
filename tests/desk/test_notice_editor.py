"""The notice editor: what is missing is said, each thing in its sentence, and every version can be seen."""

from app.storage.database import db
from app.storage.models import Notice
from tests.desk.conftest import House, Visitor, words

GOOD = (
    "Riverside News: City sends you News of City, for example road works. At most 3 a day, 0 to 24 h. "
    "Msg&data rates may apply. Reply HELP for help, STOP to end. Privacy: https://example.org/privacy"
)


def form(**changes: str) -> dict[str, object]:
    return {
        "language": "en", "after_version": "1", "purpose": "News of City", "text": GOOD, "act": "save", **changes,
    }  # fmt: skip


def test_t19_what_a_notice_lacks_is_said_in_a_sentence_for_each_thing(house: House, admin: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/notice"
    admin.get(path)

    answer = admin.post(path, form(text="Hello!"))

    assert answer.status_code == 422
    said = words(answer)
    for missing in ("who is writing. Add: Riverside News", "Add: City", "Add: At most 3 a day, 0 to 24 h",
                    "how to get help", "how to leave", "privacy page. Add https://", "costs"):  # fmt: skip
        assert f"Missing: {missing}" in said or missing in said
    assert "7 things missing" in said
    assert "Hello!" in answer.text
    quoting = words(admin.post(f"{path}/measure", form(text=f"{GOOD} Reply “1” to unsubscribe.")))
    assert "“Reply ‘1’ to unsub" in quoting
    live = words(admin.post(f"{path}/measure", form(text=GOOD + " And more." * 12)))
    assert "Too long: 3 parts." in live
    assert "part 1 ends here" in live


def test_t18_a_new_version_is_shown_above_the_old_ones_with_hash_and_author(
    house: House, admin: Visitor
) -> None:
    path = f"/lists/{house.newsroom.list_id}/notice"
    before = words(admin.get(path))

    page = words(admin.submit(path, form()))

    assert "made by Tidings from the list" in before
    assert "Version 2 is what people are shown from now on." in page
    assert "Admin Berg" in page
    with house.inside():
        for notice in db.session.query(Notice).filter_by(list_id=house.newsroom.list_id, language="en"):
            assert notice.sha256 in page
    assert admin.post(path, form()).status_code == 409
    assert "Version 2" not in words(admin.get(f"{path}?language=de"))


def test_another_purpose_is_written_only_once_it_is_confirmed(house: House, admin: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/notice"
    with house.inside() as newsroom:
        newsroom.join(2)
    admin.get(path)
    other = form(purpose="Road works", text=GOOD.replace("News of City", "Road works"))

    refused = admin.post(path, other)

    assert refused.status_code == 422
    assert "2 people are on the list" in words(refused)
    assert "Confirm that they will be asked again." in words(refused)
    assert "Ask them now" not in words(admin.get(path))
    page = words(admin.submit(path, other | {"confirmed": "true"}))
    assert "Version 2 is what" in page
    assert "2 people on this list agreed to another purpose" in page
    asked = words(admin.submit(f"{path}/ask-again", {}))
    assert "2 people are asked again." in asked
    assert "Ask them now" not in asked
    assert "there is nobody to ask again" in words(admin.submit(f"{path}/ask-again", {}))


def test_editors_read_the_notice_and_write_none(house: House, editor: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/notice"

    page = editor.get(path)

    assert "<textarea" not in page.text
    assert "SHA-256" in words(page)
    assert editor.post(path, form()).status_code == 403
    assert editor.get("/lists/99/notice").status_code == 404
