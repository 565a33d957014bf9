"""Apply what gateways report of deliveries, many at a time: forward only, so repeats and wrong order change nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.domain.messages import BatchResult, DeliveryRef, Receipt, ReceiptStatus, SendError
from app.domain.statuses import RECEIPT_OVERWRITES, DeliveryStatus
from app.services.after_failures import Failure, follow, lock
from app.services.controller import Controller
from app.services.late_refusals import WAITS, is_old, may_wait, stood_at, wait_again
from app.services.record_reads import record_reads
from app.services.same_account import Shown, learn_all
from app.storage.database import transaction
from app.storage.outcomes import apply_result
from app.storage.provider_ids import deliveries_found_by
from app.storage.reports import Report, apply_report, apply_reports

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


class _Failed(NamedTuple):
    """A receipt of a failure, and which one."""

    named: _Named
    error: SendError

    @property
    def failure(self) -> Failure:
        """What the consequences are drawn from."""
        return self.named.ref, self.error


def record_receipts(
    receipts: Sequence[SenderReceipt], *, controller: Controller, now: datetime
) -> Sequence[SenderReceipt]:
    """Move the deliveries that the receipts name; may be given the same receipts again.

    A failure does what the same refusal of a request would: it becomes a consent event or an overlay where it speaks of
    the person, waits where time mends it, pauses the broadcast, or closes the sender. Returns the
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
    if reads := [(one.sender_id, one.ref) for one in named if one.receipt.read]:
        record_reads(reads, now)
    # By themselves, so that each transaction locks deliveries in their order: two groups never wait for each other.
    failures = sorted(
        (_Failed(one, error) for one in named if (error := one.receipt.error)), key=lambda one: one.named.ref
    )
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


def _record_failures(failures: Sequence[_Failed], controller: Controller, now: datetime) -> None:
    """Do what the same refusals of requests would (`settle_outcomes`)."""
    with transaction() as session:
        lock(session, [one.failure for one in failures], controller, among=WAITS)
        took = _written(session, failures, now)
        for sender_id in dict.fromkeys(one.named.sender_id for one, _ in took):
            theirs = [(one, moved) for one, moved in took if one.named.sender_id == sender_id]
            follow(
                session,
                [one.failure for one, _ in theirs],
                [one.named.ref for one, moved in theirs if moved is DeliveryStatus.FAILED],
                sender_id=sender_id,
                controller=controller,
                now=now,
            )


def _written(
    session: Session, failures: Sequence[_Failed], now: datetime
) -> list[tuple[_Failed, DeliveryStatus]]:
    """Write failures; returns those that changed something, and where their deliveries stand now."""
    by_ref = {one.named.ref: one for one in failures}
    # Of several about one delivery it matters which one counted: another account's may be among them.
    if len(by_ref) == len(failures) and not any(may_wait(one.error, ref) for ref, one in by_ref.items()):
        moved = apply_reports(session, [_report(one.named) for one in failures], now)
        return [(by_ref[ref], DeliveryStatus.FAILED) for ref in moved]
    stand = [(one, _moved(session, one, now)) for one in failures]
    return [(one, status) for one, status in stand if status is not None]


def _moved(session: Session, one: _Failed, now: datetime) -> DeliveryStatus | None:
    """Write a failure; returns where its delivery stands now, None where nothing changed."""
    ref, error = one.failure
    before = stood_at(session, ref) if may_wait(error, ref) else None
    if before is not None and is_old(before, one.named.receipt):
        return None
    if not apply_report(session, _report(one.named), now):
        return None
    again = before is not None and wait_again(session, ref, error, before, now)
    return DeliveryStatus.PENDING if again else DeliveryStatus.FAILED


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
