"""Facts about consent in the words of DPV: each event of the ledger leads to the state that 2.4 names."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.consent import EventType as Kind
from app.domain.consent import Fact
from app.domain.consent_status import VALID_FOR_PROCESSING, Dpv, steps

START = datetime(2026, 8, 3, 9, tzinfo=UTC)


def states(*kinds: Kind, list_id: int | None = 1) -> list[Dpv]:
    facts = [
        Fact(seq, kind, START + timedelta(hours=seq), list_id) for seq, kind in enumerate(kinds, start=1)
    ]
    return [step.state for step in steps(facts).get(1, ())]


@pytest.mark.parametrize(
    ("kinds", "last"),
    [
        ([Kind.CONSENT_REQUESTED], Dpv.REQUESTED),
        ([Kind.CONSENT_REQUESTED, Kind.CONSENT_REFUSED], Dpv.REFUSED),
        ([Kind.CONSENT_REQUESTED, Kind.CONSENT_WITHDRAWN], Dpv.REFUSED),
        ([Kind.CONSENT_REQUESTED, Kind.REQUEST_EXPIRED], Dpv.UNKNOWN),
        ([Kind.CONSENT_REQUESTED, Kind.CONSENT_GIVEN], Dpv.GIVEN),
        ([Kind.NOTICE_SHOWN, Kind.CONSENT_GIVEN, Kind.PAUSED], Dpv.GIVEN),
        ([Kind.CONSENT_GIVEN, Kind.CONSENT_GIVEN], Dpv.GIVEN),
        ([Kind.CONSENT_GIVEN, Kind.CONSENT_WITHDRAWN], Dpv.WITHDRAWN),
        ([Kind.CONSENT_GIVEN, Kind.CONSENT_WITHDRAWN, Kind.CONSENT_GIVEN], Dpv.RENEWED),
        ([Kind.CONSENT_GIVEN, Kind.CONSENT_REVOKED], Dpv.REVOKED),
        ([Kind.CONSENT_GIVEN, Kind.CONSENT_INVALIDATED], Dpv.INVALIDATED),
        ([Kind.CONSENT_GIVEN, Kind.CONSENT_EXPIRED], Dpv.EXPIRED),
    ],
)
def test_t30_the_state_is_that_of_the_last_event(kinds: list[Kind], last: Dpv) -> None:
    assert states(*kinds)[-1] is last
    assert (last in VALID_FOR_PROCESSING) == (last in (Dpv.GIVEN, Dpv.RENEWED))


def test_a_stop_of_all_lists_reaches_those_with_a_history_and_makes_none() -> None:
    given = Fact(1, Kind.CONSENT_GIVEN, START, 1)
    stop = Fact(2, Kind.CONSENT_WITHDRAWN, START + timedelta(hours=1), None)

    found = steps([given, stop])

    assert {list_id: taken[-1].state for list_id, taken in found.items()} == {1: Dpv.WITHDRAWN}
    assert steps([stop]) == {}


def test_a_consent_older_than_the_stop_that_came_before_it_changes_nothing() -> None:
    facts = [
        Fact(1, Kind.CONSENT_GIVEN, START, 1),
        Fact(2, Kind.CONSENT_WITHDRAWN, START + timedelta(hours=2), 1),
        Fact(3, Kind.CONSENT_GIVEN, START + timedelta(hours=1), 1),
    ]

    assert steps(facts)[1][-1].seq == 2
