"""Addresses of people at the desk that drafts are tried out on."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class Tester(Model):
    """One address of somebody who signs in at the desk, proved by a text with `code` that came from it.

    Until then there is only the code, which is good until `code_until`. `granted_seq` names the ledger entry of that
    text, which lets tests go there; it ends with a STOP from the address after `verified_at`.
    """

    __tablename__ = "tester"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    code: Mapped[str | None] = mapped_column(String(20), unique=True)
    code_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id"), index=True)
    granted_seq: Mapped[int | None] = mapped_column(BigId)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
