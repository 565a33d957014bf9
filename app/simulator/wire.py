"""Calls the product as the provider does: signed form posts over connections that stay open."""

import http.client
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator

from app.simulator.records import is_loopback

TIMEOUT_SECONDS = 15.0
ANSWER_LIMIT = 65_536
FILE_LIMIT = 64 * 1024 * 1024
STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class CannotDeliver(OSError):
    """The product could not be reached, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the product answered; `cookies` are those that a page set, as they are sent back."""

    status: int
    body: bytes
    content_type: str = ""
    cookies: str = ""

    @property
    def taken(self) -> bool:
        """Return whether the product acknowledged the call."""
        return 200 <= self.status < 300


class Wire:
    """Posts forms signed with an account's token; keeps idle connections by address. Safe for many threads."""

    def __init__(self, timeout: float = TIMEOUT_SECONDS) -> None:
        self._timeout = timeout
        self._idle: dict[str, list[http.client.HTTPConnection]] = defaultdict(list)
        self._lock = Lock()

    def post(self, url: str, form: Mapping[str, str], token: str, event_id: str) -> Answer:
        """Post `form` to `url` and return the answer, or raise CannotDeliver.

        The signature covers the exact URL, query included. `event_id` stays the same when an event is repeated.
        """
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": RequestValidator(token).compute_signature(url, dict(form)),
            "I-Twilio-Idempotency-Token": event_id,
        }
        return self.send(url, urlencode(form).encode("ascii"), headers)

    def send(self, url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Answer:
        """Bring `body` as it is, and return the answer, or raise CannotDeliver."""
        if not is_loopback(url):
            raise CannotDeliver(f"{url} is not on this machine")
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            return self._exchange(f"{parts.scheme}://{parts.netloc}", (method, target), body, dict(headers))
        except (OSError, http.client.HTTPException) as error:
            raise CannotDeliver(f"{url}: {error or type(error).__name__}") from error

    def fetch(self, url: str) -> Answer:
        """Get a file or a page of the product's by its link, or raise CannotDeliver."""
        if not is_loopback(url):
            raise CannotDeliver(f"{url} is not on this machine")
        parts = urlsplit(url)
        connection = self._open(f"{parts.scheme}://{parts.netloc}")
        try:
            connection.request("GET", parts.path)
            reply = connection.getresponse()
            set_by_it = reply.headers.get_all("Set-Cookie") or []
            cookies = "; ".join(one.partition(";")[0] for one in set_by_it)
            kind = reply.getheader("Content-Type") or ""
            return Answer(reply.status, reply.read(FILE_LIMIT), kind, cookies)
        except (OSError, http.client.HTTPException) as error:
            raise CannotDeliver(f"{url}: {error or type(error).__name__}") from error
        finally:
            connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            waiting = [each for group in self._idle.values() for each in group]
            self._idle.clear()
        for connection in waiting:
            connection.close()

    def _exchange(self, origin: str, target: tuple[str, str], body: bytes, headers: dict[str, str]) -> Answer:
        kept = self._take(origin)
        if kept is not None:
            try:
                return self._ask(kept, origin, target, body, headers)
            except STALE:  # the other side closed it while it lay idle: that says nothing about this call
                kept.close()
        return self._ask(self._open(origin), origin, target, body, headers)

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        origin: str,
        target: tuple[str, str],
        body: bytes,
        headers: dict[str, str],
    ) -> Answer:
        try:
            connection.request(*target, body, headers)
            reply = connection.getresponse()
            answer = Answer(reply.status, reply.read(ANSWER_LIMIT))
        except BaseException:
            connection.close()
            raise
        if reply.isclosed() and not reply.will_close:
            with self._lock:
                self._idle[origin].append(connection)
        else:
            connection.close()
        return answer

    def _take(self, origin: str) -> http.client.HTTPConnection | None:
        with self._lock:
            group = self._idle[origin]
            return group.pop() if group else None

    def _open(self, origin: str) -> http.client.HTTPConnection:
        parts = urlsplit(origin)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.netloc, timeout=self._timeout)
