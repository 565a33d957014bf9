"""Apply what gateways report of deliveries, many at a time: forward only, so repeats and wrong order change nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.domain.messages import BatchResult, Receipt, ReceiptStatus, SendError
from app.domain.statuses import RECEIPT_OVERWRITES, DeliveryStatus
from app.services.controller import Controller
from app.services.react_to_failures import PERSONAL, react
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.outcomes import Report, apply_report, apply_reports, apply_result

_STATUS = {
    ReceiptStatus.SENT: DeliveryStatus.SENT,
    ReceiptStatus.DELIVERED: DeliveryStatus.DELIVERED,
    ReceiptStatus.FAILED: DeliveryStatus.FAILED,
}


class SenderReceipt(NamedTuple):
    """A receipt and the sender at whose address it came in."""

    sender_id: int
    receipt: Receipt


def record_receipts(receipts: Sequence[SenderReceipt], *, controller: Controller, now: datetime) -> None:
    """Move the deliveries that the receipts name; may be given the same receipts again.

    A failure that speaks of the person (opted out, number dead) becomes a consent event or an overlay.
    """
    good = [_report(one) for one in receipts if one.receipt.error is None]
    if good:
        with transaction() as session:
            apply_reports(session, good, now)
    # By themselves, so that each transaction locks deliveries in their order: two groups never wait for each other.
    failures = sorted((one for one in receipts if one.receipt.error), key=lambda one: one.receipt.ref)
    if failures:
        _record_failures(failures, controller, now)


def record_result(result: BatchResult, *, sender_id: int, now: datetime) -> int:
    """Apply a report about everybody who shared a request; returns how many deliveries moved.

    Where some got it and some did not, nobody knows who: then nothing moves.
    """
    if result.error is None and result.reached < result.people:
        return 0
    error = result.error
    status = DeliveryStatus.DELIVERED if error is None else DeliveryStatus.FAILED
    with transaction() as session:
        return apply_result(
            session,
            sender_id,
            result.provider_id,
            status,
            RECEIPT_OVERWRITES[status],
            now,
            error_code=error.code if error else None,
            reason=error.kind.value if error else None,
        )


def _record_failures(failures: Sequence[SenderReceipt], controller: Controller, now: datetime) -> None:
    with transaction() as session:
        if any(one.receipt.error and one.receipt.error.kind in PERSONAL for one in failures):
            # The ledger's lock comes before the locks on deliveries, here as in every STOP: no deadlock.
            lock_head(session, controller.ledger)
        for one in failures:
            if one.receipt.error and apply_report(session, _report(one), now):
                _react(session, one, one.receipt.error, controller, now)


def _react(
    session: Session, one: SenderReceipt, error: SendError, controller: Controller, now: datetime
) -> None:
    failure = (one.receipt.ref.subscriber_id, error)
    react(session, [failure], sender_id=one.sender_id, controller=controller, now=now)


def _report(one: SenderReceipt) -> Report:
    receipt, status = one.receipt, _STATUS[one.receipt.status]
    error = receipt.error
    return Report(
        receipt.ref,
        one.sender_id,
        status,
        RECEIPT_OVERWRITES[status],
        receipt.provider_id,
        error_code=error.code if error else None,
        reason=error.kind.value if error else None,
    )
