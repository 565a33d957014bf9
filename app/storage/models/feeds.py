"""Feeds of other sites that a list takes its news from, and every item that was ever seen in one."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class FeedRow(Model):
    """A feed, how its items are worded (`template`, at most `most_parts` parts), and where they go (`goes_to`).

    `name` is ours for it, `title` its own. `next_at`: when it is asked next. `asked_at`, `read_at`: when it was last
    asked, and last read without a problem; never read at this address, its next reading is the first, which makes
    nothing of what is there, unless some of it is known. `etag` and `last_modified` are the server's words for the
    state that we know. `loopback`: on this machine, for tests and demonstrations.
    """

    __tablename__ = "feed"
    __table_args__ = (
        Index("ix_feed_next_at", "next_at"),
        UniqueConstraint("list_id", "address", name="uq_feed_list_id_address"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"))
    address: Mapped[str] = mapped_column(String(1000))
    loopback: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str | None] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(200), default="")
    template: Mapped[str] = mapped_column(Text)
    most_parts: Mapped[int]
    goes_to: Mapped[str] = mapped_column(String(10))
    every_minutes: Mapped[int]
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    etag: Mapped[str | None] = mapped_column(String(300))
    last_modified: Mapped[str | None] = mapped_column(String(100))
    failures: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(Text)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def shown_name(self) -> str:
        """What people call it: our name for it, else its own, else its address."""
        return self.name or self.title or self.address


class FeedItemRow(Model):
    """An item that was seen. The unique key is what makes a second message of it impossible.

    `fate` is what became of it; `story_id` or `broadcast_id` is what it became, `problem` why it could not.
    """

    __tablename__ = "feed_item"
    __table_args__ = (UniqueConstraint("feed_id", "key", name="uq_feed_item_feed_id_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feed.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fate: Mapped[str] = mapped_column(String(10))
    story_id: Mapped[int | None] = mapped_column(ForeignKey("story.id"))
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"))
    problem: Mapped[str | None] = mapped_column(Text)
