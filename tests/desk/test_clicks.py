"""Counting clicks, switched on at the desk; and the preview with short links."""

from app.domain.clicks import SAYS
from tests.desk.conftest import House, Visitor, words

TEXT = "Riverside: read https://example.org/a-long-way/to-the-page"


def test_an_admin_switches_counting_on_and_the_preview_shows_both_links(house: House, admin: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/clicks"
    assert "Nothing: links go out as they were written" in words(admin.get(path))
    form = {"title": "x", "text": TEXT, "list_ids": [str(house.newsroom.list_id)]}
    assert "Short links" not in admin.post("/broadcasts/measure", form).text

    answer = admin.submit(path, {"clicks": "links"})
    shown = words(admin.post("/broadcasts/measure", form))

    assert 'value="links" checked' in answer.text
    assert "http://localhost/l/xxxxxxxx" in shown
    assert "leads to https://example.org/a-long-way/to-the-page" in shown


def test_to_keep_clicks_with_people_the_notice_must_say_so(house: House, admin: Visitor) -> None:
    answer = admin.post(f"/lists/{house.newsroom.list_id}/clicks", {"clicks": "people"})

    assert answer.status_code == 422
    assert SAYS["en"] in words(answer)
    assert admin.post(f"/lists/{house.newsroom.list_id}/clicks", {"clicks": "?"}).status_code == 422


def test_an_editor_sees_what_is_counted_and_changes_nothing(house: House, editor: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/clicks"

    assert "Admins can change this." in words(editor.get(path))
    assert editor.post(path, {"clicks": "links"}).status_code == 403
