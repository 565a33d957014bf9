"""Open a sender's settings for a conversation with its provider, and note in the audit log how that ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from app.services.audit import note
from app.services.controller import Controller
from app.services.gateways_of_senders import open_settings
from app.services.manage_senders import find_sender, hook_of
from app.storage.database import transaction

CONNECT: Final = "sender.connect"
REFUSED: Final = "sender.connect_refused"
_Talk = TypeVar("_Talk")


@dataclass(frozen=True)
class Begun(Generic[_Talk]):
    """A sender's gateway, the address of its webhook, and the conversation to carry on; None where there is none."""

    gateway: str
    hook: str
    talk: _Talk | None


def begin(
    name: str,
    *,
    opening: Callable[[str, Mapping[str, str], str | None, str], _Talk | None],
    public_url: str,
    controller: Controller,
) -> Begun[_Talk]:
    """Return how to register the webhook of the sender `name`, or what else `opening` opens.

    Raises `NotFound`, `CannotOpen`.
    """
    with transaction() as session:
        sender = find_sender(session, name)
        hook = hook_of(name, public_url)
        talk = opening(sender.gateway, open_settings(sender, controller), sender.base_url, hook)
        return Begun(sender.gateway, hook, talk)


def note_end(name: str, hook: str, *, refused: bool, by: str, now: datetime) -> None:
    """Note how the registration ended. A refused one may have changed something before, so that it is noted, too."""
    with transaction() as session:
        note(session, by, REFUSED if refused else CONNECT, f"sender {name}", now, hook=hook)
