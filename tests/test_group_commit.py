"""Group commit: one writer for many who wait, and each hears of its own failure only."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.group_commit import GroupCommit


class Ledger:
    """Writes slowly at first, so that others gather; refuses what is negative."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = threading.Event()

    def write(self, items: Sequence[int]) -> None:
        self.open.wait(10)
        if any(item < 0 for item in items):
            raise ValueError(f"bad: {[item for item in items if item < 0]}")
        self.groups.append(list(items))

    def written(self) -> list[int]:
        return [item for group in self.groups for item in group]


def bring(commit: GroupCommit[int], ledger: Ledger, items: Sequence[int]) -> list[Exception | None]:
    """Bring every item from a thread of its own while the first is still being written."""
    with ThreadPoolExecutor(len(items)) as threads:
        futures = [threads.submit(commit.add, item) for item in items]
        while len(commit._waiting) < len(items) - 1:  # the first has the turn, the others wait
            threading.Event().wait(0.005)
        ledger.open.set()
        return [future.exception() for future in futures]  # type: ignore[misc]


def test_whoever_comes_while_one_is_written_is_written_together() -> None:
    ledger = Ledger()

    errors = bring(GroupCommit(ledger.write), ledger, range(8))

    assert errors == [None] * 8
    assert len(ledger.groups) == 2
    assert sorted(ledger.written()) == list(range(8))


def test_a_group_has_a_limit() -> None:
    ledger = Ledger()

    bring(GroupCommit(ledger.write, limit=3), ledger, range(8))

    assert max(map(len, ledger.groups)) == 3
    assert sorted(ledger.written()) == list(range(8))


def test_one_bad_item_fails_nobody_else() -> None:
    ledger = Ledger()

    errors = bring(GroupCommit(ledger.write), ledger, [0, 1, -1, 2, 3])

    assert [type(error) for error in errors] == [type(None), type(None), ValueError, type(None), type(None)]
    assert sorted(ledger.written()) == [0, 1, 2, 3]


def test_a_lone_caller_hears_what_went_wrong_and_the_next_is_served() -> None:
    ledger = Ledger()
    ledger.open.set()
    commit = GroupCommit(ledger.write)

    with pytest.raises(ValueError, match="bad"):
        commit.add(-1)
    commit.add(1)

    assert ledger.groups == [[1]]
