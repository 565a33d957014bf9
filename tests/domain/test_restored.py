"""A database that knows less than it did is told from one that only grew, and from another installation's."""

import pytest

from app.domain.restored import Seen, is_behind, read

BEFORE = Seen("first", 70, {4: 12, 5: 3})


@pytest.mark.parametrize(
    ("now", "behind"),
    [
        (BEFORE, False),
        (Seen("first", 71, {4: 12, 5: 4, 6: 1}), False),
        (Seen("first", 69, {4: 12, 5: 3}), True),  # somebody's consent or STOP is gone
        (Seen("first", 70, {4: 12, 5: 2}), True),  # somebody was sent to since
        (Seen("first", 70, {4: 12}), True),  # it has not begun
        (Seen("first", 70, {}), True),
        (Seen("first", 70, {5: 3, 6: 1}), False),  # only the newest are looked at
        (Seen("first", 70, {4: None, 5: 3}), False),  # retention took its slices
        (Seen("another", 2, {}), False),
    ],
)
def test_what_only_grows_has_grown_or_it_is_an_old_one(now: Seen, behind: bool) -> None:
    assert is_behind(now, BEFORE) is behind


def test_what_is_written_is_read_again_and_nonsense_is_nothing() -> None:
    found = Seen("first", 70, {4: 12, 5: None})

    assert read(found.written()) == found
    assert [
        read(one) for one in ("", "[]", '{"ledger": 1}', '{"ledger": "x", "ledger_end": 1, "leases": 3}')
    ] == [None] * 4
