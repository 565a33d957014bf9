"""Tells providers of consents, for each sender that wants it: a few requests a minute, as many as they take."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from app.gateways.consent_shares import SETTING, CannotShare, TakesConsents
from app.gateways.errands import short_transport
from app.gateways.registry import build
from app.runtime import runtime
from app.services.gateways_of_senders import gateway_of, senders_wanting
from app.services.share_consents import share
from app.storage.database import db

TURNS: Final = 20
"""Of at most four requests each: Twilio takes 100 a minute."""

log = structlog.get_logger(__name__)


def share_consents(clock: Callable[[], datetime]) -> None:
    """Do a round; what hinders it is told in the log and, after hours, by the doctor."""
    controller = runtime().controller
    for sender in senders_wanting(db.session(), SETTING, controller):
        gateway = gateway_of(sender, controller, build)
        if isinstance(gateway, TakesConsents):
            _turns(sender.id, gateway, clock)


def _turns(sender_id: int, gateway: TakesConsents, clock: Callable[[], datetime]) -> None:
    transport = short_transport()
    try:
        for _ in range(TURNS):
            done = share(sender_id, gateway, transport, controller=runtime().controller, now=clock())
            for reason in done.refused:
                log.warning("a consent was refused by the provider", sender_id=sender_id, reason=reason)
            if not done.entries:
                return
    except CannotShare as error:
        log.warning("consents could not be told to the provider", sender_id=sender_id, reason=str(error))
    finally:
        transport.close()
