"""Files that came with messages: fetched from the product's links as a provider does, or uploaded by it."""

import hashlib
import secrets
from collections.abc import Callable
from threading import Lock

from app.simulator.medium import Medium
from app.simulator.wire import Answer, CannotDeliver

MOST = 200


class CannotFetch(OSError):
    """There is no file at a link, or none that a messenger carries."""


class Shelf:
    """The newest files, by hash and by the ids that providers give out. Safe for many threads.

    `fetch` gets a link over HTTP. `fetched` counts what came from the product in that way, `uploaded` what it brought.
    """

    def __init__(self, fetch: Callable[[str], Answer]) -> None:
        self.fetch_from = fetch
        self._lock = Lock()
        self._files: dict[str, Medium] = {}
        self._ids: dict[str, Medium] = {}
        self._behind: dict[str, Medium] = {}
        self.fetched = self.uploaded = 0

    def fetch(self, url: str) -> Medium:
        """Get what a link leads to, once: it says that it never means another file. Raises `CannotFetch`."""
        if (known := self._behind.get(url)) is not None:
            return known
        try:
            answer = self.fetch_from(url)
        except CannotDeliver as error:
            raise CannotFetch(str(error)) from error
        mime = answer.content_type.partition(";")[0].strip()
        if answer.status != 200 or mime.partition("/")[0] not in ("image", "audio", "video", "application"):
            raise CannotFetch(f"{url}: HTTP {answer.status}, {mime or 'no type'}")
        self.fetched += 1
        medium = self._behind[url] = self._keep(answer.body, mime)
        return medium

    def take(self, data: bytes, mime: str) -> str:
        """Keep an upload; returns the id that it is known by from now on."""
        self.uploaded += 1
        return self.name(self._keep(data, mime))

    def name(self, medium: Medium) -> str:
        """Return a new id for a file."""
        id_ = secrets.token_hex(12)
        with self._lock:
            self._ids[id_] = medium
        return id_

    def named(self, id_: str) -> Medium | None:
        """Return the file that an id was given for."""
        return self._ids.get(id_)

    def get(self, sha256: str) -> Medium | None:
        """Return the file with this hash."""
        return self._files.get(sha256)

    def _keep(self, data: bytes, mime: str) -> Medium:
        medium = Medium(hashlib.sha256(data).hexdigest(), mime, data)
        with self._lock:
            self._files[medium.sha256] = medium
            while len(self._files) > MOST:
                del self._files[next(iter(self._files))]
        return medium
