"""Reads the day's list of numbers that were given back to the carriers, for each sender that wants it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import structlog

from app.gateways.given_back import CannotRead, NoSuchDay, open_transport
from app.gateways.registry import build
from app.runtime import runtime
from app.services import given_back_days
from app.services.close_given_back import GivenBack, close_given_back
from app.services.controller import Refused
from app.services.gateways_of_senders import gateway_of
from app.storage.database import db
from app.storage.models import Sender

NONE_COMES_AFTER = timedelta(days=3)
"""A day without a list by then gets none, and the days behind it must not wait for it."""

log = structlog.get_logger(__name__)


def read_given_back(clock: Callable[[], datetime]) -> None:
    """Read what is due; what hinders it is told in the log and by the doctor, and tried again in an hour."""
    now = clock()
    for due in given_back_days.claim(runtime().controller, now):
        try:
            found = read_day(due.sender_id, due.day, dry_run=False, by="system", now=now)
        except NoSuchDay as error:
            log.warning("no list of numbers given back", day=str(due.day), reason=str(error))
            if due.day <= (now - NONE_COMES_AFTER).date():
                given_back_days.done(due)
        except (CannotRead, Refused) as error:
            log.warning("numbers given back could not be read", day=str(due.day), reason=str(error))
        else:
            given_back_days.done(due)
            log.info("numbers given back", day=str(found.day), numbers=found.numbers, people=found.people)


def read_day(sender_id: int, day: date, *, dry_run: bool, by: str, now: datetime) -> GivenBack:
    """Read one day's list over a connection of its own; raises `CannotRead` and `Refused`."""
    controller, transport = runtime().controller, open_transport()
    try:
        return close_given_back(
            sender_id,
            gateway_of(db.session.get_one(Sender, sender_id), controller, build),
            transport,
            day,
            dry_run=dry_run,
            by=by,
            controller=controller,
            now=now,
        )
    finally:
        transport.close()
