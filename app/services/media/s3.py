"""Files in a bucket of an S3-compatible store (`TIDINGS_MEDIA=s3://bucket/folder`), over our own transport."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.media.buckets import S3Access
from app.gateways.base import Call, Reply, Transport
from app.services.media.files import FileGone
from app.services.media.s3_signature import signed_headers

PIECE: Final = 4 * 1024 * 1024


class StoreFailed(OSError):
    """The store did not do what it was asked; the text says what it answered, and names no key."""


@dataclass(frozen=True)
class S3Files:
    """The bucket named in `place` (`s3://bucket/folder`). `open_transport` carries one request at a time; `piece`
    bytes of a file are asked for at once.
    """

    place: str
    access: S3Access
    open_transport: Callable[[], Transport]
    clock: Callable[[], datetime]
    piece: int = PIECE

    def put(self, sha256: str, data: bytes) -> None:
        """Keep a file; keeping it twice changes nothing. Raises OSError."""
        # No HEAD: its answer names a length and has no body, which our transport would wait for.
        if self._ask("GET", sha256, span="bytes=0-0").status != 206:
            self._expect(self._ask("PUT", sha256, data), 200)

    def read(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """Yield a part of a file in pieces; raises `FileGone` before the first, or OSError."""
        first = self._piece(sha256, start, min(self.piece, length))
        return self._pieces(sha256, first, start, length)

    def _pieces(self, sha256: str, first: bytes, start: int, length: int) -> Iterator[bytes]:
        piece, done = first, 0
        while piece:
            yield piece
            done += len(piece)
            piece = (
                self._piece(sha256, start + done, min(self.piece, length - done)) if done < length else b""
            )

    def delete(self, sha256: str) -> None:
        """Let a file go; one that is not there is no fault. Raises OSError."""
        self._expect(self._ask("DELETE", sha256), 204, 200, 404)

    def _piece(self, sha256: str, start: int, length: int) -> bytes:
        reply = self._ask("GET", sha256, span=f"bytes={start}-{start + length - 1}")
        if reply.status == 404:
            raise FileGone(sha256)
        self._expect(reply, 206, 200)
        # A store that knows no parts gives the whole file.
        return reply.body if reply.status == 206 else reply.body[start : start + length]

    def _ask(self, method: str, sha256: str, body: bytes = b"", span: str = "") -> Reply:
        bucket, _, folder = self.place.removeprefix("s3://").partition("/")
        path = "/".join(part for part in (bucket, folder.strip("/"), sha256[:2], sha256) if part)
        url = f"{self.access.server}/{path}"
        more = {"range": span} if span else {}
        headers = signed_headers(method, url, body, self.access, self.clock(), more)
        return _answer(self.open_transport(), Call(method, url, body, headers))

    @staticmethod
    def _expect(reply: Reply, *good: int) -> None:
        if reply.status not in good:
            said = reply.body[:200].decode("utf-8", "replace") or reply.reason
            raise StoreFailed(f"The store of files answered {reply.status}: {said}")


def _answer(transport: Transport, call: Call) -> Reply:
    try:
        transport.submit(call)
        while True:
            for _, reply in transport.poll(0.1):
                return reply
    finally:
        transport.close()
