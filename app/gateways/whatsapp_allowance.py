"""The tier of a WhatsApp number: with how many different people it may begin to talk in any 24 hours.

Source: Meta's description of the phone number (business messaging, v23) and developers.facebook.com, WhatsApp,
"Messaging limits", read in November 2026. All numbers of a business portfolio share one tier.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from app.domain.allowances import Allowance, Span, Standing
from app.gateways.allowances import CannotSay, check_yes
from app.gateways.base import Call, Reply
from app.gateways.common import json_of
from app.gateways.paths import at

FIELDS: Final = "messaging_limit_tier,quality_rating"
TIERS: Final[Mapping[str, int | None]] = {
    "TIER_50": 50,
    "TIER_250": 250,
    "TIER_1K": 1_000,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
    "TIER_UNLIMITED": None,
}
_STANDINGS: Final = {"GREEN": Standing.HIGH, "YELLOW": Standing.MEDIUM, "RED": Standing.LOW}


def calls(url: str, headers: Mapping[str, str]) -> Sequence[Call]:
    """Return the question; `url` is that of the number's messages."""
    return [Call("GET", f"{url.removesuffix('/messages')}?fields={FIELDS}", b"", headers)]


def read(replies: Sequence[Reply]) -> Allowance:
    """Return the tier; raises `CannotSay` for one that no table knows, such as TIER_NOT_SET of a new number."""
    check_yes(replies[0])
    found = json_of(replies[0].body)
    tier = at(found, "messaging_limit_tier")
    if tier not in TIERS:
        raise CannotSay(f"the provider named the tier {tier or '(none)'}")
    standing = _STANDINGS.get(at(found, "quality_rating"), Standing.UNKNOWN)
    return Allowance(Span.MOVING_DAY, TIERS[tier], standing=standing)
