"""What the benchmark of receipts takes for right, and its table."""

import pytest

from app.domain.messages import DeliveryRef, Receipt, ReceiptStatus
from app.services.record_receipts import SenderReceipt
from bench import receipts
from bench.ground import SQLITE
from bench.receipts import BATCH, ORM, SINGLY, as_markdown, expected, judge
from bench.report import rewritten
from bench.running import ROOT, Run, RunFailed
from bench.verdicts import fingerprint

REFS = [DeliveryRef(1, person) for person in (1, 2, 3)]


def test_only_those_with_a_receipt_move() -> None:
    said = [
        SenderReceipt(1, Receipt(REFS[0], "SM1", ReceiptStatus.DELIVERED)),
        SenderReceipt(1, Receipt(REFS[2], "SM3", ReceiptStatus.FAILED)),
    ]

    assert expected(REFS, said) == {1: 3, 2: 2, 3: 4}


def test_a_checksum_does_not_depend_on_the_order_of_rows() -> None:
    assert fingerprint({1: 3, 2: 4}) == fingerprint({2: 4, 1: 3})


@pytest.mark.parametrize("found", [{1: 3, 2: 3}, {1: 4, 2: 3}], ids=["another count", "the wrong people"])
def test_another_outcome_than_the_receipts_say_fails_the_run(found: dict[int, int]) -> None:
    judge({1: 3, 2: 4}, {2: 4, 1: 3})
    with pytest.raises(RunFailed):
        judge({1: 3, 2: 4}, found)


def test_the_ratios_are_those_inside_the_rounds() -> None:
    rounds = [
        {name: Run(100, 100 / speed, 0.01) for name, speed in zip((BATCH, SINGLY, ORM), speeds, strict=True)}
        for speeds in ((1000, 100, 10), (3000, 100, 10), (800, 40, 10))
    ]
    table = as_markdown({"SQLite": rounds}, ["rounds: 3"])

    # The middle speeds alone would give 1,000 / 100.
    assert "| SQLite | one by one | 100 | 40, 100, 100 | 20× | 100 |" in table.splitlines()
    assert table in rewritten((ROOT / "docs" / "performance.md").read_text(), "receipts", table)


@pytest.mark.slow
def test_every_way_ends_where_the_receipts_say() -> None:
    found = receipts.run(SQLITE, receipts.Plan(receipts=60, rounds=1, seconds=5, failed_every=3))

    assert [run.messages for run in found[0].values()] == [60, 60, 60]
