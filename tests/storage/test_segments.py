"""The SQL of a segment chooses exactly the people whom the plain-Python meaning chooses, whatever the rule."""

import random
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.domain.consent import Act
from app.domain.policy.places import Source, Whereabouts
from app.domain.segments import (
    Among,
    Clause,
    Had,
    Joined,
    JoinedWithin,
    Joining,
    Moment,
    NothingWithin,
    OnList,
    Outcome,
    Person,
    Reacted,
    Reaction,
    Segment,
    Side,
    Test,
    Trait,
    Way,
    holds,
    parse,
    way_of,
    written,
)
from app.domain.statuses import DeliveryStatus
from app.storage import quiet
from app.storage.audience import members
from app.storage.database import db, transaction
from app.storage.models import (
    Broadcast,
    BroadcastAnswer,
    ConsentEvent,
    Delivery,
    PersonClick,
    ShortLink,
    Subscriber,
    Subscription,
)
from app.storage.segments import chosen_by
from tests.support.world import NOON, Newsroom, number

PEOPLE: Final = 60
ZONE: Final = "Europe/Berlin"
BROADCASTS: Final = (901, 902, 903)
COUNTRIES: Final = ("DE", "AT", "GB")
TOWNS: Final = ("", "Überlingen", "überlingen", "ÜBERLINGEN", "Bad Homburg", "bad homburg")
LABELS: Final = ("Yes", "yes", "No")
LINKS: Final = {
    f"{one}{index:05}": (one, f"https://example.org/{index}") for one in BROADCASTS[:2] for index in (1, 2)
}
_HAD: Final = (
    DeliveryStatus.HANDING_OVER,
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.UNKNOWN,
)
_CALLS: Final = (
    (Act.KEYWORD_EXACT, "sms:desk", ""),
    (Act.KEYWORD_EXACT, "telegram:my_a:city_a", "a"),
    (Act.KEYWORD_EXACT, "telegram:my_a", ""),
    (Act.BUTTON, "telegram:desk:city_poster-7", "poster-7"),
    (Act.DOI_REPLY, "join:city", ""),
    (Act.DOI_REPLY, "operator:card", ""),
    (Act.DOI_LINK, "list:3:change", ""),
    (Act.WEB_CHECKBOX, "join:city", ""),
    (Act.IMPORT_ATTESTED, "import:abc", ""),
    (Act.OPERATOR, None, ""),
)


class Drawn(NamedTuple):
    """A person as the tables have them, and as the domain sees them."""

    row: Subscriber
    group: str | None
    subscriptions: list[tuple[Subscription, ConsentEvent]]
    deliveries: list[Delivery]
    answers: list[BroadcastAnswer]
    clicks: list[PersonClick]
    person: Person


def draw(lot: random.Random, subscriber_id: int, lists: list[int]) -> Drawn:
    ref, country = f"ref-{subscriber_id}", lot.choice((*COUNTRIES, "", None))
    town = lot.choice(TOWNS)
    row = Subscriber(
        id=subscriber_id,
        channel=lot.choice(("sms", "telegram")),
        address=number(subscriber_id),
        subject_ref=ref,
        language=lot.choice(("de", "en", "fr")),
        attributes={"city": town} if town else {},
        created_at=NOON,
    )
    place = Whereabouts(Source.NUMBER, country, country, ("UTC",)) if country else None
    nowhere = Whereabouts(Source.CONTROLLER, "unknown", "US", ("UTC",))
    group = None if country is None else (place or nowhere).key
    subscriptions, joinings = [], []
    for list_id in lot.sample(lists, lot.randint(1, len(lists))):
        active = lot.random() < 0.8
        seq = subscriber_id * 10 + list_id
        at = NOON - timedelta(hours=lot.randint(-2, 24 * 60))
        act, call, tag = lot.choice(_CALLS)
        subscriptions.append(
            (
                Subscription(
                    list_id=list_id,
                    subscriber_id=subscriber_id,
                    state="active" if active else "stopped",
                    granted_seq=seq,
                    granted_at=at,
                    active_seq=seq,
                ),
                entry(ref, seq, act, call),
            )
        )
        if active:
            joinings.append(Joining(list_id, at, way_of(act, call or ""), tag))
    deliveries = [
        Delivery(
            broadcast_id=one,
            subscriber_id=subscriber_id,
            inbound_id=0,
            status=lot.choice(list(DeliveryStatus)).value,
            updated_at=NOON - timedelta(hours=lot.randint(0, 24 * 20)),
        )
        for one in lot.sample(BROADCASTS, lot.randint(0, len(BROADCASTS)))
    ]
    answers = [
        BroadcastAnswer(broadcast_id=one, subscriber_id=subscriber_id, place=0, label=lot.choice(LABELS))
        for one in lot.sample(BROADCASTS, lot.randint(0, 2))
    ]
    codes = lot.sample(sorted(LINKS), lot.randint(0, 2))
    clicks = [
        PersonClick(code=one, subscriber_id=subscriber_id, first_at=NOON, last_at=NOON, times=1)
        for one in codes
    ]
    person = Person(
        row.language,
        row.channel,
        country or "",
        tuple(joinings),
        {one.broadcast_id: one.updated_at for one in deliveries if one.status in _HAD},
        frozenset(one.broadcast_id for one in deliveries if one.status == DeliveryStatus.FAILED),
        {one.broadcast_id: one.label for one in answers},
        frozenset(LINKS[one] for one in codes),
        town,
    )
    return Drawn(row, group, subscriptions, deliveries, answers, clicks, person)


def entry(ref: str, seq: int, act: Act, call: str | None) -> ConsentEvent:
    at = NOON.isoformat()[:19]
    return ConsentEvent(
        event_id=f"{seq:036d}",
        v=1,
        ledger="tests",
        seq=seq,
        subject_ref=ref,
        event_type="consent_given",
        occurred_at=at,
        recorded_at=at,
        channel="sms",
        scope="list",
        cta_ref=call,
        act=act.value,
        actor="person",
        prev_hash="0" * 64,
        entry_hash="0" * 64,
    )


def broadcasts() -> None:
    """Write the broadcasts with their links; an erased person's answer is there without the person."""
    with transaction() as session:
        for one in BROADCASTS:
            session.add(
                Broadcast(
                    id=one,
                    title="x",
                    state="finished",
                    zone="UTC",
                    created_by="ada",
                    created_at=NOON,
                    updated_at=NOON,
                )
            )
        session.flush()
        for code, (one, url) in LINKS.items():
            session.add(ShortLink(code=code, broadcast_id=one, url=url, begins="https://n.example.org/l/"))
        session.add(BroadcastAnswer(broadcast_id=BROADCASTS[0], place=0, label=LABELS[0]))


def people_of(newsroom: Newsroom, lists: list[int]) -> dict[int, Person]:
    lot = random.Random(7)
    drawn = [draw(lot, 1000 + index, lists) for index in range(PEOPLE)]
    with transaction() as session:
        groups = quiet.group_ids(session, {one.group for one in drawn if one.group is not None})
        for one in drawn:
            one.row.quiet_group_id = groups[one.group] if one.group is not None else None
            session.add(one.row)
        session.flush()
        for one in drawn:
            session.add_all([row for pair in one.subscriptions for row in pair])
            session.add_all([*one.deliveries, *one.answers, *one.clicks])
    return {one.row.id: one.person for one in drawn}


def any_test(lists: list[int]) -> st.SearchStrategy[Test]:
    def among(trait: Trait, *values: str) -> st.SearchStrategy[Test]:
        some = st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)
        return st.builds(lambda chosen: Among(trait, tuple(chosen)), some)

    days = st.integers(1, 60)
    calendar = st.dates(date(2025, 12, 20), date(2026, 3, 5))
    return st.one_of(
        among(Trait.LANGUAGE, "de", "en", "it"),
        among(Trait.CHANNEL, "sms", "telegram", "xmpp"),
        among(Trait.AREA, *COUNTRIES, "US"),
        among(Trait.PLACE, "überlingen", "Überlingen", "bad homburg", "Bad Homburg", "Rome"),
        among(Trait.WAY, *(way.value for way in Way)),
        among(Trait.TAG, "a", "A", "poster-7", "b", "x" * 30),
        st.builds(Joined, st.sampled_from(Side), calendar),
        st.builds(JoinedWithin, days),
        st.builds(Had, st.sampled_from(Outcome), st.sampled_from((*BROADCASTS, 999))),
        st.builds(
            Reacted,
            st.just(Reaction.ANSWERED),
            st.sampled_from((*BROADCASTS, 999)),
            st.sampled_from(("", *LABELS)),
        ),
        st.builds(
            Reacted,
            st.just(Reaction.CLICKED),
            st.sampled_from((*BROADCASTS, 999)),
            st.sampled_from(("", "https://example.org/1", "https://example.org/2")),
        ),
        st.builds(NothingWithin, days),
        st.builds(OnList, st.sampled_from(lists)),
    )


def segments(lists: list[int]) -> st.SearchStrategy[Segment]:
    clauses = st.builds(Clause, any_test(lists), st.booleans())
    return st.builds(
        Segment, st.lists(clauses, min_size=1, max_size=4).map(tuple), st.booleans(), st.booleans()
    )


def found_by_sql(rule: Segment, list_ids: list[int], now: datetime) -> set[int]:
    chosen = chosen_by(db.session(), rule, now, ZONE)
    return set(db.session.scalars(select(members(list_ids, chosen=chosen).subquery().c.subscriber_id)))


def test_the_sql_of_a_segment_and_its_meaning_choose_the_same_people(newsroom: Newsroom) -> None:
    lists = [newsroom.list_id, newsroom.new_list("Sport", "SPORT"), newsroom.new_list("Zoo", "ZOO")]
    broadcasts()
    people = people_of(newsroom, lists)
    sizes = []

    @settings(max_examples=150, deadline=None)
    @given(segments(lists), st.sampled_from([lists[:1], lists[:2]]))
    def compare(rule: Segment, list_ids: list[int]) -> None:
        moment = Moment(NOON, ZONE, tuple(list_ids))
        on_them = {
            key: one for key, one in people.items() if any(j.list_id in list_ids for j in one.joinings)
        }
        meant = {key for key, one in on_them.items() if holds(rule, one, moment)}

        assert found_by_sql(parse(written(rule)), list_ids, NOON) == meant
        sizes.append(0 < len(meant) < len(on_them))

    compare()
    assert sum(sizes) > len(sizes) / 4  # the rules part these people, else nothing was compared
