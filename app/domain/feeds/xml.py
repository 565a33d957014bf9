"""RSS 2.0 and Atom (RFC 4287), read strictly: half a document would reach people as half a message.

A document type is refused: from there come entities that swell to gigabytes, or open files. The names that HTML has for
characters, such as `&nbsp;`, are understood all the same, for many feeds use them undeclared.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import escape
from html.entities import html5
from typing import Final
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from app.domain.feeds.items import MOST_ITEMS, BrokenFeed, FeedDocument, FeedItem, document_of
from app.domain.feeds.links import link_of
from app.domain.feeds.plain import plain, tidy

DEEPEST: Final = 100
_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_ENCODED: Final = "{http://purl.org/rss/1.0/modules/content/}encoded"
_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"
_NAMED: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30};)")
_WEB_PAGE: Final = re.compile(r"(?:<\?xml[^<>]*>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE)
_OF_XML: Final = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})


def read_xml(text: str, address: str) -> FeedDocument:
    """Read a document; `address` is where it was, for relative links. Raises `BrokenFeed`."""
    root = _root(text)
    if root.tag == "rss":
        return _rss(root, address)
    if root.tag == f"{_ATOM}feed":
        return _atom(root, address)
    name = root.tag.rpartition("}")[2]
    raise BrokenFeed(f"The document begins with <{name[:40]}>; RSS 2.0 begins with <rss>, Atom with <feed>.")


def _root(text: str) -> Element:
    body = text.lstrip()
    above = text.count("\n", 0, len(text) - len(body))
    if _WEB_PAGE.match(body):
        raise BrokenFeed("This is a web page and no feed. Look on it for a link called RSS, Atom or feed.")
    parser = XMLParser(target=_Careful())  # noqa: S314  # no document type, so no entities to abuse
    try:
        parser.feed(_NAMED.sub(_character, body))
        found: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        reason = str(error).partition(": line")[0]
        raise BrokenFeed(
            f"Line {line + above}, column {column + 1}: the XML is broken ({reason})."
        ) from error
    return found


def _character(found: re.Match[str]) -> str:
    name = found.group(1)
    return found.group() if name in _OF_XML or name not in html5 else escape(html5[name])


class _Careful(TreeBuilder):
    """Builds elements, and gives up on what is no feed but an attack."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        raise BrokenFeed(
            f"The feed declares a document type (<!DOCTYPE {name[:40]}>), which is not safe to read."
        )

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BrokenFeed(
                f"More than {DEEPEST} elements lie within each other, the last of them <{tag[:40]}>."
            )
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _rss(root: Element, address: str) -> FeedDocument:
    channel = root.find("channel")
    if channel is None:
        raise BrokenFeed("The feed has no <channel>, which holds the items of RSS 2.0.")
    items = [_rss_item(one, address) for one, _ in zip(channel.iter("item"), range(MOST_ITEMS), strict=False)]
    return document_of(plain(channel.findtext("title", "")), items)


def _rss_item(item: Element, address: str) -> FeedItem:
    guid = item.find("guid")
    identity = (guid.text or "").strip() if guid is not None else ""
    link = link_of(item.findtext("link", ""), address)
    if not link and guid is not None and guid.get("isPermaLink", "true") == "true":
        link = link_of(identity, "")
    return FeedItem(
        identity or link,
        plain(item.findtext("title", "")),
        plain(item.findtext("description", "") or item.findtext(_ENCODED, "")),
        link,
        _moment(item.findtext("pubDate", "")),
    )


def _atom(root: Element, address: str) -> FeedDocument:
    base = _base(root, address)
    entries = zip(root.iter(f"{_ATOM}entry"), range(MOST_ITEMS), strict=False)
    return document_of(_words(root.find(f"{_ATOM}title")), [_entry(one, base) for one, _ in entries])


def _entry(entry: Element, outer: str) -> FeedItem:
    base = _base(entry, outer)
    link = next(_alternates(entry, base), "")
    when = entry.findtext(f"{_ATOM}published", "") or entry.findtext(f"{_ATOM}updated", "")
    summary = _words(entry.find(f"{_ATOM}summary")) or _words(entry.find(f"{_ATOM}content"))
    identity = entry.findtext(f"{_ATOM}id", "").strip() or link
    return FeedItem(identity, _words(entry.find(f"{_ATOM}title")), summary, link, _moment(when))


def _alternates(entry: Element, base: str) -> Iterator[str]:
    for one in entry.findall(f"{_ATOM}link"):
        if one.get("rel", "alternate") == "alternate":
            found = link_of(one.get("href", ""), _base(one, base))
            if found:
                yield found


def _words(element: Element | None) -> str:
    """Return the words of a text construct (RFC 4287, section 3.1) by its type."""
    if element is None or element.get("src"):
        return ""
    match element.get("type", "text"):
        case "xhtml":
            return tidy(" ".join(element.itertext()))
        case "html" | "text/html":
            return plain(element.text or "")
        case "text" | "text/plain":
            return tidy(element.text or "")
    return ""


def _base(element: Element, outer: str) -> str:
    try:
        return urljoin(outer, element.get(_BASE, ""))
    except ValueError:
        return outer


def _moment(written: str) -> datetime | None:
    """Read a date of RFC 822 or RFC 3339; one that is none does no harm, for order goes by the document then."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(written.strip())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
