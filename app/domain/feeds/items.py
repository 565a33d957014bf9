"""What a feed says, whichever its format, and why one cannot be read."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

MOST_ITEMS: Final = 200
"""Items of one document that are looked at, from its top: feeds have their newest there."""


class BrokenFeed(ValueError):
    """A document is no feed that can be read; the text says what is wrong with it, and where."""


@dataclass(frozen=True)
class FeedItem:
    """One item as plain text. `identity` is its guid or id, else its link; `published` is in UTC, when it is told.

    Title, summary and link may each be empty, but not all of them.
    """

    identity: str
    title: str
    summary: str
    link: str
    published: datetime | None = None

    @property
    def key(self) -> str:
        """The identity in a fixed length, whatever a publisher takes for one."""
        return hashlib.sha256(self.identity.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class FeedDocument:
    """A feed's own title, and its items in the order of the document, each identity once."""

    title: str
    items: tuple[FeedItem, ...]


def document_of(title: str, found: list[FeedItem]) -> FeedDocument:
    """Put a document together from whatever items it has.

    Raises `BrokenFeed` when it has items and none of them can be told from the others later on.
    """
    told = [one for one in found if one.identity and (one.title or one.summary or one.link)]
    if found and not any(one.identity for one in found):
        raise BrokenFeed(
            f"None of the {len(found)} items has an id or a link, so each would come again and again."
        )
    once = {one.identity: one for one in reversed(told)}
    return FeedDocument(title, tuple(reversed(once.values()))[:MOST_ITEMS])
