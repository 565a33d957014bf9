"""The journal file: read back as it was written, and believed only where that can be true."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.messages import DeliveryRef, ErrorKind, Outcome, SendError
from app.storage.journal import Journal, Mark, Remains

PEOPLE = [11, 12, 13, 2**40]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal", "this-boot")


def ref(place: int) -> DeliveryRef:
    return DeliveryRef(7, PEOPLE[place])


def test_each_person_is_untouched_on_the_way_or_answered(journal: Journal) -> None:
    error = SendError(ErrorKind.RATE_LIMITED, "20429", "slow down", 2.5, 2, 2)
    pages = journal.open(7, 3, 1, PEOPLE)
    pages.mark(0, 4, Mark.HANDING_OVER)
    pages.mark(1, 1, Mark.UNTOUCHED)
    pages.answered(3, Outcome(ref(3), "SM" + "f" * 32))
    pages.answered(0, Outcome(ref(0), error=error))

    remains = journal.read(7, 3, 1)

    # What the provider said in words is not kept: the rest decides about the delivery and the person.
    kept = SendError(ErrorKind.RATE_LIMITED, "20429", "", 2.5, 2, 2)
    assert remains == Remains((Outcome(ref(3), "SM" + "f" * 32), Outcome(ref(0), error=kept)), (13,))


def test_another_lease_another_boot_and_an_unknown_boot_are_not_believed(
    journal: Journal, tmp_path: Path
) -> None:
    journal.open(7, 3, 1, PEOPLE).mark(0, 2, Mark.HANDING_OVER)

    assert journal.read(7, 3, 2) is None
    assert Journal(tmp_path / "journal", "next-boot").read(7, 3, 1) is None
    nowhere = Journal(tmp_path / "nowhere", "")
    nowhere.open(7, 3, 1, PEOPLE)
    assert nowhere.read(7, 3, 1) is None


def test_a_file_that_was_only_begun_is_not_believed(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "journal" / "7-3-1.journal").write_bytes(bytes(500))

    assert journal.read(7, 3, 1) is None


def test_an_answer_without_its_mark_was_half_written_and_counts_as_unknown(journal: Journal) -> None:
    pages = journal.open(7, 3, 1, PEOPLE)
    pages.mark(0, 4, Mark.HANDING_OVER)
    pages.answered(0, Outcome(ref(0), "SM1"))
    pages.mark(0, 1, Mark.HANDING_OVER)

    assert journal.read(7, 3, 1) == Remains((), tuple(PEOPLE))


def test_answers_that_find_no_room_are_unknown(journal: Journal) -> None:
    pages = journal.open(7, 3, 1, PEOPLE[:1])
    pages.mark(0, 1, Mark.HANDING_OVER)
    pages.answered(0, Outcome(ref(0), "x" * 1000))

    assert journal.read(7, 3, 1) == Remains((), (11,))


def test_a_removed_journal_is_gone_and_a_forgotten_one_goes_after_two_days(
    journal: Journal, tmp_path: Path
) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    journal.open(7, 1, 1, PEOPLE).remove()
    for seq, age in ((2, timedelta(days=1)), (3, timedelta(days=3))):
        journal.open(7, seq, 1, PEOPLE)
        then = (now - age).timestamp()
        os.utime(tmp_path / "journal" / f"7-{seq}-1.journal", (then, then))

    journal.tidy(now)

    assert [one.name for one in (tmp_path / "journal").iterdir()] == ["7-2-1.journal"]
