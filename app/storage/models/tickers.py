"""Live tickers: what an event has besides its list, and the messages that were written on its page."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import Model, UtcDateTime


class Ticker(Model):
    """An event. What people were promised of it stands in its list: `most`, `ends_at`, `erase_after_days`.

    It closes at `closes_at`, which is that promise or earlier; `farewell` are the last words then, `farewell_id` the
    broadcast that said them. A message that was not handed over after `fresh_minutes` is skipped. `ended_at` is set
    when the last consent to it has ended.
    """

    __tablename__ = "ticker"

    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"), primary_key=True)
    begins_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fresh_minutes: Mapped[int]
    farewell: Mapped[str | None] = mapped_column(Text)
    farewell_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TickerMessage(Model):
    """One message of an event, or the correction of one. `token` is that of the form: pressed twice, it is one."""

    __tablename__ = "ticker_message"
    __table_args__ = (UniqueConstraint("list_id", "token"),)

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("ticker.list_id"))
    token: Mapped[str] = mapped_column(String(64))
