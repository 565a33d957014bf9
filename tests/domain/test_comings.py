"""Comings and goings: the same states as the fold, told by their steps."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.comings import ON_IT, comings, tag_of
from app.domain.consent import Act, EventType, Fact, fold

START = datetime(2026, 3, 2, tzinfo=UTC)
LISTS = (1, 2)


def fact(seq: int, kind: EventType, list_id: int | None = 1, act: Act | None = Act.KEYWORD_EXACT) -> Fact:
    return Fact(seq, kind, START + timedelta(minutes=seq), list_id, act)


def test_who_comes_pauses_and_leaves_has_come_once_and_left_once() -> None:
    facts = [
        fact(1, EventType.CONSENT_GIVEN),
        fact(2, EventType.CONSENT_GIVEN),
        fact(3, EventType.PAUSED, None),
        fact(4, EventType.RESUMED),
        fact(5, EventType.CONSENT_WITHDRAWN, None),
        fact(6, EventType.CONSENT_WITHDRAWN, None),
    ]

    assert [(one.fact.seq, one.joined) for one in comings(facts, LISTS)] == [(1, True), (5, False)]


def test_a_stop_of_everything_leaves_each_list_that_the_person_was_on() -> None:
    facts = [
        fact(1, EventType.CONSENT_GIVEN, 1),
        fact(2, EventType.CONSENT_GIVEN, 2),
        fact(3, EventType.CONSENT_WITHDRAWN, None),
    ]

    assert [(one.list_id, one.joined) for one in comings(facts, LISTS)] == [
        (1, True), (2, True), (1, False), (2, False),
    ]  # fmt: skip


_KINDS = st.sampled_from([one for one in EventType if one is not EventType.SEND_LOG_ROOT])
_STEPS = st.tuples(_KINDS, st.sampled_from([1, 2, None]), st.sampled_from(Act))


@given(st.lists(_STEPS, max_size=12))
def test_comings_less_goings_are_who_is_there(steps: list[tuple[EventType, int | None, Act]]) -> None:
    facts = [fact(seq, *step) for seq, step in enumerate(steps, 1)]

    balance = dict.fromkeys(LISTS, 0)
    for one in comings(facts, LISTS):
        balance[one.list_id] += 1 if one.joined else -1

    there = {list_id: standing.state in ON_IT for list_id, standing in fold(facts, LISTS).items()}
    assert balance == {list_id: int(there.get(list_id, False)) for list_id in LISTS}


@pytest.mark.parametrize(
    ("cta_ref", "tag"),
    [
        (None, ""),
        ("sms:news-us", ""),
        ("telegram:news-bot:news_poster-7", "poster-7"),
        ("telegram:news-bot:news", ""),
    ],
)
def test_the_tag_of_a_link_is_read_from_what_the_ledger_notes(cta_ref: str | None, tag: str) -> None:
    assert tag_of(cta_ref) == tag
