"""The day's board at the desk: add, rank, hold, and a yes from a second person."""

from collections.abc import Callable

from app.clock import utcnow
from app.services.fill_slots import fill_slots
from app.storage.database import transaction
from app.storage.models import SlotTime
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words


def path(house: House) -> str:
    return f"/board/{house.newsroom.list_id}"


def add(house: House, editor: Visitor, title: str, **more: str) -> str:
    page = editor.submit(
        f"{path(house)}/stories", {"title": title, "text": f"{title}.", "story": "0", **more}
    )
    return words(page)


def test_stories_are_added_ranked_held_and_taken_out(house: House, editor: Visitor) -> None:
    editor.get("/board")
    assert "the next slot sends nothing" in words(editor.get(path(house)))
    add(house, editor, "Bridge")
    page = add(house, editor, "Pool", day="2099-01-01", hour="12:00")
    assert page.index("Bridge") < page.index("Pool")
    assert "until Thu 1 Jan, 12:00" in page

    editor.submit(f"{path(house)}/stories/2/up", {})
    editor.submit(f"{path(house)}/stories/1/hold", {})
    page = words(editor.get(path(house)))

    assert page.index("Pool") < page.index("Bridge held")
    editor.submit(f"{path(house)}/stories/1/release", {})
    editor.submit(f"{path(house)}/stories/2/drop", {})
    assert "Pool" not in words(editor.get(path(house)))


def test_a_story_is_changed_and_faults_are_named_at_their_fields(house: House, editor: Visitor) -> None:
    editor.get(path(house))
    add(house, editor, "Bridge")

    wrong = editor.post(
        f"{path(house)}/stories", {"title": "", "text": "", "day": "2099-01-01", "story": "0"}
    )
    form = editor.get(f"{path(house)}?edit=1")
    editor.submit(
        f"{path(house)}/stories", {"title": "Bridge", "text": "Open.", "story": "1", "revision": "1"}
    )
    late = editor.post(
        f"{path(house)}/stories", {"title": "Bridge", "text": "Shut.", "story": "1", "revision": "1"}
    )

    assert wrong.status_code == 422
    assert "Give it a title" in words(wrong)
    assert "Change a story" in words(form)
    assert late.status_code == 409
    assert "Open." in words(editor.get(path(house)))


def test_only_admins_set_the_slots_and_the_board_shows_them(
    house: House, editor: Visitor, admin: Visitor
) -> None:
    editor.get(path(house))
    admin.get(path(house))
    assert editor.post(f"{path(house)}/slots", {"times": "07:30"}).status_code == 403

    admin.submit(f"{path(house)}/slots", {"times": "23:58, 23:59"})
    add(house, editor, "Bridge")
    add(house, editor, "Pool")
    page = words(editor.get(path(house)))

    assert "23:58 UTC next Bridge 23:59 UTC then Pool" in page


def test_a_wrong_slot_is_named_and_what_was_typed_stays(
    house: House, admin: Visitor, visit: Callable[..., Visitor]
) -> None:
    admin.get(path(house))
    admin.submit(f"{path(house)}/slots", {"times": "23:58"})

    wrong = admin.post(f"{path(house)}/slots", {"times": "09:55, 10:05, 26:00"})
    many = admin.post(f"{path(house)}/slots", {"times": "09:00, 09:10, 09:20, 09:30, 09:40"})

    assert wrong.status_code == 422
    assert "“26:00” is no time of day. Write the times as 07:30, 12:30, 18:00." in words(wrong)
    assert 'value="09:55, 10:05, 26:00"' in wrong.text
    assert many.status_code == 422
    assert 'value="09:00, 09:10, 09:20, 09:30, 09:40"' in many.text
    assert 'value="23:58"' in admin.get(path(house)).text
    german = visit(Role.ADMIN, "de")
    german.get(path(house))
    assert "„soon“ ist keine Uhrzeit." in words(german.post(f"{path(house)}/slots", {"times": "soon"}))


def test_what_cannot_wait_is_let_go_by_somebody_else(house: House, editor: Visitor, admin: Visitor) -> None:
    editor.get(path(house))
    admin.get(path(house))
    with house.inside() as newsroom:
        newsroom.join(1)
    add(house, editor, "Flood")

    asked = words(editor.submit(f"{path(house)}/stories/1/breaking", {"reason": "The dam broke"}))
    own = words(editor.submit(f"{path(house)}/stories/1/yes", {"revision": "1"}))
    sent = admin.submit(f"{path(house)}/stories/1/yes", {"revision": "1"})

    assert "A second person must say yes." in asked
    assert "you asked for it yourself" in own
    assert "Flood" in words(sent)
    assert "/broadcasts/" in sent.request.path


def test_a_board_of_no_list_is_not_there(house: House, editor: Visitor) -> None:
    assert editor.get("/board/99").status_code == 404


def test_a_story_is_put_at_a_place_by_drag_or_keys(house: House, editor: Visitor) -> None:
    editor.get(path(house))
    for title in ("Bridge", "Pool", "Tram"):
        add(house, editor, title)

    page = editor.submit(f"{path(house)}/stories/3/place", {"place": "1"})

    assert words(page).index("Tram.") < words(page).index("Bridge.")
    assert "“Tram” is number 1 of 3." in page.text


def test_a_story_is_measured_as_a_slot_will_send_it(house: House, editor: Visitor) -> None:
    editor.get(path(house))

    seen = editor.post(f"{path(house)}/measure", {"text": "Read https://bit.ly/x"})
    plain = editor.post(f"{path(house)}/stories", {"title": "Quotes", "text": "“So”", "act": "plain"})

    assert "filter public link shorteners" in words(seen)
    assert "21 of 160" in words(seen)
    assert 'id="preview" hx-swap-oob' in seen.text
    assert ">&#34;So&#34;</textarea>" in plain.text
    assert "Add a story" in words(plain)
    assert editor.post("/board/99/measure", {"text": "x"}).status_code == 404


def test_the_board_says_why_a_slot_took_none_of_those_that_waited(house: House, editor: Visitor) -> None:
    editor.get(path(house))
    add(house, editor, "Bridge")
    editor.submit(f"{path(house)}/stories/1/hold", {})
    now = utcnow()
    with house.inside(), transaction() as session:
        session.add(SlotTime(list_id=house.newsroom.list_id, minute=now.hour * 60 + now.minute))
    with house.inside():
        fill_slots(now)

    page = words(editor.get(path(house)))

    assert "Stories waited, but they were held." in page
    assert "nothing was in the queue" not in page
