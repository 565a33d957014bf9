"""Files that go with broadcasts: each stored once, who uses it, and what providers call it."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class MediaFile(Model):
    """A file by the hash of its cleaned bytes, which lie outside of the database. `seconds`: how long it plays.

    `removed_at`: no broadcast needed it any more, and the bytes are gone; the row says what it was.
    """

    __tablename__ = "media_file"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    mime: Mapped[str] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(BigId)
    seconds: Mapped[float | None] = mapped_column(Float)
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BroadcastMedia(Model):
    """The file of a broadcast for one channel; for the empty channel, on all that have none of their own.

    `name` and `alt` are what people see of it, `otherwise` is an `app.domain.media.attached.Otherwise`.
    """

    __tablename__ = "broadcast_media"

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media_file.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    alt: Mapped[str] = mapped_column(String(300))
    otherwise: Mapped[str] = mapped_column(String(8))


class VersionMedia(Model):
    """The file of a `BroadcastVersion`, as `BroadcastMedia` has it: kept while that version may be taken back."""

    __tablename__ = "version_media"
    __table_args__ = (
        ForeignKeyConstraint(
            ["broadcast_id", "revision"], ["broadcast_version.broadcast_id", "broadcast_version.revision"]
        ),
    )

    broadcast_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media_file.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    alt: Mapped[str] = mapped_column(String(300))
    otherwise: Mapped[str] = mapped_column(String(8))


class MediaUpload(Model):
    """What the provider of a sender calls a file (`handle`) until `good_until`, or for good where that is NULL.

    `tries` and `tried_at` tell of attempts that brought none, `problem` of the last one's reason.
    """

    __tablename__ = "media_upload"

    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"), primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media_file.id"), primary_key=True)
    handle: Mapped[str | None] = mapped_column(String(500))
    good_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(String(300))
