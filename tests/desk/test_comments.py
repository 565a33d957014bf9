"""Comments on a draft: for the people at the desk, resolved with a press, gone with the draft, never in the message."""

from app.services import comments, fan_out
from app.services.schedule_broadcasts import schedule
from app.services.stop_broadcasts import cancel
from app.services.write_drafts import create_draft
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON


def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(1)
        return create_draft(
            title="Bridge", text="The bridge is open.", list_ids=[newsroom.list_id], by="ada", now=NOON
        )


def test_a_comment_is_said_resolved_and_opened_again(house: House, editor: Visitor) -> None:
    path = f"/broadcasts/{draft(house)}"
    editor.get(f"{path}/edit")
    page = words(editor.submit(f"{path}/comments", {"comment": "Is it <b>Mill</b> Street?"}))
    assert "Editor Berg" in page
    assert "Is it <b>Mill</b> Street?" in page
    assert "1 comment is not resolved." in words(editor.get(f"{path}/review?choice=now&zone=UTC"))

    page = words(editor.submit(f"{path}/comments/1/resolve"))
    assert "resolved by Editor Berg" in page
    assert "not resolved" not in words(editor.get(f"{path}/review?choice=now&zone=UTC"))
    assert "resolved by" not in words(editor.submit(f"{path}/comments/1/reopen"))


def test_an_empty_comment_is_refused_and_a_strange_one_not_found(house: House, editor: Visitor) -> None:
    path = f"/broadcasts/{draft(house)}"
    editor.get(f"{path}/edit")
    answer = editor.post(f"{path}/comments", {"comment": " "})
    assert answer.status_code == 422
    assert "A comment has 1 to 1000 characters." in words(answer)
    assert editor.post(f"{path}/comments/7/resolve").status_code == 404
    assert editor.post("/broadcasts/99/comments", {"comment": "x"}).status_code == 404


def test_the_comments_go_with_the_draft(house: House, editor: Visitor) -> None:
    broadcast_id = draft(house)
    with house.inside():
        comments.add(broadcast_id, "Wait for the mayor.", by="ada", now=NOON)
        cancel(broadcast_id, by="ada", now=NOON)
        assert comments.of_draft(broadcast_id) == []
    path = f"/broadcasts/{broadcast_id}"
    editor.get("/account")
    assert editor.post(f"{path}/comments", {"comment": "Too late."}).location == path


def test_what_is_sent_has_no_comments_any_more(house: House) -> None:
    broadcast_id = draft(house)
    with house.inside() as newsroom:
        comments.add(broadcast_id, "Wait for the mayor.", by="ada", now=NOON)
        schedule(broadcast_id, at=None, zone="UTC", by="ada", now=NOON)
        assert comments.open_ones(broadcast_id) == 1
        fan_out.open_due(controller=newsroom.controller, now=NOON)
        newsroom.send()
        assert [text for _, text in newsroom.provider.arrived] == ["The bridge is open."]
        assert comments.of_draft(broadcast_id) == []
