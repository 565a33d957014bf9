"""Who may use the desk, and what they did there."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, String, true
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class Role(StrEnum):
    """What a person at the desk may do. An admin may do all that an editor may."""

    EDITOR = "editor"
    ADMIN = "admin"


class User(Model):
    """A person who signs in at the desk. Raising `session_epoch` signs the person out everywhere."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8), default="en")
    session_epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    shortcuts: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether the desk's keys work for this person (WCAG 2.1.4: they can be turned off)."""


class AuditEntry(Model):
    """One act of a person or a command: who did what to which thing, when."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(120))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
