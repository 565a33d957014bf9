"""What the platforms told last about our senders: templates, limits, standing, who follows them."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class SenderNews(Model):
    """The newest news of one subject about a sender, as `app.domain.platform_news` reads it.

    `at` is the platform's own moment, by which news that comes again or late is known.
    """

    __tablename__ = "sender_news"

    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"), primary_key=True)
    subject: Mapped[str] = mapped_column(String(560), primary_key=True)
    news: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(String(200))
    usual: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class FollowerReading(Model):
    """What the newest list of a sender's followers came to.

    `due_at` is when the next one is asked for, `read_at` when one was read to its end last; `outcome` is READ or HELD
    then, else REFUSED or FAILED with the platform's words in `problem` (`app.domain.followers`). `ours` are the people
    who should be among the `followers`, `missing` those who were not.
    """

    __tablename__ = "follower_reading"

    sender_id: Mapped[int] = mapped_column(
        ForeignKey("sender.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(12), default="")
    followers: Mapped[int] = mapped_column(BigId, default=0)
    ours: Mapped[int] = mapped_column(BigId, default=0)
    missing: Mapped[int] = mapped_column(BigId, default=0)
    problem: Mapped[str | None] = mapped_column(String(300))
