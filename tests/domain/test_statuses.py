"""Which moves a broadcast may make, and what a receipt may overwrite."""

import pytest

from app.domain.statuses import RECEIPT_OVERWRITES, BroadcastState, DeliveryStatus, MoveRefused, check_move

S = BroadcastState


@pytest.mark.parametrize(
    ("now_in", "to"),
    [
        (S.DRAFT, S.SCHEDULED),
        (S.SCHEDULED, S.DRAFT),
        (S.SCHEDULED, S.SENDING),
        (S.SCHEDULED, S.EXPIRED),
        (S.SENDING, S.PAUSED),
        (S.PAUSED, S.SENDING),
        (S.SENDING, S.FINISHED),
        (S.PAUSED, S.CANCELED),
    ],
)
def test_the_ways_a_broadcast_goes(now_in: S, to: S) -> None:
    assert check_move(now_in, to) is None


@pytest.mark.parametrize(
    ("now_in", "to"),
    [(S.DRAFT, S.SENDING), (S.FINISHED, S.PAUSED), (S.CANCELED, S.DRAFT), (S.PAUSED, S.FINISHED)],
)
def test_a_move_that_is_not_allowed_says_which_are(now_in: S, to: S) -> None:
    with pytest.raises(MoveRefused, match="it cannot become"):
        check_move(now_in, to)


def test_no_receipt_leads_backwards() -> None:
    order = [
        DeliveryStatus.PENDING,
        DeliveryStatus.SKIPPED,
        DeliveryStatus.HANDING_OVER,
        DeliveryStatus.SENT,
        DeliveryStatus.FAILED,
        DeliveryStatus.DELIVERED,
    ]

    for status, overwritten in RECEIPT_OVERWRITES.items():
        known = [one for one in overwritten if one is not DeliveryStatus.UNKNOWN]
        assert all(order.index(one) < order.index(status) for one in known)


@pytest.mark.parametrize("status", [DeliveryStatus.SKIPPED, DeliveryStatus.PENDING])
def test_a_receipt_may_be_faster_than_our_own_note_of_the_hand_over(status: DeliveryStatus) -> None:
    """Only the worker's journal knows it then; a STOP or a cancel may even have skipped the row in between."""
    assert all(status in overwritten for overwritten in RECEIPT_OVERWRITES.values())
