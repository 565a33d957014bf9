"""Reads a feed in whichever format it comes: RSS 2.0, Atom, or JSON Feed 1.1 (jsonfeed.org)."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from app.domain.feeds.charsets import letters_of
from app.domain.feeds.items import MOST_ITEMS, BrokenFeed, FeedDocument, FeedItem, document_of
from app.domain.feeds.links import link_of
from app.domain.feeds.plain import plain, tidy
from app.domain.feeds.xml import read_xml

_VERSION: Final = "https://jsonfeed.org/version/"


def read_feed(body: bytes, content_type: str, address: str) -> FeedDocument:
    """Read what a server answered from `address`. Raises `BrokenFeed`, which says what is wrong and where."""
    text = letters_of(body, content_type)
    if not text.strip():
        raise BrokenFeed("The answer is empty.")
    return read_json(text, address) if text.lstrip()[0] == "{" else read_xml(text, address)


def read_json(text: str, address: str) -> FeedDocument:
    """Read a JSON Feed. Raises `BrokenFeed`."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise BrokenFeed(
            f"Line {error.lineno}, column {error.colno}: the JSON is broken ({error.msg})."
        ) from error
    except (RecursionError, ValueError) as error:
        raise BrokenFeed(
            "The JSON holds what no feed has: too many levels, or a number without end."
        ) from error
    if not str(found.get("version", "")).startswith(_VERSION) or not isinstance(found.get("items"), list):
        raise BrokenFeed(f"This JSON is no feed: its “version” has to begin with {_VERSION}")
    rows = [one for one in found["items"][:MOST_ITEMS] if isinstance(one, dict)]
    return document_of(tidy(_text(found, "title")), [_item(one, address) for one in rows])


def _item(row: dict[str, Any], address: str) -> FeedItem:
    link = link_of(_text(row, "url") or _text(row, "external_url"), address)
    summary = tidy(_text(row, "summary") or _text(row, "content_text")) or plain(_text(row, "content_html"))
    return FeedItem(
        _text(row, "id") or link,
        tidy(_text(row, "title")),
        summary,
        link,
        _moment(_text(row, "date_published")),
    )


def _text(row: dict[str, Any], name: str) -> str:
    """Return a text; ids may be numbers, which the specification asks readers to take as texts."""
    value = row.get(name)
    return str(value).strip() if isinstance(value, str | int) else ""


def _moment(written: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
