"""The audit log: who did what, in the same transaction as the deed."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.storage.models import AuditEntry


def note(session: Session, actor: str, action: str, subject: str, now: datetime, **details: Any) -> None:
    """Add one line to the audit log; `action` is written like `broadcast.pause`. Never pass a secret."""
    session.add(AuditEntry(at=now, actor=actor, action=action, subject=subject, details=details))
