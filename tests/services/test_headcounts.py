"""The counts that lists keep, and what is answered from them, meet the rows themselves, whoever changes these."""

import random
import threading
from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.domain.policy.proactive import ProactivePath
from app.domain.segments import Among, Clause, Segment, Trait
from app.services import find_people, reports
from app.storage import audience, headcounts, quick_answers, quiet
from app.storage.database import db, transaction
from app.storage.gate import Way
from app.storage.models import BroadcastList, Headcount, Subscriber, Subscription
from app.storage.segments import Chosen
from tests.support.world import Newsroom

_OVERLAYS = ("blocked_at", "bounced_at", "suppressed_at", "erased_at", "review_opened_at")
_STATES = ("active", "active", "active", "stopped", "paused", "pending")
_PEOPLE = 60


def populate(newsroom: Newsroom, dice: random.Random) -> list[int]:
    """Make three lists on which people are as chance has it; returns the lists."""
    newsroom.join(_PEOPLE)
    lists = [
        newsroom.list_id,
        newsroom.new_list("Sports", "SPORTS"),
        newsroom.new_list("Weather", "WEATHER"),
    ]
    with transaction() as session:
        people = session.scalars(select(Subscriber.id)).all()
        for list_id in lists[1:]:
            some = dice.sample(sorted(people), dice.randrange(_PEOPLE))
            session.execute(
                insert(Subscription),
                [row(list_id, one, dice) for one in some] or [row(list_id, people[0], dice)],
            )
    for _ in range(40):
        change_something(newsroom, dice, lists)
    return lists


def row(list_id: int, subscriber_id: int, dice: random.Random) -> dict[str, object]:
    """A subscription in any state."""
    return {
        "list_id": list_id,
        "subscriber_id": subscriber_id,
        "state": dice.choice(_STATES),
        "granted_seq": dice.randrange(1, 100),
    }


def change_something(newsroom: Newsroom, dice: random.Random, lists: list[int]) -> None:
    """Move some people in one of the ways in which the product does, in one statement or in several."""
    with transaction() as session:
        people = session.scalars(select(Subscriber.id)).all()
        some = dice.sample(sorted(people), dice.randrange(1, 6))
        theirs, on_list = Subscription.subscriber_id.in_(some), Subscription.list_id == dice.choice(lists)
        acts = (
            lambda: session.execute(
                update(Subscription).where(theirs, on_list).values(state=dice.choice(_STATES))
            ),
            lambda: session.execute(update(Subscription).where(theirs).values(granted_at=newsroom.now)),
            lambda: session.execute(delete(Subscription).where(theirs, on_list)),
            lambda: _change_people(session, some, dice.choice(_OVERLAYS), newsroom.now),
            lambda: _change_people(session, some, dice.choice(_OVERLAYS), None),
            lambda: _change_people(session, some, "language", dice.choice(("de", "en", "fr"))),
            lambda: _change_people(session, some, "last_stop_at", newsroom.now),
            lambda: quiet.put_into_groups(session, dict.fromkeys(some, _group(session, dice))),
        )
        for act in dice.sample(acts, 2):
            act()


def _change_people(session: Session, some: list[int], column: str, value: object) -> None:
    session.execute(update(Subscriber).where(Subscriber.id.in_(some)).values({column: value}))


def _group(session: Session, dice: random.Random) -> int:
    key = dice.choice(("calling_code:GB::Europe/London", "calling_code:US::America/New_York"))
    return quiet.group_ids(session, {key})[key]


def counted_anew() -> Counter[tuple[object, ...]]:
    """What stands in the counts, and what should."""
    db.session.rollback()
    key = (
        Headcount.list_id,
        Headcount.channel,
        Headcount.quiet_group_id,
        Headcount.language,
        Headcount.answer,
    )
    kept = select(*key, func.sum(Headcount.people)).group_by(*key)
    return Counter({tuple(one): int(n) for *one, n in db.session.execute(kept) if n})


def truth() -> Counter[tuple[object, ...]]:
    """The same, from the rows themselves and in the gate's own words."""
    found: Counter[tuple[object, ...]] = Counter()
    rows = db.session.execute(
        select(Subscription, Subscriber)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.state == "active")
    )
    for on, one in rows:
        answer = (
            "other_purpose"
            if on.granted_seq is None
            else "erased"
            if one.erased_at
            else "suppressed"
            if one.suppressed_at
            else "blocked"
            if one.blocked_at
            else "bounced"
            if one.bounced_at
            else "held_for_review"
            if one.review_opened_at
            else ""
        )
        found[on.list_id, one.channel, one.quiet_group_id or 0, one.language, answer] += 1
    return found


def asked(
    lists: list[int], newsroom: Newsroom, ways: tuple[Way, ...] = (), chosen: Chosen | None = None
) -> None:
    """Compare the quick answer with the slow one."""
    session = db.session()
    slow = audience.ask(session, lists, newsroom.now, ways, chosen=chosen)
    quick = quick_answers.ask(session, lists, newsroom.now, ways, chosen=chosen)
    assert Counter(quick.counts) == Counter(slow.counts)
    assert sum(slow.counts.values()) > 0


@pytest.mark.parametrize("seed", range(4))
def test_the_counts_are_those_of_the_rows_after_any_change(newsroom: Newsroom, seed: int) -> None:
    dice = random.Random(seed)
    lists = populate(newsroom, dice)
    for _ in range(10):
        change_something(newsroom, dice, lists)
        assert counted_anew() == truth()


@pytest.mark.parametrize("seed", range(4))
def test_the_quick_answer_is_the_gates_own_for_any_choice_of_lists(newsroom: Newsroom, seed: int) -> None:
    lists = populate(newsroom, random.Random(seed))
    for some in ([lists[0]], [lists[1]], lists[:2], lists[1:], lists, [lists[2], lists[0], lists[2]]):
        asked(some, newsroom)
    rule = Chosen(Segment((Clause(Among(Trait.LANGUAGE, ("de",))),)), newsroom.now, "UTC", {})
    asked(lists[:1], newsroom, chosen=rule)


@pytest.mark.parametrize("seed", range(3))
def test_a_channel_that_leads_to_some_only_is_asked_person_by_person(newsroom: Newsroom, seed: int) -> None:
    dice = random.Random(seed)
    lists = populate(newsroom, dice)
    with transaction() as session:
        people = session.scalars(select(Subscriber.id)).all()
        _change_people(session, dice.sample(sorted(people), 30), "channel", "whatsapp")
    closed = Way("whatsapp", newsroom.sender_id, ProactivePath(within=timedelta(hours=24)))
    asked(lists, newsroom, (closed,))
    asked(lists[:1], newsroom, (closed,))
    asked(lists[1:], newsroom, (closed, Way("sms", newsroom.sender_id, ProactivePath(never_to=("+1",)))))


def test_who_agreed_to_another_purpose_is_never_counted_as_reachable(newsroom: Newsroom) -> None:
    lists = populate(newsroom, random.Random(5))
    with transaction() as session:
        session.get_one(BroadcastList, lists[1]).purpose_since_seq = 50
    asked(lists[1:2], newsroom)
    asked(lists, newsroom)
    with transaction() as session:
        session.execute(update(Subscription).where(Subscription.list_id == lists[1]).values(granted_seq=51))
    asked(lists[1:2], newsroom)
    with transaction() as session:
        session.execute(update(Subscription).where(Subscription.list_id == lists[2]).values(granted_seq=None))
    asked(lists, newsroom)
    assert counted_anew() == truth()


def test_compose_and_lists_say_what_the_rows_say(newsroom: Newsroom) -> None:
    lists = populate(newsroom, random.Random(6))
    active = Counter(db.session.scalars(select(Subscription.list_id).where(Subscription.state == "active")))
    assert reports.list_counts() == active
    for some in (lists, lists[:1], lists[1:]):
        assert find_people.reachable(some) == len(open_people(some))
    assert find_people.reachable([]) == 0


def open_people(lists: list[int]) -> set[int]:
    """Who is active on one of the lists, and nothing stands against it."""
    rows = db.session.execute(
        select(Subscriber.id, *(getattr(Subscriber, name) for name in _OVERLAYS))
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.list_id.in_(lists), Subscription.state == "active")
    )
    return {one for one, *overlays in rows if not any(overlays)}


def test_folding_changes_no_sum(newsroom: Newsroom) -> None:
    populate(newsroom, random.Random(7))
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO headcount (list_id, channel, quiet_group_id, language, answer, shard, people) "
                "SELECT list_id, channel, quiet_group_id, language, answer, shard + 7, 3 FROM headcount"
            )
        )
    before = counted_anew()
    with transaction() as session:
        assert headcounts.fold(session, above=0) > 0
    assert counted_anew() == before
    with transaction() as session:
        assert headcounts.fold(session, above=0) == 0


def test_writers_who_meet_and_clocks_that_fold_lose_no_count(app: Flask, newsroom: Newsroom) -> None:
    newsroom.join(40)
    other = newsroom.new_list("Sports", "SPORTS")
    ids = sorted(db.session.scalars(select(Subscriber.id)))
    db.session.remove()
    errors: list[Exception] = []
    over = threading.Event()

    def run(seed: int) -> None:
        dice = random.Random(seed)
        try:
            with app.app_context():
                for _ in range(40):
                    one = dice.choice(ids)
                    with transaction() as session:
                        if seed % 2:
                            _change_people(session, [one], "language", dice.choice(("de", "en", "fr")))
                        else:
                            session.merge(
                                Subscription(
                                    list_id=other,
                                    subscriber_id=one,
                                    state=dice.choice(_STATES),
                                    granted_seq=1,
                                )
                            )
        except Exception as error:
            errors.append(error)

    def fold() -> None:
        with app.app_context():
            while not over.wait(0.01):
                with transaction() as session:
                    headcounts.fold(session, above=0)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in (0, 1, 3)]
    clock = threading.Thread(target=fold)
    for thread in (*threads, clock):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    clock.join()
    assert errors == []
    assert counted_anew() == truth()


@pytest.mark.parametrize("joins_first", [True, False])
def test_somebody_who_changes_while_they_join_is_counted_as_what_they_are_then(
    app: Flask, newsroom: Newsroom, joins_first: bool
) -> None:
    newsroom.join(1)
    other = newsroom.new_list("Sports", "SPORTS")
    one = db.session.scalars(select(Subscriber.id)).one()
    db.session.remove()
    errors: list[Exception] = []

    def join(session: Session) -> None:
        session.execute(
            insert(Subscription).values(list_id=other, subscriber_id=one, state="active", granted_seq=1)
        )

    def change(session: Session) -> None:
        _change_people(session, [one], "language", "fr")

    first, second = (join, change) if joins_first else (change, join)

    def run() -> None:
        try:
            with app.app_context(), transaction() as session:
                second(session)
        except Exception as error:
            errors.append(error)

    meanwhile = threading.Thread(target=run)
    with transaction() as session:
        first(session)
        meanwhile.start()
        meanwhile.join(0.3)
        assert meanwhile.is_alive()  # it waits until the first is done, and then sees what that did
    meanwhile.join()
    assert errors == []
    assert counted_anew() == truth()
