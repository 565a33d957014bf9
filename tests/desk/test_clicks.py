"""Counting clicks, switched on at the desk; and the preview with short links."""

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.clicks import SAYS
from app.domain.short_links import Clicks
from app.services.short_links import set_clicks
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


def test_a_link_button_has_its_short_link_in_the_preview_and_its_label_in_the_report(
    house: House, editor: Visitor
) -> None:
    plan = "https://example.org/a-long-way/to-the-plan"
    with house.inside() as newsroom:
        newsroom.join(1)
        set_clicks("City", Clicks.LINKS, public_url="http://localhost", by="ada", now=newsroom.now)
        sent = newsroom.broadcast("Open.", rich={"": Rich((Button(ButtonKind.LINK, "See the plan", plan),))})
        newsroom.send()
    button = {"rich": "1", "button_1_label": "Plan", "button_1_does": "link", "button_1_link": plan}
    form = {"title": "x", "text": "Open.", "list_ids": [str(house.newsroom.list_id)], **button}

    shown = words(editor.post("/broadcasts/measure", form))
    report = words(editor.get(f"/broadcasts/{sent}/report"))

    assert "Open. Plan: http://localhost/l/xxxxxxxx" in shown
    assert f"leads to {plan}" in shown
    assert f"{plan} Button “See the plan” http://localhost/l/" in report
    assert "opened 0 times" in report
