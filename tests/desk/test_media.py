"""A file goes with a draft: uploaded without JavaScript, refused in words, shown on the phone, counted on the sheet."""

import io

from app.domain.media.attached import Media
from app.gateways.uploads import multipart
from app.services.media.attach import EVERYWHERE, attached_to
from app.storage.database import db
from tests.desk.conftest import House, Visitor, words
from tests.support import media

PICTURE = {"media-alt": "An open bridge", "media-otherwise": "link"}


def form(house: House, **more: object) -> dict[str, object]:
    return {
        "title": "Bridge",
        "text": "The bridge is open. Reply STOP to leave.",
        "list_ids": str(house.newsroom.list_id),
        "revision": "0",
        **more,
    }


def upload(data: bytes, name: str = "bridge.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def test_a_picture_is_stored_with_the_draft_and_shown_with_its_description(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        newsroom.text("START", "+447700900123")
    editor.get("/broadcasts/new")

    page = editor.submit("/broadcasts/new", form(house, media=upload(media.png()), act="save", **PICTURE))

    assert 'alt="An open bridge"' in page.text
    assert "bridge.png" in page.text
    assert "SMS: 2 people get the file beside the text. 1 person gets" in words(page)
    link = page.text.partition('<img src="')[2].partition('"')[0]
    assert editor.get(link).mimetype == "image/png"


def test_a_file_is_refused_by_what_it_is_and_not_by_its_name(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    page = editor.post(
        "/broadcasts/new", form(house, media=upload(b"<svg/>", "harmless.jpg"), act="save", **PICTURE)
    )

    assert page.status_code == 422
    assert "No messenger carries this file" in words(page)


def test_a_file_that_came_stays_while_its_description_is_still_missing(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")
    page = editor.post("/broadcasts/new", form(house, media=upload(media.png()), act="save"))
    assert page.status_code == 422
    assert "Describe the picture in words" in words(page)
    number = page.text.partition('name="media-id" value="')[2].partition('"')[0]

    again = form(house, act="save", **PICTURE, **{"media-id": number, "media-name": "bridge.png"})
    page = editor.submit("/broadcasts/new", again)

    assert 'alt="An open bridge"' in page.text


def test_a_file_is_changed_and_taken_away_again(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")
    answer = editor.post("/broadcasts/new", form(house, media=upload(media.png()), act="save", **PICTURE))
    draft = int(answer.location.split("/")[-2])
    with house.inside():
        number = attached_to(db.session(), draft)[EVERYWHERE].media_id
    there = {"media-id": str(number), "media-name": "bridge.png"}

    words_only = form(house, **there, **PICTURE) | {"revision": "1", "media-alt": "A closed bridge"}
    editor.submit(f"/broadcasts/{draft}/edit", words_only)
    with house.inside():
        assert attached_to(db.session(), draft)[EVERYWHERE].alt == "A closed bridge"
    away = form(house, **there, **PICTURE) | {"revision": "2", "media-off": "yes"}
    editor.submit(f"/broadcasts/{draft}/edit", away)

    with house.inside():
        assert attached_to(db.session(), draft) == {}


def test_the_sheet_says_on_each_channel_who_gets_the_file(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(3)
    editor.get("/broadcasts/new")
    film = Media(1, "ab" * 32, "video/mp4", 0, "bridge.mp4", "", "")
    fields = {name: str(value) for name, value in form(house, act="when", csrf_token=editor.token).items()}
    # Written by hand: Werkzeug's test client leaves the temporary file open that it writes a large form to.
    body, kind = multipart(fields, "media", film, media.mp4() + bytes(600_000))
    answer = editor.client.post("/broadcasts/new", data=body, content_type=kind)
    draft = int(answer.location.split("/")[-2])

    page = editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")

    assert "SMS: the file has 0.6 MB, and 0.5 MB are carried there." in words(page)
    assert "3 people get a link to it below the text." in words(page)


def test_a_button_that_changes_the_text_keeps_the_file(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    page = editor.post(
        "/broadcasts/new", form(house, media=upload(media.png()), act="insert:city", **PICTURE)
    )

    assert page.status_code == 200
    assert 'alt="An open bridge"' in page.text
    assert "{{city|" in page.text
