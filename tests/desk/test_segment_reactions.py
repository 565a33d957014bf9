"""Segments by what people answered and opened, in the form, without JavaScript."""

from collections.abc import Callable

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.short_links import Clicks
from app.services import manage_segments
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, SavedSegment
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_segments import a_draft
from tests.support.world import FakeProvider, Newsroom, number

POLL = Rich((Button(ButtonKind.REPLY, "Yes"), Button(ButtonKind.REPLY, "No: never")))
KNOWN = "Only people who agreed that we note what they open are known here; what is older than 90 days is forgotten."


def a_poll(newsroom: Newsroom) -> int:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast("Is the bridge safe?", rich={"": POLL})
    newsroom.send(FakeProvider())
    newsroom.text("2", number(0))
    return broadcast_id


def news_with_a_link(newsroom: Newsroom) -> int:
    with transaction() as session:
        row = session.get_one(BroadcastList, newsroom.list_id)
        row.clicks, row.links_begin = Clicks.PEOPLE.value, "https://n.example.org/l/"
    return newsroom.broadcast("Read https://example.org/riverside")


def test_who_answered_is_chosen_in_one_field_counted_and_saved(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        first = a_poll(newsroom)
    path = f"/lists/{house.newsroom.list_id}/segments"
    editor.get(f"{path}/new")
    added = editor.post(f"{path}/new", {"act": "add", "add_test": "answered"})
    assert "1. Answered a broadcast" in words(added)
    assert "Bridge: any answer Bridge: Yes Bridge: No: never" in words(added)

    row = {"test-0": "answered", "not-0": "", "of-0": f"{first}:No: never"}
    shown = words(editor.post(f"{path}/new", {**row, "act": "show"}))
    sentence = "People on City who answered “No: never” to “Bridge”."
    assert sentence in shown
    assert "1 person reachable now" in shown
    turned = editor.post(f"{path}/new", {**row, "not-0": "1", "of-0": str(first), "act": "show"})
    assert "People on City who did not answer “Bridge”." in words(turned)

    assert f"Ours {sentence}" in words(editor.submit(f"{path}/new", {**row, "name": "Ours", "act": "save"}))
    assert f'value="{first}:No: never" selected' in editor.get(f"{path}/1").text
    with house.inside():
        rule = db.session.get_one(SavedSegment, 1).rule
    assert rule["conditions"] == [
        {"test": "answered", "of": {"broadcast": first, "label": "No: never"}},
    ]


def test_what_is_known_of_clicks_is_said_where_they_are_chosen_and_checked(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        first = news_with_a_link(newsroom)
    path = f"{a_draft(house, editor)}/segment"
    added = editor.post(path, {"act": "add", "add_test": "clicked", "who": "own"})
    assert "Bridge: any link Bridge: example.org/riverside" in words(added)
    assert KNOWN in words(added)
    assert 'aria-describedby="of-0-hint"' in added.text

    row = {"test-0": "clicked", "not-0": "1", "of-0": f"{first}:https://example.org/riverside"}
    compose = words(editor.submit(path, {**row, "who": "own", "act": "use"}))
    sentence = "People on City who are not known to have opened the link example.org/riverside of “Bridge”."
    assert f"{sentence} {KNOWN}" in compose
    assert "2 people reachable now" in compose
    review = editor.get(f"{path.removesuffix('segment')}review?choice=now&zone=UTC")
    assert f"{sentence} {KNOWN}" in words(review)


def test_what_cannot_be_is_said_in_the_readers_language(house: House, visit: Callable[..., Visitor]) -> None:
    german = visit(Role.EDITOR, "de")
    path = f"/lists/{house.newsroom.list_id}/segments/new"
    german.get(path)
    nothing = german.post(path, {"act": "add", "add_test": "clicked"})
    assert "1. Hat einen Link einer Sendung geöffnet" in words(nothing)
    assert "Hier ist nichts bekannt, das sich wählen ließe. Bekannt sind hier nur Leute" in words(nothing)
    empty = german.post(path, {"test-0": "clicked", "name": "Alle", "act": "save"})
    assert "Bedingung 1: Wählen Sie mindestens eins." in words(empty)

    with house.inside() as newsroom:
        first = a_poll(newsroom)
    row = {"test-0": "answered", "of-0": f"{first}:Vielleicht"}
    wrong = german.post(path, {**row, "name": "Alle", "act": "save"})
    assert wrong.status_code == 422
    assert "„Bridge“ hat keinen Knopf „Vielleicht“. Knöpfe darin: Yes, No: never." in words(wrong)
    right = {**row, "of-0": f"{first}:Yes", "not-0": "1", "act": "show"}
    assert "Alle auf City, die nicht auf „Bridge“ mit „Yes“ geantwortet haben." in words(
        german.post(path, right)
    )


def test_made_up_reactions_do_no_harm(house: House, editor: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/segments/new"
    editor.get(path)
    for value in ("x", ":", "7:\a", "9" * 40, f"{'9' * 18}:x", f"7:{'x' * 5000}", "0:x", "٧:x"):
        for test in ("answered", "clicked"):
            form = {"test-0": test, "of-0": value, "name": "n"}
            assert editor.post(path, {**form, "act": "show"}).status_code == 200
            assert editor.post(path, {**form, "act": "save"}).status_code == 422
    with house.inside():
        assert manage_segments.all_segments() == []
        assert db.session.query(Broadcast).count() == 0
