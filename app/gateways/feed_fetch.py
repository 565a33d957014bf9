"""Fetches a feed from a host that an editor chose: public addresses alone, within limits, each redirect looked at.

It is asked whether anything changed since last time (RFC 9110, section 13), as the servers of feeds expect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urljoin

from app.domain.feeds.links import BadAddress, check_address
from app.gateways.base import NOT_PUBLIC, Call, Reply, Transport
from app.gateways.public_hosts import is_public
from app.gateways.transport import CurlTransport

LARGEST: Final = 2_000_000
"""Bytes of a document; the feeds of large newsrooms have a tenth of that."""
CALL_MS: Final = 10_000
MOST_REDIRECTS: Final = 4
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ACCEPT: Final = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
)
# libcurl's numbers (curl.se/libcurl/c/libcurl-errors.html) in words.
REASONS: Final = {
    NOT_PUBLIC: "The address does not lead to the public internet, and nothing else is asked.",
    "curl_6": "There is no such host.",
    "curl_7": "The host takes no connections.",
    "curl_23": f"The answer is larger than {LARGEST // 1_000_000} MB.",
    "curl_28": f"There was no answer within {CALL_MS // 1000} seconds.",
    "curl_35": "The host does not speak TLS as it should.",
    "curl_60": "The certificate of the host is not valid.",
}

OpenTransport = Callable[[Callable[[str], bool]], Transport]


@dataclass(frozen=True)
class Ask:
    """A feed to be fetched, with the server's words for the state that we know. `loopback`: from this machine alone."""

    address: str
    etag: str | None = None
    last_modified: str | None = None
    loopback: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is None when nothing changed. `address` is where it was found after all redirects."""

    body: bytes | None
    address: str
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None


class FetchFailed(Exception):
    """A feed could not be fetched, for the reason in the text. `retry_after`: how long the host wants to wait."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def open_transport(may_reach: Callable[[str], bool]) -> Transport:
    """Return a transport for one feed."""
    return CurlTransport(
        connections=1, total_timeout_ms=CALL_MS, may_reach=may_reach, most_of_a_stranger=LARGEST
    )


class Fetcher:
    """Fetches feeds in the name of `about`, the address under which people find who runs this installation."""

    def __init__(self, about: str, opened: OpenTransport = open_transport) -> None:
        self._about, self._open = about, opened

    def __call__(self, ask: Ask) -> Answer:
        """Fetch; raises `FetchFailed`."""
        transport = self._open(is_loopback if ask.loopback else is_public)
        try:
            return self._follow(ask, transport)
        finally:
            transport.close()

    def _follow(self, ask: Ask, transport: Transport) -> Answer:
        address = ask.address
        for _ in range(MOST_REDIRECTS + 1):
            reply = _one(transport, Call("GET", address, b"", self._headers(ask), public_only=True))
            if reply.status not in _REDIRECTS:
                return _answer(reply, address)
            address = _target(address, reply, ask.loopback)
        raise FetchFailed(f"It redirects more than {MOST_REDIRECTS} times.")

    def _headers(self, ask: Ask) -> dict[str, str]:
        headers = {"Accept": _ACCEPT, "User-Agent": f"Tidings (+{self._about})"}
        if ask.etag:
            headers["If-None-Match"] = ask.etag
        if ask.last_modified:
            headers["If-Modified-Since"] = ask.last_modified
        return headers


def is_loopback(host: str) -> bool:
    """Tell whether a numeric address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _one(transport: Transport, call: Call) -> Reply:
    transport.submit(call)
    while True:
        for _, reply in transport.poll(0.1):
            return reply


def _target(address: str, reply: Reply, loopback: bool) -> str:
    try:
        return check_address(urljoin(address, reply.headers.get("location", "")), loopback=loopback)
    except ValueError as error:
        if isinstance(error, BadAddress):
            raise FetchFailed("It redirects to an address without https, which is not followed.") from error
        raise FetchFailed("It redirects to no address, which is not followed.") from error


def _answer(reply: Reply, address: str) -> Answer:
    if reply.status == 0:
        reason = reply.reason or ""
        raise FetchFailed(REASONS.get(reason, f"The connection broke ({reason})."))
    if reply.status == 304:
        return Answer(None, address)
    if reply.status != 200:
        raise FetchFailed(f"The host answered {reply.status} instead of a feed.", _retry_after(reply))
    return Answer(
        reply.body,
        address,
        reply.headers.get("content-type", ""),
        _known(reply, "etag", 300),
        _known(reply, "last-modified", 100),
    )


def _known(reply: Reply, name: str, longest: int) -> str | None:
    value = reply.headers.get(name, "")
    return value if 0 < len(value) <= longest and value.isascii() and value.isprintable() else None


def _retry_after(reply: Reply) -> timedelta | None:
    """Read the seconds of a Retry-After (RFC 9110, section 10.2.3), at most a day; its dates are as good as nothing."""
    written = reply.headers.get("retry-after", "")
    return (
        timedelta(seconds=min(int(written), 86_400))
        if written.isascii() and written.isdecimal() and len(written) < 9
        else None
    )
