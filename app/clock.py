"""The only reader of the system clock: doorways ask it once and pass `now` inward."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the present moment as an aware UTC datetime."""
    return datetime.now(UTC)
