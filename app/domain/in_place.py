"""Changing a message where it stands on a phone: which gateways can, for how long, and what is asked of them.

Sources, read in November 2026: core.telegram.org/bots/api (editMessageText has no time limit for a bot's own
messages, deleteMessage takes those of the last 48 hours); spec.matrix.org v1.16, event replacements and redactions;
xmpp.org, XEP-0308 1.2.1.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class InPlace(StrEnum):
    """What a correction does with the message that a person has: other words for it, or away with it."""

    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Changes:
    """What a gateway can do with messages that it delivered; `deletes_within` is how long, None meaning for ever."""

    edits: bool = False
    deletes: bool = False
    deletes_within: timedelta | None = None

    def can(self, act: InPlace) -> bool:
        """Tell whether the gateway can do this at all."""
        return self.edits if act is InPlace.EDIT else self.deletes

    def since(self, act: InPlace, now: datetime) -> datetime | None:
        """Return after which moment a message must have been sent for it; None: whenever."""
        if act is InPlace.EDIT or self.deletes_within is None:
            return None
        return now - self.deletes_within


NO_CHANGES: Final = Changes()
_CHANGES: Final = MappingProxyType(
    {
        "telegram": Changes(edits=True, deletes=True, deletes_within=timedelta(hours=48)),
        "matrix": Changes(edits=True, deletes=True),
        # Old apps show the correction as a message of its own; to take one away is an experimental extension.
        "xmpp": Changes(edits=True),
        # Our own store.
        "inapp": Changes(edits=True, deletes=True),
    }
)


def changes_named(gateway: str) -> Changes:
    """Return what editors are told of a gateway; its `capabilities()` say the same."""
    return _CHANGES.get(gateway, NO_CHANGES)
