"""Apply what gateways report of deliveries, many at a time: forward only, so repeats and wrong order change nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.domain.messages import BatchResult, DeliveryRef, Receipt, ReceiptStatus, SendError
from app.domain.statuses import RECEIPT_OVERWRITES, DeliveryStatus
from app.services.controller import Controller
from app.services.other_channels import fall_back
from app.services.react_to_failures import PERSONAL, react
from app.services.same_account import Shown, learn_all
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.outcomes import Report, apply_report, apply_reports, apply_result
from app.storage.provider_ids import deliveries_found_by

_STATUS = {
    ReceiptStatus.SENT: DeliveryStatus.SENT,
    ReceiptStatus.DELIVERED: DeliveryStatus.DELIVERED,
    ReceiptStatus.FAILED: DeliveryStatus.FAILED,
}


class SenderReceipt(NamedTuple):
    """A receipt and the sender at whose address it came in."""

    sender_id: int
    receipt: Receipt


class _Named(NamedTuple):
    """A receipt whose delivery is known."""

    ref: DeliveryRef
    sender_id: int
    receipt: Receipt


def record_receipts(
    receipts: Sequence[SenderReceipt], *, controller: Controller, now: datetime
) -> Sequence[SenderReceipt]:
    """Move the deliveries that the receipts name; may be given the same receipts again.

    A failure that speaks of the person (opted out, number dead) becomes a consent event or an overlay. Returns the
    receipts that name a provider's id which no delivery has: the lane writes ids a moment after they came, so a
    quick receipt should be tried again.
    """
    named, unknown = _named(receipts)
    shown = {
        one.receipt.shows: Shown(one.sender_id, one.receipt.provider_id, one.receipt.shows)
        for one in receipts
        if one.receipt.shows
    }
    learn_all(shown.values(), controller=controller, now=now)
    good = [_report(one) for one in named if one.receipt.error is None]
    if good:
        with transaction() as session:
            apply_reports(session, good, now)
    # By themselves, so that each transaction locks deliveries in their order: two groups never wait for each other.
    failures = sorted((one for one in named if one.receipt.error), key=lambda one: one.ref)
    if failures:
        _record_failures(failures, controller, now)
    return unknown


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


def _named(receipts: Sequence[SenderReceipt]) -> tuple[list[_Named], list[SenderReceipt]]:
    ids: dict[int, set[str]] = {}
    for one in receipts:
        if one.receipt.ref is None:
            ids.setdefault(one.sender_id, set()).add(one.receipt.provider_id)
    found: dict[tuple[int, str], DeliveryRef] = {}
    if ids:
        with transaction() as session:
            for sender_id, theirs in ids.items():
                refs = deliveries_found_by(session, sender_id, theirs)
                found |= {(sender_id, id_): ref for id_, ref in refs.items()}
    refs_of = [one.receipt.ref or found.get((one.sender_id, one.receipt.provider_id)) for one in receipts]
    pairs = list(zip(receipts, refs_of, strict=True))
    return [_Named(ref, *one) for one, ref in pairs if ref], [one for one, ref in pairs if ref is None]


def _record_failures(failures: Sequence[_Named], controller: Controller, now: datetime) -> None:
    with transaction() as session:
        if any(one.receipt.error and one.receipt.error.kind in PERSONAL for one in failures):
            # The ledger's lock comes before the locks on deliveries, here as in every STOP: no deadlock.
            lock_head(session, controller.ledger)
        moved = []
        for one in failures:
            if one.receipt.error and apply_report(session, _report(one), now):
                _react(session, one, one.receipt.error, controller, now)
                moved.append(one.ref)
        fall_back(session, moved, now)


def _react(session: Session, one: _Named, error: SendError, controller: Controller, now: datetime) -> None:
    failure = (one.ref.subscriber_id, error)
    react(session, [failure], sender_id=one.sender_id, controller=controller, now=now)


def _report(one: _Named) -> Report:
    receipt, status = one.receipt, _STATUS[one.receipt.status]
    error = receipt.error
    return Report(
        one.ref,
        one.sender_id,
        status,
        RECEIPT_OVERWRITES[status],
        receipt.provider_id,
        error_code=error.code if error else None,
        reason=error.kind.value if error else None,
    )
