"""Apply what a gateway reports of a delivery: forward only, so repeats and wrong order change nothing."""

from datetime import datetime

from sqlalchemy import select

from app.domain.messages import Receipt, ReceiptStatus
from app.domain.statuses import RECEIPT_OVERWRITES, DeliveryStatus
from app.services.controller import Controller
from app.services.react_to_failures import PERSONAL, react
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import Delivery
from app.storage.outcomes import apply_receipt

_STATUS = {
    ReceiptStatus.SENT: DeliveryStatus.SENT,
    ReceiptStatus.DELIVERED: DeliveryStatus.DELIVERED,
    ReceiptStatus.FAILED: DeliveryStatus.FAILED,
}


def record_receipt(receipt: Receipt, *, sender_id: int, controller: Controller, now: datetime) -> bool:
    """Move the delivery that the receipt names; tells whether anything moved.

    A failure that speaks of the person (opted out, number dead) becomes a consent event or an overlay.
    """
    status = _STATUS[receipt.status]
    if not _tells_something(receipt, status):
        return False
    personal = receipt.error is not None and receipt.error.kind in PERSONAL
    with transaction() as session:
        if personal:
            lock_head(session, controller.ledger)
        moved = apply_receipt(
            session,
            receipt.ref,
            status,
            RECEIPT_OVERWRITES[status],
            provider_id=receipt.provider_id,
            error_code=receipt.error.code if receipt.error else None,
            reason=receipt.error.kind.value if receipt.error else None,
            sender_id=sender_id,
            now=now,
        )
        if moved and receipt.error:
            react(
                session,
                [(receipt.ref.subscriber_id, receipt.error)],
                sender_id=sender_id,
                controller=controller,
                now=now,
            )
    return moved


def _tells_something(receipt: Receipt, status: DeliveryStatus) -> bool:
    """Read before writing: every second receipt says what the answer to the hand-over has said before."""
    ref = receipt.ref
    stands_at = db.session.scalar(
        select(Delivery.status).where(
            Delivery.broadcast_id == ref.broadcast_id,
            Delivery.subscriber_id == ref.subscriber_id,
            Delivery.inbound_id == ref.inbound_id,
        )
    )
    return stands_at in RECEIPT_OVERWRITES[status]
