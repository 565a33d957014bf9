"""Links of items, and the address of a feed itself."""

import re
from typing import Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

LONGEST: Final = 1000
_UNSAFE: Final = re.compile(r"[\s\x00-\x1f\x7f]")
_RESERVED: Final = "!#$%&'()*+,/:;=?@[]~-._"


class BadAddress(ValueError):
    """An address cannot be that of a feed; the text says why."""


def link_of(written: str, base: str) -> str:
    """Return a link in full, or "" for what is none: no other scheme than http and https ever goes into a message.

    What no address may hold (RFC 3986, section 2) is percent-encoded, so that a phone sees where the link ends.
    """
    if not written.strip():
        return ""
    try:
        parts = urlsplit(urljoin(base, written.strip()))
        if parts.scheme not in ("http", "https") or not parts.hostname or _UNSAFE.search(parts.netloc):
            return ""
        rest = [quote(part, safe=_RESERVED) for part in parts[2:]]
        found = urlunsplit((parts.scheme, parts.netloc, *rest))
    except ValueError:
        return ""
    return found if len(found) <= LONGEST else ""


def check_address(address: str, *, loopback: bool = False) -> str:
    """Return the address of a feed without blanks around it. Raises `BadAddress`.

    With `loopback` it may be http, for a feed on this very machine; what it leads to is checked at the connection.
    """
    written = address.strip()
    try:
        parts = urlsplit(written)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    allowed = ("https", "http") if loopback else ("https",)
    if parts.scheme not in allowed or not host or _UNSAFE.search(written) or len(written) > LONGEST:
        raise BadAddress("Write the address of a feed in full: https://news.example.org/feed.xml")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("The address may hold no name and password; they would be shown on this page.")
    return written
