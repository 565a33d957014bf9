"""What becomes of a draft's files on each channel, and for how many people: shown before anything is scheduled."""

from datetime import datetime

from app.services.broadcast_rows import broadcast_for_change, targets_of
from app.services.media.attach import attached_to
from app.services.shares import Share, shares_of
from app.storage.database import transaction


def forecast(broadcast_id: int, *, public_url: str, now: datetime) -> list[Share]:
    """Return the shares of a broadcast that have a file, beside the text or not. Raises `NotFound`."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if not attached_to(session, broadcast_id):
            return []
        shares = shares_of(session, broadcast, targets_of(session, broadcast_id), now, public_url)
        return [one for one in shares if one.media is not None]
