"""The fold from ledger entries to a standing: STOP always closes, and only a later grant opens again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.consent import EventType, Fact, Standing, SubscriptionState, apply, fold

START_OF_TIME = datetime(2026, 1, 1, tzinfo=UTC)
LISTS = (1, 2, 3)


def fact(seq: int, event_type: EventType, minute: int, list_id: int | None = 1) -> Fact:
    return Fact(seq, event_type, START_OF_TIME + timedelta(minutes=minute), list_id)


def test_a_grant_opens_and_a_withdrawal_closes() -> None:
    opened = apply(Standing(), fact(1, EventType.CONSENT_GIVEN, 1))
    closed = apply(opened, fact(2, EventType.CONSENT_WITHDRAWN, 2))

    assert (opened.state, opened.granted_seq) == (SubscriptionState.ACTIVE, 1)
    assert (closed.state, closed.granted_seq, closed.stopped_seq) == (SubscriptionState.STOPPED, 1, 2)


def test_a_grant_that_is_older_than_the_stop_and_comes_late_does_not_reopen() -> None:
    standings = fold(
        [
            fact(1, EventType.CONSENT_GIVEN, 1),
            fact(2, EventType.CONSENT_WITHDRAWN, 9),
            fact(3, EventType.CONSENT_GIVEN, 5),
        ],
        LISTS,
    )

    assert standings[1].state is SubscriptionState.STOPPED


def test_a_stop_of_everything_reaches_only_lists_that_the_person_joined() -> None:
    standings = fold(
        [
            fact(1, EventType.CONSENT_GIVEN, 1, list_id=1),
            fact(2, EventType.CONSENT_GIVEN, 2, list_id=2),
            fact(3, EventType.CONSENT_WITHDRAWN, 3, list_id=None),
        ],
        LISTS,
    )

    assert {key: one.state for key, one in standings.items()} == {
        1: SubscriptionState.STOPPED,
        2: SubscriptionState.STOPPED,
    }


def test_events_that_say_nothing_about_consent_change_nothing() -> None:
    opened = apply(Standing(), fact(1, EventType.CONSENT_GIVEN, 1))

    for event_type in (EventType.NOTICE_SHOWN, EventType.STOP_REPEATED, EventType.ENDPOINT_BOUNCED):
        assert apply(opened, fact(2, event_type, 2)) == opened


facts = st.builds(
    fact,
    seq=st.integers(1, 1000),
    event_type=st.sampled_from(EventType),
    minute=st.integers(0, 100),
    list_id=st.sampled_from((None, *LISTS)),
)


@given(st.lists(facts, max_size=30))
def test_an_active_list_was_granted_no_earlier_than_its_last_stop(history: list[Fact]) -> None:
    """Whatever the order of arrival."""
    for list_id, standing in fold(history, LISTS).items():
        if standing.state is SubscriptionState.ACTIVE and standing.stopped_at is not None:
            assert standing.granted_at is not None
            assert standing.granted_at >= standing.stopped_at
            assert list_id in LISTS


@given(st.lists(facts, max_size=30), facts)
def test_the_same_stop_twice_is_a_stop_once(history: list[Fact], last: Fact) -> None:
    stop = Fact(last.seq, EventType.CONSENT_WITHDRAWN, last.occurred_at, last.list_id)

    assert fold([*history, stop, stop], LISTS) == fold([*history, stop], LISTS)


@given(st.lists(facts, max_size=30))
def test_after_a_stop_of_everything_nothing_is_active(history: list[Fact]) -> None:
    stop = fact(1001, EventType.CONSENT_WITHDRAWN, 0, list_id=None)

    standings = fold([*history, stop], LISTS)

    assert all(one.state is not SubscriptionState.ACTIVE for one in standings.values())
