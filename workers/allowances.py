"""Asks platforms how much their senders may still send: each sender once an hour, and soon after one took no more."""

from collections.abc import Callable
from datetime import datetime

import structlog

from app.domain.allowances import Allowance
from app.domain.sealing import CannotOpen
from app.gateways.allowances import CannotSay, TellsAllowance, ask_allowance
from app.gateways.base import Gateway
from app.gateways.errands import short_transport
from app.gateways.registry import GATEWAYS, build
from app.runtime import runtime
from app.services import allowances
from app.services.gateways_of_senders import gateway_of
from app.storage.database import db
from app.storage.models import Sender

TELLERS = frozenset(name for name, one in GATEWAYS.items() if hasattr(one, "allowance_calls"))

log = structlog.get_logger(__name__)


def read_allowances(clock: Callable[[], datetime]) -> None:
    """Ask about those that are due; what a platform does not tell is in the log, and with the doctor after hours."""
    for sender_id in allowances.claim(TELLERS, clock()):
        told = _asked(_gateway(sender_id))
        if isinstance(told, CannotSay):
            log.warning("a platform did not tell what may be sent", sender_id=sender_id, reason=str(told))
        allowances.keep(sender_id, told, clock())


def _gateway(sender_id: int) -> Gateway | CannotSay:
    try:
        return gateway_of(db.session.get_one(Sender, sender_id), runtime().controller, build)
    except CannotOpen as error:
        return CannotSay(f"its settings cannot be opened ({error})")
    finally:
        db.session.rollback()  # no transaction is open while a stranger thinks


def _asked(gateway: Gateway | CannotSay) -> Allowance | CannotSay:
    if not isinstance(gateway, TellsAllowance):
        return gateway if isinstance(gateway, CannotSay) else CannotSay("it tells no such number")
    transport = short_transport()
    try:
        return ask_allowance(gateway, transport)
    except CannotSay as error:
        return error
    finally:
        transport.close()
