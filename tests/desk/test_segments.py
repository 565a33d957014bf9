"""Segments at the desk: built row by row without JavaScript, saved, chosen for a broadcast, named on its pages."""

from collections.abc import Callable

from sqlalchemy import select, update

from app.services import fan_out, manage_segments
from app.storage.database import db, transaction
from app.storage.models import AuditEntry, Broadcast, SavedSegment, Subscriber
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import Newsroom

GERMAN_ROW = {"test-0": "language", "not-0": "", "of-0": ["de"]}


def some_people(newsroom: Newsroom, german: int = 2, others: int = 3) -> None:
    numbers = newsroom.join(german + others)
    with transaction() as session:
        these = Subscriber.address.in_(numbers[:german])
        session.execute(update(Subscriber).where(these).values(language="de"))


def a_draft(house: House, editor: Visitor) -> str:
    editor.get("/broadcasts/new")
    form = {"title": "Bridge", "text": "Hallo", "list_ids": [house.newsroom.list_id], "act": "segment"}
    answer = editor.post("/broadcasts/new", {**form, "revision": 0})
    assert answer.location.endswith("/segment"), words(answer)
    editor.get(answer.location)
    return answer.location.removesuffix("/segment")


def test_a_segment_is_built_by_buttons_that_post_and_saved(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        some_people(newsroom)
    path = f"/lists/{house.newsroom.list_id}/segments"
    editor.get(f"{path}/new")
    one = editor.post(f"{path}/new", {"name": "Ours", "act": "add", "add_test": "language"})
    assert "1. Language" in words(one)
    assert "As soon as the conditions are complete" in words(one)
    two = editor.post(
        f"{path}/new", {**GERMAN_ROW, "name": "Ours", "act": "add", "add_test": "joined_within"}
    )
    assert "2. Joined in the last days" in words(two)
    assert "People on City whose language is German and who joined in the last 30 days." in words(two)
    long = {"test-1": "joined_within", "of-1": "3650", "act": "show"}
    assert "2 people reachable now" in words(editor.post(f"{path}/new", {**GERMAN_ROW, **long}))
    back = editor.post(
        f"{path}/new", {**GERMAN_ROW, "act": "remove:0", "test-1": "nothing_within", "of-1": "7"}
    )
    assert "1. Received nothing in the last days" in words(back)
    assert 'value="7"' in back.text

    saved = editor.submit(f"{path}/new", {**GERMAN_ROW, "name": "Ours", "act": "save"})
    assert "“Ours” is saved." in words(saved)
    assert "Ours People on City whose language is German. Editor Berg" in words(saved)


def test_a_segment_is_changed_and_removed(house: House, editor: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/segments"
    editor.get(f"{path}/new")
    editor.submit(f"{path}/new", {**GERMAN_ROW, "name": "Ours"})
    page = editor.get(f"{path}/1")
    assert "1. Language" in words(page)
    changed = editor.submit(
        f"{path}/1", {**GERMAN_ROW, "not-0": "1", "name": "Theirs", "revision": 1, "act": "save"}
    )
    assert "Theirs People on City whose language is not German." in words(changed)
    late = editor.post(f"{path}/1", {**GERMAN_ROW, "name": "Late", "revision": 1, "act": "save"})
    assert late.status_code == 409
    assert "Somebody else changed this segment" in words(late)
    removed = editor.submit(f"{path}/1/remove")
    assert "This list has no segment yet." in words(removed)
    with house.inside():
        acts = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "segment 1")).all()
    assert acts == ["segment.add", "segment.change", "segment.remove"]
    assert editor.get(f"{path}/1").status_code == 404


def test_what_is_wrong_is_said_at_its_condition_in_the_readers_language(
    house: House, visit: Callable[..., Visitor]
) -> None:
    german = visit(Role.EDITOR, "de")
    path = f"/lists/{house.newsroom.list_id}/segments/new"
    german.get(path)
    empty = german.post(path, {"name": "Alle", "act": "save"})
    assert empty.status_code == 422
    assert "Fügen Sie mindestens eine Bedingung hinzu" in words(empty)
    rows = {"test-0": "language", "of-0": "de", "test-1": "joined_after", "of-1": "gestern"}
    wrong = german.post(path, {**rows, "name": "Neue", "act": "save"})
    assert wrong.status_code == 422
    assert "Bedingung 2: „gestern“ ist kein Tag" in words(wrong)
    assert 'id="of-1-error"' in wrong.text


def test_a_draft_goes_to_a_rule_of_its_own_and_all_pages_say_so(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        some_people(newsroom)
    path = a_draft(house, editor)
    compose = editor.submit(f"{path}/segment", {**GERMAN_ROW, "who": "own", "act": "use"})
    sentence = "People on City whose language is German."
    assert sentence in words(compose)
    assert "2 people reachable now" in words(compose)
    measured = editor.post(
        "/broadcasts/measure",
        {"text": "Hallo", "list_ids": [house.newsroom.list_id], "part_of": path.rpartition("/")[2]},
    )
    assert "2 people reachable now" in words(measured)

    review = editor.get(f"{path}/review?choice=now&zone=UTC")
    assert f"{sentence} In this part of the lists 2" in words(review)
    assert "Send 2 messages now" in words(review)
    editor.post(f"{path}/review", {"choice": "now", "zone": "UTC", "over_cap_reason": "tests"})
    with house.inside() as newsroom:
        newsroom.later(days=1000)  # past the clock of the machine, by which the desk scheduled it
        with transaction() as session:
            session.execute(update(Broadcast).values(next_at=newsroom.now, expires_at=None))
        fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
        newsroom.send()
        assert len(newsroom.provider.copies) == 2
    assert sentence in words(editor.get(path))
    assert sentence in words(editor.get(f"{path}/report"))


def test_a_rule_can_be_named_on_the_way_and_a_saved_one_chosen(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        some_people(newsroom)
    path = a_draft(house, editor)
    named = editor.submit(f"{path}/segment", {**GERMAN_ROW, "who": "own", "name": "Ours", "act": "use"})
    assert "Ours : People on City whose language is German." in words(named)
    with house.inside():
        assert db.session.scalars(select(SavedSegment.name)).all() == ["Ours"]

    other = a_draft(house, editor)
    assert "Ours People on City whose language is German." in words(editor.get(f"{other}/segment"))
    chosen = editor.submit(f"{other}/segment", {"who": "saved:1", "act": "use"})
    assert "Ours : People on City" in words(chosen)
    everybody = editor.submit(f"{other}/segment", {"who": "all", "act": "use"})
    assert "People on City whose language" not in words(everybody)
    assert "5 people reachable now" in words(everybody)


def test_a_draft_goes_to_everybody_but_a_saved_segment_or_a_rule(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        some_people(newsroom)
    path = a_draft(house, editor)
    but = {"who": "own", "name": "Ours", "but": "1"}
    shown = editor.post(f"{path}/segment", {**GERMAN_ROW, **but, "act": "show"})
    assert "Everybody on City but those whose language is German. 3 people reachable now" in words(shown)
    named = editor.submit(f"{path}/segment", {**GERMAN_ROW, **but, "act": "use"})
    assert "Ours : Everybody on City but those whose language is German." in words(named)
    assert "3 people reachable now" in words(named)
    again = editor.get(f"{path}/segment")
    assert 'name="but" value="1" checked' in again.text
    assert "Ours People on City whose language is German." in words(
        again
    )  # the saved one is not turned round
    review = editor.get(f"{path}/review?choice=now&zone=UTC")
    assert "Send 3 messages now" in words(review)

    back = editor.submit(f"{path}/segment", {"who": "saved:1", "act": "use"})
    assert "Ours : People on City whose language is German." in words(back)
    own = editor.submit(f"{path}/segment", {**GERMAN_ROW, "who": "own", "but": "1", "act": "use"})
    assert "Everybody on City but those whose language is German." in words(own)
    everybody = editor.submit(f"{path}/segment", {"who": "all", "but": "1", "act": "use"})
    assert "5 people reachable now" in words(everybody)


def test_towns_are_written_with_commas_between(house: House, editor: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/segments"
    editor.get(f"{path}/new")
    row = {"test-0": "place", "not-0": "", "of-0": "Riverside, Bad Homburg,"}
    saved = editor.submit(f"{path}/new", {**row, "name": "Near", "act": "save"})
    assert "Near People on City whose town is Riverside or Bad Homburg." in words(saved)
    assert 'value="Riverside, Bad Homburg"' in editor.get(f"{path}/1").text


def test_the_choice_is_for_drafts_only(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)
        broadcast_id = newsroom.broadcast()
    assert editor.get(f"/broadcasts/{broadcast_id}/segment").location == f"/broadcasts/{broadcast_id}"
    assert editor.get("/lists/77/segments").status_code == 404
    assert editor.get("/lists/1/segments/77").status_code == 404


def test_made_up_fields_do_no_harm(house: House, editor: Visitor) -> None:
    path = f"/lists/{house.newsroom.list_id}/segments/new"
    editor.get(path)
    nonsense = {
        "test-0": "age",
        "test-1": "received",
        "of-1": "9" * 40,
        "test-2": "on_list",
        "of-2": "x",
        "add_test": "height",
    }
    for act in ("add", "remove:99", "remove:x", "show", "save", "?"):
        assert editor.post(path, {**nonsense, "name": "n", "act": act}).status_code in (200, 422)
    with house.inside():
        assert manage_segments.all_segments() == []
