"""Words that operators added to the commands that come with Tidings."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class OwnWordRow(Model):
    """`word` as it was written; `squeezed` is how the matcher compares it, and no two rows may have the same."""

    __tablename__ = "own_word"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    language: Mapped[str] = mapped_column(String(8))
    meaning: Mapped[str] = mapped_column(String(10))
    word: Mapped[str] = mapped_column(String(80))
    squeezed: Mapped[str] = mapped_column(String(80), unique=True)
    added_by: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
