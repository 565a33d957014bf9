"""Writing a broadcast: saved, measured, shown as a phone shows it."""

from html import unescape

import pytest

from app.services import write_drafts
from app.storage.database import db
from app.storage.models import Broadcast
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON


@pytest.fixture
def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(3)
        return write_drafts.create_draft(
            title="Bridge", text="It is open.", list_ids=[newsroom.list_id], by="Ada Berg (#1)", now=NOON
        )


def form(house: House, **changes: object) -> dict[str, object]:
    given = {"title": "Bridge", "text": "It is open. STOP to leave.", "list_ids": [house.newsroom.list_id]}
    return {**given, "revision": 1, "act": "save", **changes}


def saved(house: House, broadcast_id: int) -> Broadcast:
    with house.inside():
        return db.session.get_one(Broadcast, broadcast_id)


def test_a_new_broadcast_is_saved_as_a_draft_by_name_of_its_writer(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    page = editor.submit("/broadcasts/new", form(house))

    assert "The draft is saved." in words(page)
    broadcast = saved(house, 1)
    assert (broadcast.title, broadcast.state) == ("Bridge", "draft")
    assert broadcast.created_by.startswith("Editor Berg (#")


def test_line_breaks_of_browsers_count_as_one_character(house: House, editor: Visitor, draft: int) -> None:
    editor.submit(f"/broadcasts/{draft}/edit", form(house, text="one\r\ntwo"))

    assert saved(house, draft).text == "one\ntwo"


def test_saving_and_choosing_when_leads_on(house: House, editor: Visitor, draft: int) -> None:
    answer = editor.post(f"/broadcasts/{draft}/edit", form(house, act="when"))

    assert answer.location == f"/broadcasts/{draft}/when"


def test_without_a_list_it_does_not_go_on_to_the_time_but_may_be_saved(
    house: House, editor: Visitor, draft: int
) -> None:
    bare = form(house, text="Keep these words", list_ids=[])

    refused = editor.post(f"/broadcasts/{draft}/edit", {**bare, "act": "when"})
    kept = editor.post(f"/broadcasts/{draft}/edit", bare)

    assert refused.status_code == 422
    assert "Choose at least one list." in words(refused)
    assert "Keep these words" in refused.text
    assert 'href="#list_ids"' in refused.text
    assert kept.status_code == 302


def test_a_broadcast_without_title_is_refused_at_the_field(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    answer = editor.post("/broadcasts/new", form(house, title=" ", text="Keep these words"))

    assert answer.status_code == 422
    assert '<a href="#title">Give it a title.' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "Keep these words" in answer.text


def test_a_bad_placeholder_is_not_saved(house: House, editor: Visitor, draft: int) -> None:
    answer = editor.post(f"/broadcasts/{draft}/edit", form(house, text="Hello {{frist_name|friend}}"))

    assert answer.status_code == 422
    assert saved(house, draft).text == "It is open."


def test_whoever_saves_second_sees_both_texts_and_loses_none(
    house: House, editor: Visitor, admin: Visitor, draft: int
) -> None:
    admin.submit(f"/broadcasts/{draft}/edit", form(house, text="Theirs. STOP to leave."))

    conflict = editor.post(f"/broadcasts/{draft}/edit", form(house, text="Mine. STOP to leave."))

    assert conflict.status_code == 409
    assert "Somebody else saved this draft while you were writing" in words(conflict)
    assert "Theirs." in conflict.text
    assert "Mine." in conflict.text
    assert saved(house, draft).text == "Theirs. STOP to leave."
    assert 'name="revision" value="2"' in conflict.text


def test_saving_over_the_other_text_is_a_choice(house: House, editor: Visitor, draft: int) -> None:
    editor.submit(f"/broadcasts/{draft}/edit", form(house, text="Theirs."))

    editor.submit(f"/broadcasts/{draft}/edit", form(house, text="Mine.", revision=2))

    assert saved(house, draft).text == "Mine."


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a" * 143, "GSM-7 · 143 of 160 · 1 part"),
        ("ü" * 71, "GSM-7 · 71 of 160 · 1 part"),
        ("’" + "a" * 69, "UCS-2 · 70 of 70 · 1 part"),
        ("a" * 161, "GSM-7 · 161 of 306 · 2 parts"),
        ("", "GSM-7 · 0 of 160 · 0 parts"),
    ],
)
def test_the_counter_is_the_servers(text: str, line: str, house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    answer = editor.post("/broadcasts/measure", form(house, text=text))

    assert line in words(answer)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("It’s open. STOP", "’ makes each part hold 70 characters instead of 160."),
        ("„Open“ 😀 STOP", "„ “ “😀” makes each part hold 70 characters instead of 160."),
        ("It is open.", "The text does not say how to leave."),
        ("See bit.ly/bridge STOP", "Carriers filter public link shorteners."),
        ("long " * 100 + "STOP", "4 parts: each person costs as much as that many messages."),
        ("Hello {{nmae|friend}} STOP", "Look at the placeholder at character 9."),
    ],
)
def test_a_text_that_may_go_wrong_is_pointed_out(
    text: str, warning: str, house: House, editor: Visitor
) -> None:
    editor.get("/broadcasts/new")

    answer = editor.post("/broadcasts/measure", form(house, text=text))

    assert warning in words(answer)


@pytest.mark.parametrize(
    "text", ["Reply STOP to leave.", "{{first_name|friend}}, reply STOP", "See habit.ly/x. STOP", "STOPP"]
)
def test_a_good_text_is_left_in_peace(text: str, house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    answer = editor.post("/broadcasts/measure", form(house, text=f"Riverside News: {text}"))

    assert 'class="warnings"' not in answer.text


def test_the_count_of_people_leaves_out_whoever_cannot_be_reached(
    house: House, editor: Visitor, draft: int
) -> None:
    with house.inside() as newsroom:
        newsroom.text("STOP", newsroom.join(1, first=9)[0])
    editor.get("/broadcasts/new")

    answer = editor.post("/broadcasts/measure", form(house))

    assert "3 people reachable now" in words(answer)


@pytest.mark.parametrize(
    ("act", "text", "after"),
    [
        ("plain", "“It’s” – open", '"It\'s" - open'),
        ("stop", "It is open.\n", "It is open.\nReply STOP to leave."),
        ("insert:first_name", "Hello ", "Hello {{first_name|friend}}"),
        ("insert:password", "Hello ", "Hello "),
    ],
)
def test_helping_buttons_change_the_text_without_javascript_and_save_nothing(
    act: str, text: str, after: str, house: House, editor: Visitor, draft: int
) -> None:
    answer = editor.post(f"/broadcasts/{draft}/edit", form(house, act=act, text=text))

    assert answer.status_code == 200
    field = answer.text.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0]
    assert unescape(field).strip() == after.strip()
    assert saved(house, draft).text == "It is open."


def test_the_preview_shows_names_or_their_fall_backs(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")
    text = "Hello {{first_name|dear reader}}! STOP"

    known = editor.post("/broadcasts/measure", form(house, text=text, sample="known"))
    unknown = editor.post("/broadcasts/measure", form(house, text=text, sample="unknown"))

    assert "Hello Alexandra!" in words(known)
    assert "Hello dear reader!" in words(unknown)


def test_the_preview_marks_where_parts_end_and_names_the_sender(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    answer = words(editor.post("/broadcasts/measure", form(house, text="a" * 400)))

    assert "part 1 ends here" in answer
    assert "part 2 ends here" in answer
    assert "part 3 ends here" not in answer
    assert "+1 202 555 0100" in answer


def test_what_is_sent_already_cannot_be_edited(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)
        broadcast_id = newsroom.broadcast()

    assert editor.get(f"/broadcasts/{broadcast_id}/edit").location == f"/broadcasts/{broadcast_id}"


def test_the_answers_to_subscribers_are_no_broadcast_of_the_desk(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.text("START")
        newsroom.lane()
        replies = db.session.query(Broadcast).filter_by(state="replies").one().id

    assert editor.get(f"/broadcasts/{replies}").status_code == 404
    assert editor.get(f"/broadcasts/{replies}/report").status_code == 404
