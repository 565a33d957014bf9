"""Twilio's Deactivations resource: US numbers that left their carrier on a day, as a file behind a redirect.

Source: twilio.com/docs/messaging/api/deactivations-resource. The redirect is good for two minutes.
"""

from datetime import date
from typing import Final
from urllib.parse import urlsplit

from app.gateways.base import Call, Reply
from app.gateways.common import json_of
from app.gateways.given_back import CannotRead, NoSuchDay

API: Final = "https://messaging.twilio.com"


def call(base_url: str | None, day: date, access: tuple[str, str]) -> Call:
    """Return the question for a day's file; it is free of charge."""
    url = f"{(base_url or API).rstrip('/')}/v1/Deactivations?Date={day.isoformat()}"
    return Call("GET", url, b"", {"Accept": "application/json"}, access)


def file_address(base_url: str | None, reply: Reply) -> str:
    """Return where the file lies. Only https is followed, or a simulator to itself.

    Raises `NoSuchDay`, and `CannotRead` for everything else that is no such redirect.
    """
    body = json_of(reply.body)
    if reply.status == 404:
        raise NoSuchDay("Twilio has no list of this day.")
    if reply.status not in (200, 307):
        raise CannotRead(f"Twilio answered {reply.status}: {str(body.get('message') or '')[:200]}")
    address = reply.headers.get("location") or str(body.get("redirect_to") or "")
    if not _may_follow(address, base_url):
        raise CannotRead("Twilio redirects to an address without https, which is not followed.")
    return address


def _may_follow(address: str, base_url: str | None) -> bool:
    try:
        there = urlsplit(address)
    except ValueError:
        return False
    if there.scheme == "https":
        return bool(there.hostname)
    here = urlsplit(base_url or API)
    return here.scheme == "http" and (there.scheme, there.netloc) == (here.scheme, here.netloc)
