"""Reads who follows each sender, once a day, where its platform lists them, and takes out who left."""

from collections.abc import Callable
from datetime import datetime

import structlog

from app.domain.followers import Outcome
from app.domain.sealing import CannotOpen
from app.gateways.followers import CannotList, NotOffered
from app.gateways.registry import GATEWAYS, build
from app.gateways.tokens import with_tokens
from app.gateways.transport import CurlTransport
from app.runtime import runtime
from app.services import reconcile_followers
from app.services.gateways_of_senders import gateway_of
from app.services.reconcile_followers import Reading
from app.storage.database import db
from app.storage.models import Sender

LISTERS = frozenset(name for name, one in GATEWAYS.items() if hasattr(one, "followers_call"))

log = structlog.get_logger(__name__)


def read_followers(clock: Callable[[], datetime]) -> None:
    """Read what is due; what hinders it is told in the log and by the doctor."""
    for sender_id in reconcile_followers.claim(LISTERS, clock()):
        now = clock()
        try:
            found = read_list(sender_id, by="system", now=now)
        except CannotList as error:
            if not isinstance(error, NotOffered):
                log.warning("followers could not be read", sender_id=sender_id, reason=str(error))
            reconcile_followers.not_read(sender_id, error, now)
        else:
            _tell(sender_id, found)


def read_list(
    sender_id: int, *, dry_run: bool = False, anyway: bool = False, by: str, now: datetime
) -> Reading:
    """Read one sender's list over a connection of its own; raises `CannotList` and `Refused`."""
    controller = runtime().controller
    sender = db.session.get_one(Sender, sender_id)
    try:
        gateway = gateway_of(sender, controller, build)
    except CannotOpen as error:
        raise CannotList(f"the settings of the sender cannot be opened ({error})") from error
    transport = with_tokens(gateway, CurlTransport(connections=1), runtime().token_keeper)
    try:
        return reconcile_followers.reconcile(
            sender_id,
            gateway,
            transport,
            dry_run=dry_run,
            anyway=anyway,
            by=by,
            controller=controller,
            now=now,
        )
    finally:
        transport.close()


def _tell(sender_id: int, found: Reading) -> None:
    facts = {
        "sender_id": sender_id,
        "followers": found.followers,
        "ours": found.ours,
        "missing": found.missing,
    }
    if found.outcome is Outcome.HELD:
        do = "if it is true, run: tidings senders followers NAME --anyway"
        log.warning("too many people are not among the followers; nothing was changed", do=do, **facts)
    elif found.left:
        log.info("people who left were taken out", people=found.left, **facts)
