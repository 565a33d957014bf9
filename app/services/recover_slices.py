"""Settle what a worker that is gone left behind: from its journal on this machine, or by how far it may have come.

never written -> waits as before; answer read -> settled; handing over -> *unknown*, never sent again by itself.
"""

from collections.abc import Sequence
from datetime import datetime

from app.domain.messages import DeliveryRef
from app.domain.statuses import WORKER_DIED, DeliveryStatus
from app.services.controller import Controller
from app.services.settle_outcomes import settle
from app.storage import lost_slices, outcomes
from app.storage.database import transaction
from app.storage.deliveries import Lost
from app.storage.journal import Journal, Remains
from app.storage.outcomes import Settlement


def recover(lost: Lost, journal: Journal, *, sender_id: int, controller: Controller, now: datetime) -> int:
    """Settle a slice that nobody else can hand over from any more; returns how many are unknown.

    The caller has raised the slice's epoch and committed that: whoever held it cannot pass the gate after this reads
    the journal, for the journal is written before the gate is asked. May be done again after a crash.
    """
    remains = journal.read(lost.broadcast_id, lost.seq, lost.epoch)
    with transaction() as session:
        if remains is None:
            remains = Remains((), tuple(lost_slices.may_have_left(session, lost)))
        names = [one.ref.subscriber_id for one in remains.answered] + list(remains.unknown)
        attempts = lost_slices.unsettled(session, lost, names)
    answered = [one for one in remains.answered if one.ref.subscriber_id in attempts]
    if answered:
        counts = {one.ref: attempts[one.ref.subscriber_id] + 1 for one in answered}
        settle(answered, counts, sender_id=sender_id, controller=controller, now=now)
    unknown = [one for one in remains.unknown if one in attempts]
    with transaction() as session:
        outcomes.settle(session, [_unknown(lost, one) for one in unknown], now)
        lost_slices.is_settled(session, lost)
    journal.remove(lost.broadcast_id, lost.seq, lost.epoch)
    return len(unknown)


def recover_stopped(journal: Journal, *, controller: Controller, now: datetime) -> int:
    """Settle the slices of workers that are gone where no lane will come by: paused and cancelled broadcasts.

    Returns how many deliveries are unknown.
    """
    return sum(
        recover(lost, journal, sender_id=sender_id, controller=controller, now=now)
        for lost, sender_id in _fenced_off(now)
    )


def _fenced_off(now: datetime) -> Sequence[tuple[Lost, int]]:
    with transaction() as session:
        return lost_slices.fence_off(session, now)


def _unknown(lost: Lost, subscriber_id: int) -> Settlement:
    ref = DeliveryRef(lost.broadcast_id, subscriber_id)
    return Settlement(ref, DeliveryStatus.UNKNOWN, reason=WORKER_DIED)
