"""Who runs this installation: the name, contact and keys that services need to speak and to sign in its name."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.sealing import KeyRing


class NewNumber(StrEnum):
    """ACTIVE: the consent moves along, for account and person are the same. PENDING: the person must agree anew."""

    ACTIVE = "active"
    PENDING = "pending"


@dataclass(frozen=True)
class Controller:
    """The controller in the sense of GDPR article 4(7): named in every notice, reply and ledger entry.

    `new_number`: what becomes of a consent when its account tells us that it has another number from now on.
    """

    brand: str
    contact: str
    privacy_url: str
    ledger: str
    region: str
    keys: KeyRing
    new_number: NewNumber = NewNumber.ACTIVE


class Refused(ValueError):
    """A use case says no, for the reason in the text; nothing was changed."""


class NotFound(Refused):
    """The thing named does not exist."""


class Conflict(Refused):
    """Somebody else changed the thing in the meantime; load it again."""
