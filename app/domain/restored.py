"""Tell from what was seen before that a database knows less than it did: a backup has taken its place."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Seen:
    """What only grows in a database, as it was seen once.

    `ledger` is the hash of its first consent, which tells one installation from another. `leases` says of the newest
    broadcasts that began how often their slices were taken in hand; in a backup they have not begun, or less is done.
    None where there are no slices: not yet, or retention took them.
    """

    ledger: str
    ledger_end: int
    leases: Mapping[int, int | None]

    def written(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))


def read(written: str) -> Seen | None:
    """Read what `written` wrote; None for what is nothing of the kind."""
    try:
        found = json.loads(written)
        leases = {int(key): None if times is None else int(times) for key, times in found["leases"].items()}
        return Seen(str(found["ledger"]), int(found["ledger_end"]), leases)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def is_behind(now: Seen, before: Seen) -> bool:
    """Tell whether the same installation knew more before; of another one nothing can be said."""
    if now.ledger != before.ledger:
        return False
    return now.ledger_end < before.ledger_end or any(
        _is_less(now.leases.get(broadcast, 0), times)
        for broadcast, times in before.leases.items()
        # Those that are older than the newest ones are no longer in `now`.
        if broadcast >= min(now.leases, default=0)
    )


def _is_less(now: int | None, before: int | None) -> bool:
    return now is not None and before is not None and now < before
