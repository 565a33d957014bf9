"""Tells a provider by its own API where our webhook is, and asks it afterwards whether it took that in.

For each gateway that has such an API one conversation: a generator that yields a call, gets the reply, and returns what
was done and what is left to do by hand. It does no I/O; `app.commands.connecting` makes the calls.
"""

from collections.abc import Mapping
from typing import Final

from app.gateways.connect import line, meta, telegram, twilio, viber
from app.gateways.connect.talk import CannotConnect, Connected, Conversation, Opening

__all__ = ["CannotConnect", "Connected", "Conversation", "conversation"]

_OPENINGS: Final[Mapping[str, Opening]] = {
    "line": line.talk,
    "messenger": meta.talk_of_a_page,
    "telegram": telegram.talk,
    "twilio": twilio.talk,
    "viber": viber.talk,
    "whatsapp": meta.talk_of_a_number,
}


def conversation(
    gateway: str, settings: Mapping[str, str], base_url: str | None, hook: str
) -> Conversation | None:
    """Return the conversation that registers `hook`; None where the provider has no API for it."""
    opening = _OPENINGS.get(gateway)
    return None if opening is None else opening(settings, base_url, hook)
