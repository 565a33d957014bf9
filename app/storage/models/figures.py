"""Figures of the reports that the clock adds up from the ledger and from texts, each entry once."""

from datetime import date, datetime

from sqlalchemy import Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class FigureMark(Model):
    """Up to which entry of `source` the figures count, and when that was; moved in the transaction that counts.

    The clock keeps its other marks here, too: each service that has one says what `upto` and `at` are in it.
    """

    __tablename__ = "figure_mark"

    source: Mapped[str] = mapped_column(String(60), primary_key=True)
    upto: Mapped[int] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ListDay(Model):
    """People who came to a list, or left it, on one day in the list's zone; `kind` is `joined` or `left`.

    `act` is how: an `Act`, or the event's type where nobody acted. `tag` is where the link hung that they followed.
    """

    __tablename__ = "list_day"
    __table_args__ = (Index("ix_list_day_day", "day"),)

    list_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(6), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    act: Mapped[str] = mapped_column(String(30), primary_key=True)
    tag: Mapped[str] = mapped_column(String(30), primary_key=True)
    people: Mapped[int] = mapped_column(BigId)


class BroadcastHour(Model):
    """What people did within three days of a broadcast, the last that they had: `kind` is `left` or `answered`."""

    __tablename__ = "broadcast_hour"

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    people: Mapped[int] = mapped_column(BigId)


class BroadcastTotal(Model):
    """What became of all hours of a broadcast together: `kind` is one of `BroadcastHour`, `clicks`, or `no_files`.

    It is counted beside the hours, in their transactions, so that a report on a thousand broadcasts reads few rows.
    """

    __tablename__ = "broadcast_total"

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    people: Mapped[int] = mapped_column(BigId)


class BroadcastMinute(Model):
    """How far a broadcast was at the last look in a minute (UTC): handed over in all, and how many of these failed."""

    __tablename__ = "broadcast_minute"
    __table_args__ = (Index("ix_broadcast_minute_minute", "minute"),)

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    minute: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    handed_over: Mapped[int] = mapped_column(BigId)
    failed: Mapped[int] = mapped_column(BigId)


class DeliveryRead(Model):
    """Somebody opened a message: kept for some days, so that nobody is counted twice, and then let go."""

    __tablename__ = "delivery_read"
    __table_args__ = (
        Index("ix_delivery_read_at", "at"),
        Index("ix_delivery_read_subscriber_id", "subscriber_id"),
    )

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    subscriber_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReadTally(Model):
    """How many people opened a broadcast, of those who got it by a sender whose platform tells."""

    __tablename__ = "read_tally"

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    sender_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    people: Mapped[int] = mapped_column(BigId)


class WordDay(Model):
    """How many texts of one day (in UTC) were read as `outcome` by `rule`, such as `START` by `en.start:start`."""

    __tablename__ = "word_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    sender_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(String(20), primary_key=True)
    rule: Mapped[str] = mapped_column(String(60), primary_key=True)
    texts: Mapped[int] = mapped_column(BigId)
