"""Twilio's Consent Management API: up to 25 standings a request, each put in place of what was there before.

Source: twilio.com/docs/messaging/features/consent-api; 100 requests a minute, and error 30646 for single items.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from app.gateways.base import Call, Reply
from app.gateways.common import json_of
from app.gateways.consent_shares import CannotShare, Medium, Standing

API: Final = "https://accounts.twilio.com"
MOST: Final = 25
_PASSES: Final = "INTERNAL_SERVER_ERROR"
_SOURCES: Final[Mapping[Medium, str]] = {
    Medium.WEBSITE: "website",
    Medium.OFFLINE: "offline",
    Medium.OTHER: "others",
}


def call(
    base_url: str | None, standings: Sequence[Standing], sender_id: str, access: tuple[str, str]
) -> Call:
    """Return the request: a form with an `Items` of JSON for each person."""
    items = [("Items", json.dumps(_item(one, sender_id))) for one in standings]
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    url = f"{(base_url or API).rstrip('/')}/v1/Consents/Bulk"
    return Call("POST", url, urlencode(items).encode(), headers, access)


def refused(reply: Reply) -> Sequence[str]:
    """Return the errors of single items; raises `CannotShare` where none was taken, or one may be taken later."""
    body = json_of(reply.body)
    items = body.get("items")
    if reply.status not in (200, 201) or not isinstance(items, list):
        said = str(body.get("message") or reply.reason)[:200]
        raise CannotShare(f"Twilio answered {reply.status}: {said}")
    wrong = [one for one in items if isinstance(one, dict) and one.get("error_code")]
    reasons = [f"{one.get('error_code')}: {one.get('error_messages')}"[:200] for one in wrong]
    if any(_PASSES in one for one in reasons):
        raise CannotShare("Twilio could not store some of them now.")
    return reasons


def _item(one: Standing, sender_id: str) -> Mapping[str, str]:
    words = "opt-in-message" if one.agreed else "opt-out-message"
    return {
        "contact_id": one.address.value,
        "correlation_id": one.key,
        "sender_id": sender_id,
        "status": "opt-in" if one.agreed else "opt-out",
        "source": _SOURCES.get(one.medium, words),
        "date_of_consent": one.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
