"""The invariants of consent.md 3.2 over random histories with late, repeated and reordered entries."""

import random
from datetime import UTC, datetime, timedelta

from app.domain.consent import (
    OPENING_ACTS,
    Act,
    EventType,
    Fact,
    Overlays,
    Standing,
    SubscriptionState,
    apply,
    fold_person,
    overlay,
)

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LISTS = (1, 2)
HISTORIES = 10_000
ENDS = (
    EventType.CONSENT_WITHDRAWN,
    EventType.CONSENT_REVOKED,
    EventType.CONSENT_REFUSED,
    EventType.CONSENT_INVALIDATED,
    EventType.ERASURE_REQUESTED,
)
COMMON = (EventType.CONSENT_GIVEN, EventType.CONSENT_WITHDRAWN, EventType.CONSENT_REQUESTED, EventType.PAUSED)
WAYS_IN = OPENING_ACTS | {Act.PLATFORM_PREFERENCE}
EVENTS, ACTS = tuple(EventType), (None, *Act)


def random_history(dice: random.Random) -> list[Fact]:
    """Return up to 14 entries; about every fourth happened before the ones that reached us earlier."""
    facts: list[Fact] = []
    for seq in range(1, dice.randint(2, 15)):
        if facts and dice.random() < 0.1:
            facts.append(dice.choice(facts))
            continue
        at = BEGIN + timedelta(hours=seq if dice.random() < 0.75 else dice.randint(0, seq))
        event = dice.choice(COMMON if dice.random() < 0.5 else EVENTS)
        until = at + timedelta(hours=dice.randint(1, 6)) if dice.random() < 0.7 else None
        act, list_id = dice.choice(ACTS), dice.choice((None, *LISTS))
        facts.append(Fact(seq, event, at, list_id, act, until, blocks=dice.random() < 0.1))
    return facts


def walk(facts: list[Fact]):
    """Yield each step as the services project it: the fact, list, standing before and after."""
    overlays, rows = Overlays(), dict[int, Standing]()
    for fact in facts:
        overlays = overlay(overlays, fact)
        for list_id in [fact.list_id] if fact.list_id else sorted(rows):
            before = rows.get(list_id, Standing())
            after = apply(before, fact, overlays)
            if after != before:
                rows[list_id] = after
            yield fact, overlays, before, after
    yield None, overlays, rows, None


def test_t31_ten_thousand_histories_keep_every_invariant() -> None:
    dice = random.Random(31)  # a test must come out the same again
    opened = 0
    for _ in range(HISTORIES):
        facts = random_history(dice)
        for fact, overlays, before, after in walk(facts):
            if fact is None:
                assert fold_person(facts, LISTS) == (overlays, before)  # (g)
                continue
            opened += check_step(fact, overlays, before, after)
    assert opened > 400  # the dice do reopen what was left, so (a) and (d) were tried


def check_step(fact: Fact, overlays: Overlays, before: Standing, after: Standing) -> bool:
    assert apply(after, fact, overlays) == after  # (b): the same entry again changes nothing
    if fact.event_type in ENDS:
        assert after.state is SubscriptionState.STOPPED  # (c): whatever was before
    left = before.state is SubscriptionState.STOPPED
    if not (left and after.state is not SubscriptionState.STOPPED):
        return False
    assert after.state is SubscriptionState.ACTIVE
    assert (fact.event_type, fact.act in WAYS_IN) == (EventType.CONSENT_GIVEN, True)  # (a)
    assert before.stopped_at is None or fact.occurred_at >= before.stopped_at  # (d)
    assert overlays.last_stop_at is None or fact.occurred_at >= overlays.last_stop_at  # (d)
    if fact.act is Act.PLATFORM_PREFERENCE:
        assert before.stopped_act is Act.PLATFORM_PREFERENCE  # row 27
    if fact.act in (Act.DOI_REPLY, Act.DOI_LINK):
        assert before.expires_at is not None  # T9
        assert fact.occurred_at <= before.expires_at
    return True
