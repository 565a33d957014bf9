"""Asks a platform how much it still takes from a sender: LINE's month, and the tier and quality of a WhatsApp number.

Source: github.com/line/line-openapi (messaging-api, quota and consumption) and Meta's description of the phone number
(business messaging, v23). A conversation as in `talk`; its end is what a person reads, line by line.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Final, TypeAlias

from app.gateways import line, meta
from app.gateways.base import Call, Reply
from app.gateways.connect.talk import answer, bearer, call
from app.gateways.paths import at
from app.gateways.whatsapp_allowance import FIELDS, TIERS

Told: TypeAlias = Generator[Call, Reply, tuple[str, ...]]
_TIERS: Final = {name: f"{most:,}" if most else "any number of" for name, most in TIERS.items()}
_QUALITY: Final = {
    "GREEN": "high",
    "YELLOW": "medium: people block or report it",
    "RED": "low: many people block or report it; the number may be restricted",
}


def quota(gateway: str, settings: Mapping[str, str], base_url: str | None, _hook: str) -> Told | None:
    """Return the questions for a sender; None where the platform has no such number or no API for it."""
    opening = _OPENINGS.get(gateway)
    return None if opening is None else opening(settings, base_url)


def _line(settings: Mapping[str, str], base_url: str | None) -> Told:
    url = f"{(base_url or line.API).rstrip('/')}/v2/bot/message/quota"
    access = bearer(settings["channel_token"])
    limit = answer((yield call("GET", url, None, access)), "Asking for the quota")
    used = answer((yield call("GET", f"{url}/consumption", None, access)), "Asking for what is used of it")
    sent = int(at(used, "totalUsage") or 0)
    if at(limit, "type") != "limited":
        return (f"LINE sets no limit; sent this month: {sent:,}.",)
    most = int(at(limit, "value") or 0)
    return (f"LINE takes {most:,} messages this month; sent: {sent:,}; left: {max(most - sent, 0):,}.",)


def _whatsapp(settings: Mapping[str, str], base_url: str | None) -> Told:
    url = f"{(base_url or meta.API).rstrip('/')}/{meta.VERSION}/{settings['phone_number_id']}"
    asked = call("GET", f"{url}?fields={FIELDS}", None, bearer(settings["token"]))
    found = answer((yield asked), "Asking for the number")
    tier, quality = at(found, "messaging_limit_tier"), at(found, "quality_rating")
    return (
        f"Meta lets the number begin talks with {_TIERS.get(tier, tier or 'an unknown number of')} people in 24 hours.",
        f"Its quality is {_QUALITY.get(quality, quality or 'unknown')}.",
    )


_OPENINGS: Final[Mapping[str, Callable[[Mapping[str, str], str | None], Told]]] = {
    "line": _line,
    "whatsapp": _whatsapp,
}
