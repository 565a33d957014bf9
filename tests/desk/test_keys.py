"""The keys of the desk: listed on a page, named by the buttons, turned off for good by whoever wants."""

from collections.abc import Callable

from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words


def test_the_page_lists_every_key_and_leads_to_the_same_places(editor: Visitor) -> None:
    page = editor.get("/keys")

    assert "g then b Go to Broadcasts g then t Go to Today" in words(page)
    assert "Ctrl + S Save what is being written" in words(page)
    assert page.text.count('data-go="') == 12  # in the dialog and on the page


def test_buttons_name_their_keys(editor: Visitor) -> None:
    page = editor.get("/broadcasts/new").text

    assert 'data-key="save" aria-keyshortcuts="Control+S"' in page
    assert 'data-key="next" aria-keyshortcuts="Control+Enter"' in page
    assert '<kbd class="hint" aria-hidden="true">Ctrl+S</kbd>' in page


def test_who_turns_the_keys_off_has_none_on_any_page_until_they_turn_them_on(
    house: House, editor: Visitor, visit: Callable[..., Visitor]
) -> None:
    editor.get("/keys")

    off = editor.submit("/keys", {"on": "0"})
    written = editor.get("/broadcasts/new").text
    elsewhere = visit(Role.EDITOR).get("/lists").text
    of_somebody_else = visit(Role.ADMIN).get("/lists").text
    on = editor.submit("/keys", {"on": "1"})

    assert "The keys are off. " in words(off)
    for page in (off.text, written, elsewhere):
        assert "keys.js" not in page
        assert "<dialog" not in page
        assert "aria-keyshortcuts" not in page
    assert "keys.js" in of_somebody_else
    assert "The keys are on. " in words(on)
    assert '<dialog id="keys"' in on.text


def test_nothing_that_sends_has_a_key(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)
    number = editor.submit(
        "/broadcasts/new",
        {"title": "A", "text": "City: hi. Reply STOP to leave.", "list_ids": [house.newsroom.list_id]},
    ).request.path.split("/")[2]

    review = editor.get(f"/broadcasts/{number}/review?choice=now&zone=UTC").text

    assert "1 message" in review
    assert 'data-key="' not in review


def test_a_text_that_a_button_changed_has_the_focus_and_saves_itself_without_a_key(editor: Visitor) -> None:
    plain = editor.get("/broadcasts/new").text

    helped = editor.post("/broadcasts/new", {"title": "A", "text": "“Hi”", "act": "plain"}).text

    assert "load delay:5s" not in plain
    assert 'dir="auto" data-focus' in helped
    assert "delay:5s, load delay:5s" in helped


def test_the_key_is_called_as_on_a_german_keyboard(house: House, visit: Callable[..., Visitor]) -> None:
    visitor = visit(Role.EDITOR, "de")

    assert "Strg + S" in words(visitor.get("/keys"))
    assert '<kbd class="hint" aria-hidden="true">Strg+S</kbd>' in visitor.get("/broadcasts/new").text
