"""What the platforms told last about our senders: templates, limits, standing."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import Model, UtcDateTime


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
