"""Short links of our own, how often each was opened, and, for people who agreed to it, by whom."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class ShortLink(Model):
    """One link of a broadcast. `url` is where it leads, to the letter; `begins` and `code` are what people get."""

    __tablename__ = "short_link"

    code: Mapped[str] = mapped_column(String(8), primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), index=True)
    url: Mapped[str] = mapped_column(Text)
    begins: Mapped[str] = mapped_column(String(300))

    @property
    def address(self) -> str:
        """The link as it stands in the text."""
        return self.begins + self.code


class ClickHour(Model):
    """How often a link was opened in the hour that begins at `hour`: by people, and by programs that looked at it."""

    __tablename__ = "click_hour"

    code: Mapped[str] = mapped_column(ForeignKey("short_link.code"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    people: Mapped[int] = mapped_column(BigId)
    programs: Mapped[int] = mapped_column(BigId)


class PersonClick(Model):
    """That somebody who agreed to it opened a link: when first, when last, how often. No address, no device."""

    __tablename__ = "person_click"
    __table_args__ = (
        Index("ix_person_click_subscriber_id", "subscriber_id"),
        Index("ix_person_click_last_at", "last_at"),
    )

    code: Mapped[str] = mapped_column(ForeignKey("short_link.code"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), primary_key=True)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    times: Mapped[int]
