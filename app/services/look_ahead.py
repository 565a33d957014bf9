"""What stands against a moment while it is being chosen: who must wait or is left out for its sake, broken promises."""

from dataclasses import dataclass
from datetime import datetime

from app.services.ask_gate import ask_gate
from app.services.broadcast_rows import broadcast_for_change, targets_of
from app.services.foresee import Foresight, broken_promise, foresee
from app.storage.database import transaction


@dataclass(frozen=True)
class Ahead:
    """Whom a draft would meet at a moment, and the promise (or "") that one message more would break."""

    seen: Foresight
    promise: str


def look_ahead(broadcast_id: int, at: datetime) -> Ahead:
    """Ask as if the draft began at the UTC instant `at`. Cheaper than a review: neither files, quotas nor words."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        lists = targets_of(session, broadcast_id)
        answers = ask_gate(session, broadcast, [one.id for one in lists], at)
        seen = foresee(session, broadcast, lists, at, answers)
        return Ahead(seen, broken_promise(session, broadcast, lists, at))
