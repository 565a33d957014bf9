"""Signed links to files: whoever has one gets the bytes, whole or in part, and nobody gets a list."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app.clock import utcnow
from app.domain.media.cleaning import cleaned
from app.runtime import runtime
from app.services.media.links import link_to
from app.services.media.take_in import file_row, take_in
from app.storage.database import db
from tests.desk.conftest import House
from tests.support import media

PICTURE = cleaned(media.jpeg(), "image/jpeg")


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app.test_client()


@pytest.fixture
def link(house: House) -> str:
    return link_of(house, media.jpeg(), "image/jpeg")


def link_of(house: House, data: bytes, mime: str, good_for: timedelta = timedelta(days=1)) -> str:
    with house.inside():
        number = take_in(data, files=runtime().files, by="ada", now=utcnow())
        return link_to(number, mime, utcnow() + good_for, public_url="", controller=runtime().controller)


def test_a_link_gives_the_bytes_their_type_and_headers_that_let_nothing_run(
    client: FlaskClient, link: str
) -> None:
    answer = client.get(link)

    assert (answer.status_code, answer.data, answer.content_type) == (200, PICTURE, "image/jpeg")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Cache-Control"].startswith("public, max-age=86")
    assert "Set-Cookie" not in answer.headers
    assert client.get(link.rpartition(".")[0]).data == PICTURE


def test_a_part_that_is_asked_for_comes_alone(client: FlaskClient, link: str) -> None:
    size = len(PICTURE)
    for asked, start, stop in (
        ("bytes=0-3", 0, 4),
        (f"bytes={size - 2}-", size - 2, size),
        ("bytes=-5", size - 5, size),
    ):
        answer = client.get(link, headers={"Range": asked})
        assert (answer.status_code, answer.data) == (206, PICTURE[start:stop])
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"

    beyond = client.get(link, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert client.get(link, headers={"Range": "bytes=0-1,4-5"}).data == PICTURE


def test_who_has_it_already_gets_no_bytes_and_a_head_gets_none_either(client: FlaskClient, link: str) -> None:
    tag = client.get(link).headers["ETag"]

    again, head = client.get(link, headers={"If-None-Match": tag}), client.head(link)

    assert (again.status_code, again.data) == (304, b"")
    assert (head.status_code, head.data, head.content_length) == (200, b"", len(PICTURE))


def test_a_document_is_saved_and_not_opened_by_the_browser(client: FlaskClient, house: House) -> None:
    answer = client.get(link_of(house, media.pdf(), "application/pdf"))

    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.content_type == "application/pdf"


def test_there_is_nothing_for_a_wrong_an_old_or_another_link(
    client: FlaskClient, house: House, link: str
) -> None:
    number, code, ending = link.removeprefix("/m/").split(".")
    old = link_of(house, media.jpeg(), "image/jpeg", timedelta(days=-1))

    for path in (
        old,
        f"/m/{int(number) + 1}.{code}.{ending}",
        f"/m/{number}.{'B' if code[0] == 'A' else 'A'}{code[1:]}.{ending}",
        f"/m/{number}.",
        f"/m/{number}",
        "/m/",
        f"/m/{2**64}.{code}.{ending}",
    ):
        assert client.get(path).status_code == 404, path


def test_a_file_that_was_let_go_is_gone(client: FlaskClient, house: House, link: str) -> None:
    with house.inside():
        row = file_row(db.session(), int(link.removeprefix("/m/").partition(".")[0]))
        runtime().files.delete(row.sha256)

    assert client.get(link).status_code == 404
