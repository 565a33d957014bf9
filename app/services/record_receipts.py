"""Apply what a gateway reports of a delivery: forward only, so repeats and wrong order change nothing."""

from datetime import datetime

from app.domain.messages import Receipt, ReceiptStatus
from app.domain.statuses import RECEIPT_OVERWRITES, DeliveryStatus
from app.services.controller import Controller
from app.services.react_to_failures import PERSONAL, react
from app.storage.consent import lock_head
from app.storage.database import transaction
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
