"""Feeds at the desk: admins add and remove, everybody sees what became of each item."""

from collections.abc import Callable

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from app.clock import utcnow
from app.gateways.feed_fetch import Answer, Ask, FetchFailed
from app.queue import FEED_JOB, LANE
from app.runtime import runtime
from app.services import manage_feeds
from app.services.read_feed import read_feed
from app.storage.database import transaction
from app.storage.models import FeedRow
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words

ADDRESS = "https://news.example.org/feed.xml"
FORM = {
    "address": ADDRESS,
    "template": "{{title}}\r\n{{link}}",
    "most_parts": "1",
    "goes_to": "queue",
    "every_minutes": "30",
}


def path(house: House, feed_id: int | None = None, act: str = "") -> str:
    base = f"/lists/{house.newsroom.list_id}/feeds"
    return base if feed_id is None else f"{base}/{feed_id}{act}"


def read(house: House, *titles: str) -> None:
    """Have the feed read with items of these titles, newest first."""
    items = "".join(
        f"<item><guid>{one}</guid><title>{one}</title><link>/{one}</link></item>" for one in titles
    )
    body = f"<rss><channel><title>City &amp; country</title>{items}</channel></rss>".encode()
    answered(house, lambda ask: Answer(body, ask.address))


def answered(house: House, answer: Callable[[Ask], Answer]) -> None:
    with house.inside():
        with transaction() as session:
            session.get_one(FeedRow, 1).next_at = utcnow()
        assert read_feed(1, answer, now=utcnow()) is not None


@pytest.fixture
def added(house: House, admin: Visitor) -> Visitor:
    """An admin who added a feed."""
    admin.get(path(house))
    admin.submit(path(house), FORM)
    return admin


def test_an_admin_adds_a_feed_which_a_worker_is_asked_to_read(house: House, admin: Visitor) -> None:
    admin.get(path(house))

    page = words(admin.submit(path(house), FORM))

    assert "will be read in a moment. What is in it now is not sent." in page
    assert "{{title}} {{link}}" in page
    with house.inside():
        (feed,) = manage_feeds.feeds_of(house.newsroom.list_id)
        assert (feed.template, feed.goes_to, feed.loopback) == ("{{title}}\n{{link}}", "queue", False)
        queue = Queue(LANE, connection=runtime().redis, serializer=JSONSerializer)
        assert [job.func_name for job in queue.jobs] == [FEED_JOB]
    assert "not read yet · to the queue" in words(admin.get(path(house)))


def test_faults_are_named_at_their_fields(house: House, admin: Visitor) -> None:
    admin.get(path(house))

    empty = admin.post(path(house), {**FORM, "address": "", "goes_to": "all"})
    local = admin.post(path(house), {**FORM, "address": "http://127.0.0.1/feed", "loopback": "true"})
    wrong = admin.post(path(house), {**FORM, "template": "{{title}} {{titel}}"})

    assert [one.status_code for one in (empty, local, wrong)] == [422, 422, 422]
    assert "Write the address of the feed." in words(empty)
    assert "Choose drafts or the queue." in words(empty)
    assert "address of a feed in full" in words(local)
    assert "there is no placeholder “titel”" in words(wrong)


def test_what_became_of_each_item_is_shown(house: House, added: Visitor) -> None:
    read(house, "One")
    first = words(added.get(path(house, 1)))
    board = words(added.submit(path(house, 1, "/take")))
    again = words(added.submit(path(house, 1, "/take")))
    read(house, "Two", "One")

    page = words(added.get(path(house, 1)))

    assert "City & country" in first
    assert "One was there when the feed was first read" in first
    assert "One https://news.example.org/One" in board
    assert "· a feed" in words(added.get(f"/board/{house.newsroom.list_id}"))
    assert "The newest item was taken already." in again
    assert "Two in the queue : Two" in page
    assert "One in the queue" in page


def test_a_feed_that_cannot_be_read_says_why(
    house: House, added: Visitor, visit: Callable[..., Visitor]
) -> None:
    def refuse(ask: Ask) -> Answer:
        raise FetchFailed("The host answered 503 instead of a feed.")

    answered(house, refuse)

    page = words(visit(Role.EDITOR, "de").get(path(house, 1)))

    assert "Dieser Feed kann nicht gelesen werden" in page
    assert "Der Server antwortete mit 503 statt mit einem Feed." in page
    assert "1 Versuch, der letzte" in page
    assert "cannot be read The host answered 503" in words(added.get(path(house)))


def test_an_editor_pauses_and_asks_but_adds_and_removes_nothing(
    house: House, added: Visitor, editor: Visitor
) -> None:
    page = editor.get(path(house))
    refused = [editor.post(path(house), FORM).status_code, editor.post(path(house, 1, "/remove")).status_code]

    paused = words(editor.submit(path(house, 1, "/pause")))
    asked = words(editor.submit(path(house, 1, "/read")))
    resumed = words(editor.submit(path(house, 1, "/resume")))
    read_soon = words(editor.submit(path(house, 1, "/read")))

    assert refused == [403, 403]
    assert "Add a feed" not in words(page)
    assert "Paused since" in paused
    assert "This feed is paused." in asked
    assert "Pause" in resumed
    assert "will be read in a moment" in read_soon


def test_an_admin_removes_a_feed(house: House, added: Visitor) -> None:
    page = words(added.submit(path(house, 1, "/remove")))

    assert "is not read any more" in page
    assert "This list has no feed." in page
    assert added.get(path(house, 1)).status_code == 404
    assert added.get("/lists/99/feeds").status_code == 404


def test_an_admin_changes_a_feed_and_faults_are_named(house: House, added: Visitor, editor: Visitor) -> None:
    read(house, "One")
    with house.inside() as newsroom:
        sport = newsroom.new_list("Sport", "SPORT")
    form = {**FORM, "name": "Town hall", "list_id": str(sport), "goes_to": "draft"}
    page = added.get(path(house, 1))
    assert f'value="{ADDRESS}"' in page.text

    wrong = added.post(path(house, 1), {**form, "address": "http://127.0.0.1/feed", "list_id": "x"})
    refused = added.post(path(house, 1), {**form, "template": "{{title}} {{titel}}"})
    changed = added.submit(path(house, 1), form)

    assert (wrong.status_code, refused.status_code) == (422, 422)
    assert "there is no placeholder “titel”" in words(refused)
    assert "<details open>" in refused.text
    assert "The feed is changed and will be read in a moment." in words(changed)
    assert "Town hall" in words(added.get(f"/lists/{sport}/feeds"))
    assert "One was there when the feed was first read" in words(added.get(f"/lists/{sport}/feeds/1"))
    assert editor.post(f"/lists/{sport}/feeds/1", form).status_code == 403
