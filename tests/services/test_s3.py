"""Files in a bucket: signed as the store's own documentation signs, put, read in parts, and deleted over HTTP."""

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.clock import utcnow
from app.config import BadSettings, Settings
from app.domain.media.buckets import S3Access
from app.gateways.transport import CurlTransport
from app.services.media.files import FileGone, whole
from app.services.media.s3 import S3Files, StoreFailed
from app.services.media.s3_signature import signed_headers
from tests.support.application import settings_for

DATA = bytes(range(256)) * 40
SHA = hashlib.sha256(DATA).hexdigest()
RIGHT = "right"
_SIGNED = re.compile(r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")


def test_a_signature_is_that_of_the_documentations_example() -> None:
    access = S3Access(
        "https://x", "us-east-1", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )

    headers = signed_headers(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        b"",
        access,
        datetime(2013, 5, 24, tzinfo=UTC),
        {"Range": "bytes=0-9"},
    )

    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


@dataclass
class Bucket:
    """A store on this machine that refuses what is not signed for it."""

    kept: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    server: str = ""

    def access(self, secret: str = RIGHT) -> S3Access:
        return S3Access(self.server, "eu-central-1", "KEY", secret)

    def files(self, secret: str = RIGHT) -> S3Files:
        return S3Files("s3://news/media", self.access(secret), lambda: CurlTransport(connections=1), utcnow)


def _is_signed(handler: BaseHTTPRequestHandler, body: bytes, bucket: Bucket) -> bool:
    headers = {name.lower(): value for name, value in handler.headers.items()}
    named = _SIGNED.search(headers.get("authorization", ""))
    if named is None or hashlib.sha256(body).hexdigest() != headers.get("x-amz-content-sha256"):
        return False
    more = {
        one: headers[one]
        for one in named[1].split(";")
        if one not in ("host",) and not one.startswith("x-amz")
    }
    at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    url = f"http://{headers['host']}{handler.path}"
    return (
        signed_headers(handler.command, url, body, bucket.access(), at, more)["authorization"]
        == headers["authorization"]
    )


def _handler(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            bucket.asked.append(f"{self.command} {self.headers.get('Range', '')}".strip())
            if not _is_signed(self, body, bucket):
                return self._say(403, b"<Code>SignatureDoesNotMatch</Code>")
            if self.command == "PUT":
                bucket.kept[self.path] = body
                return self._say(200)
            if self.command == "DELETE":
                bucket.kept.pop(self.path, None)
                return self._say(204)
            if self.path not in bucket.kept:
                return self._say(404)
            start, stop = re.findall(r"\d+", self.headers.get("Range") or "bytes=0-9999999")
            return self._say(
                206 if "Range" in self.headers else 200, bucket.kept[self.path][int(start) : int(stop) + 1]
            )

        do_GET = do_PUT = do_DELETE = _do

        def _say(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    made = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    made.server = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_is_put_once_read_in_parts_and_deleted(bucket: Bucket) -> None:
    files = replace(bucket.files(), piece=4000)

    files.put(SHA, DATA)
    files.put(SHA, DATA)

    assert list(bucket.kept) == [f"/news/media/{SHA[:2]}/{SHA}"]
    assert bucket.asked == ["GET bytes=0-0", "PUT", "GET bytes=0-0"]
    assert whole(files, SHA, len(DATA)) == DATA
    assert bucket.asked[3:] == ["GET bytes=0-3999", "GET bytes=4000-7999", "GET bytes=8000-10239"]
    assert b"".join(files.read(SHA, 100, 50)) == DATA[100:150]
    files.delete(SHA)
    files.delete(SHA)
    with pytest.raises(FileGone):
        files.read(SHA, 0, 10)


def test_a_wrong_key_is_told_in_the_stores_words(bucket: Bucket) -> None:
    with pytest.raises(StoreFailed, match="403: <Code>SignatureDoesNotMatch"):
        bucket.files("wrong").put(SHA, DATA)


def test_a_store_that_is_away_is_an_error_of_the_system(bucket: Bucket) -> None:
    files = S3Files(
        "s3://news",
        S3Access("http://127.0.0.1:9", "r", "k", "s"),
        lambda: CurlTransport(connections=1),
        utcnow,
    )

    with pytest.raises(OSError, match="answered 0"):
        files.read(SHA, 0, 10)


def test_the_setting_is_read_whole_and_shows_no_secret() -> None:
    found = S3Access.parse("https://s3.example.org/ region=r key=k secret=hidden")

    assert found == S3Access("https://s3.example.org", "r", "k", "hidden")
    assert "hidden" not in repr(found)
    assert S3Access.parse("") is None
    for wrong, word in (("s3.example.org region=r", "address"), ("https://x region=r key=k", "secret=")):
        with pytest.raises(ValueError, match=word):
            S3Access.parse(wrong)


def test_a_bucket_needs_a_key(tmp_path: Path) -> None:
    settings = settings_for("sqlite:///x", "redis://localhost", tmp_path)
    env = {
        "DATABASE_URL": "sqlite:///x",
        "REDIS_URL": "redis://localhost",
        "SECRET_KEY": settings.secret_key,
        "MASTER_KEY": settings.master_key,
        "PUBLIC_URL": "http://localhost",
        "TIDINGS_MEDIA": "s3://news/media",
    }

    with pytest.raises(BadSettings, match="TIDINGS_MEDIA_S3 is not set"):
        Settings.from_env(env)
    assert settings.media_folder == tmp_path / "media"
