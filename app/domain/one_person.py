"""Two subscribers turn out to be one account: which consent ends at the one that stays, and which moves to it.

The strict reading: the newest wish on a list holds, a stop never gives way to an older consent, and consent moves only
to lists on which the account never stood in any other way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.consent import Standing, SubscriptionState

_USABLE: Final = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)


@dataclass(frozen=True)
class Side:
    """One of the two: how it stands on each list (by list id), and when it last stopped everything."""

    standings: Mapping[int, Standing]
    last_stop_at: datetime | None = None

    def stop_of(self, list_id: int) -> datetime | None:
        """Return the last stop that was about this list; None where its consent was given after that, or never was."""
        here = self.standings.get(list_id, Standing())
        return None if here.state in _USABLE else _latest(self.last_stop_at, here.stopped_at)


@dataclass(frozen=True)
class Moves:
    """List ids: `ended` stop at the one that stays, `given` are agreed to there from now on."""

    ended: tuple[int, ...]
    given: tuple[int, ...]


def moves_of(closes: Side, stays: Side) -> Moves:
    """Return what has to happen on each list, in the order of the lists."""
    ended = [list_id for list_id, here in stays.standings.items() if _ends(here, closes.stop_of(list_id))]
    given = [
        list_id
        for list_id, there in closes.standings.items()
        if there.state in _USABLE and stays.last_stop_at is None and _untouched(stays.standings.get(list_id))
    ]
    return Moves(tuple(sorted(ended)), tuple(sorted(given)))


def _ends(here: Standing, stopped_at: datetime | None) -> bool:
    """Tell whether somebody who is on a list, or is being asked, said no elsewhere after that."""
    if stopped_at is None or (here.state is SubscriptionState.STOPPED and here.expires_at is None):
        return False
    wish = _latest(here.granted_at, here.requested_at)
    return wish is None or stopped_at >= wish


def _untouched(here: Standing | None) -> bool:
    return here is None or here == Standing()


def _latest(*moments: datetime | None) -> datetime | None:
    return max((at for at in moments if at is not None), default=None)
