"""Writes the posts of providers, many at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.storage.models import Webhook, WebhookPerson


class Post(Protocol):
    """One row, and the subscribers whom it names, each once."""

    @property
    def id(self) -> int: ...
    @property
    def sender_id(self) -> int: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def what(self) -> str: ...
    @property
    def sealed(self) -> bytes: ...
    @property
    def people(self) -> Sequence[int]: ...


def insert_posts(session: Session, posts: Sequence[Post]) -> None:
    """Put posts into the table, in one round trip, and two when anybody is named."""
    session.execute(
        insert(Webhook),
        [
            {
                "id": post.id,
                "sender_id": post.sender_id,
                "received_at": post.received_at,
                "people": len(post.people),
                "what": str(post.what),
                "sealed": post.sealed,
            }
            for post in posts
        ],
    )
    named = [{"subscriber_id": person, "webhook_id": post.id} for post in posts for person in post.people]
    if named:
        session.execute(insert(WebhookPerson), named)
