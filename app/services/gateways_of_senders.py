"""Bind a sender's sealed settings to its gateway."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.sealing import CannotOpen
from app.gateways.base import Gateway
from app.services.controller import Controller
from app.storage.models import Sender

# name, settings, base URL -> gateway. The registry itself is passed in: services know no gateway by name.
Registry = Callable[[str, Mapping[str, str], str | None], Gateway]
SEAL_LABEL = "sender-settings"


def seal_settings(settings: Mapping[str, str], controller: Controller) -> bytes:
    """Return a sender's settings as they are stored."""
    return controller.keys.seal(json.dumps(dict(settings), sort_keys=True).encode(), SEAL_LABEL)


def open_settings(sender: Sender, controller: Controller) -> dict[str, str]:
    """Return a sender's settings in the clear; raises `CannotOpen` when MASTER_KEY is another one."""
    return _open(sender.sealed_settings, controller)


def _open(sealed: bytes, controller: Controller) -> dict[str, str]:
    opened: dict[str, str] = json.loads(controller.keys.open(sealed, SEAL_LABEL))
    return opened


def senders_wanting(session: Session, setting: str, controller: Controller) -> list[Sender]:
    """Return the senders whose setting of this name is yes; secrets that cannot be opened are the doctor's matter."""
    rows = session.scalars(select(Sender).order_by(Sender.id)).all()
    return [sender for sender in rows if _wants(sender, setting, controller)]


def _wants(sender: Sender, setting: str, controller: Controller) -> bool:
    try:
        return open_settings(sender, controller).get(setting) == "yes"
    except CannotOpen:
        return False


def gateway_of(sender: Sender, controller: Controller, registry: Registry) -> Gateway:
    """Return the gateway bound to this sender; the same object while nothing about the sender changes."""
    return _bound(registry, sender.gateway, sender.sealed_settings, sender.base_url, controller)


@lru_cache(maxsize=256)
def _bound(
    registry: Registry, name: str, sealed: bytes, base_url: str | None, controller: Controller
) -> Gateway:
    return registry(name, _open(sealed, controller), base_url)
