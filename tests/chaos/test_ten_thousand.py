"""Ten thousand people imported from a file, one broadcast, one message each."""

import pytest

from tests.chaos.conftest import RunningStack
from tests.chaos.people import EVERYBODY, NUMBERS
from tests.support.stack import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TEXT = "Riverside: the bridge is open again."


def test_each_of_ten_thousand_gets_one_message_and_every_receipt_comes_home(running: RunningStack) -> None:
    stack = running("web", "worker", "replies", "clock")

    broadcast_id = stack.broadcast(TEXT, EVERYBODY)
    stack.finished(broadcast_id, 120)
    until(lambda: not stack.provider.stats()["callbacks"]["queued"], 300, "all receipts are posted", 0.2)

    seen = stack.provider.stats()
    assert (seen["total"], seen["distinct"], seen["duplicates"]) == (10_000, 10_000, 0)
    assert stack.provider.copies(TEXT) == dict.fromkeys(NUMBERS, 1)
    assert seen["by_status"] == {"delivered": 10_000}
    assert (seen["callbacks"]["acknowledged"], seen["callbacks"]["failed"]) == (20_000, 0)
    counts = stack.status(broadcast_id)["tally"]
    assert (counts["audience"], counts["delivered"]) == (10_000, 10_000)
