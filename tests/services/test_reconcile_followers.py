"""Who left LINE unheard is taken out by a list that was read to its end; nobody is added, no odd list believed."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.clock import utcnow
from app.desk.refusals import is_known
from app.domain.followers import Outcome
from app.gateways.base import Call
from app.gateways.followers import CannotList, NotOffered
from app.gateways.line import LineGateway
from app.gateways.registry import gateway_class
from app.services import manage_senders, reconcile_followers
from app.services.check_health import doctor
from app.services.checks import Check, Health
from app.services.controller import Refused
from app.services.reconcile_followers import Reading, reconcile
from app.services.record_consent import open_pii
from app.services.senders_of_lists import add_sender
from app.storage.database import db, transaction
from app.storage.models import (
    AuditEntry,
    ConsentEvent,
    ConsentPii,
    InboundRow,
    Subject,
    Subscriber,
    Subscription,
)
from tests.gateways.samples.line import SETTINGS
from tests.services.test_check_health import AROUND, FakePulse
from tests.support.chat_city import ADA, GRACE, SIMULATOR, ChatCity, Line
from tests.support.world import Newsroom

JEAN = "+12025550152"


class OneByOne(LineGateway):
    """Asks for one friend at a time, so that a few of them fill several pages."""

    def followers_call(self, start: str) -> Call:
        call = super().followers_call(start)
        return call._replace(url=call.url.replace("limit=1000", "limit=1"))


class Meanwhile(Line):
    """Lets something happen when the list was made and is on its way."""

    def __init__(self, city: ChatCity, happens: Callable[[], None]) -> None:
        super().__init__(city.client)
        self._happens = happens

    def submit(self, call: Call) -> None:
        super().submit(call)
        self._happens()


@pytest.fixture
def city(newsroom: Newsroom) -> ChatCity:
    """Ada and Grace on the list, since long ago."""
    city = ChatCity(newsroom, "line", SETTINGS["id"], SETTINGS)
    for phone in (ADA, GRACE):
        city.says(phone, "CITY")
    long_ago(newsroom)
    return city


def long_ago(newsroom: Newsroom) -> None:
    before = newsroom.now - timedelta(days=9)
    with transaction() as session:
        session.execute(update(InboundRow).values(received_at=before))
        session.execute(update(Subscription).values(granted_at=before))


def leaves_unheard(city: ChatCity, phone: str) -> None:
    city.world.chats.blocks.add((phone, city.account.address))


def comes_back_unheard(city: ChatCity, phone: str) -> None:
    city.world.chats.blocks.discard((phone, city.account.address))


def read(
    city: ChatCity,
    line: Line | None = None,
    *,
    dry_run: bool = False,
    anyway: bool = False,
    at: datetime | None = None,
) -> Reading:
    return reconcile(
        city.sender_id,
        OneByOne(SETTINGS, SIMULATOR),
        line or Line(city.client),
        dry_run=dry_run,
        anyway=anyway,
        by="ops",
        controller=city.newsroom.controller,
        now=at or utcnow(),
    )


def states(city: ChatCity) -> list[str | None]:
    return [city.state(one) for one in (ADA, GRACE)]


def check(city: ChatCity) -> Check:
    db.session.rollback()
    newsroom = city.newsroom
    found = doctor(pulse=FakePulse(), around=AROUND, controller=newsroom.controller, now=newsroom.now)
    return next(one for one in found if one.name == "followers")


def test_whoever_is_not_among_the_followers_any_more_has_left_with_proof(city: ChatCity) -> None:
    city.comes(JEAN)
    leaves_unheard(city, GRACE)

    at = utcnow()

    counted, done, again = read(city, dry_run=True), read(city, at=at), read(city)

    assert (counted.followers, counted.ours, counted.missing, counted.left) == (2, 2, 1, 0)
    assert (done.missing, done.left, again.ours, again.left) == (1, 1, 1, 0)
    assert (states(city), city.state(JEAN)) == (["active", "stopped"], None)
    last = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc()).limit(1)).one()
    assert (last.event_type, last.act, last.scope) == ("consent_withdrawn", "provider_signal", "all")
    evidence = evidence_of(last, city)
    assert evidence["event"] == f"not among the followers on {at:%Y-%m-%d}"
    assert city.broadcast("The bridge is open.") == ["sent"]


def evidence_of(event: ConsentEvent, city: ChatCity) -> dict[str, str]:
    row = db.session.get_one(ConsentPii, event.event_id)
    wrapped = db.session.get_one(Subject, event.subject_ref).wrapped_key
    found: dict[str, str] = open_pii(row.sealed, wrapped, city.newsroom.controller.keys)
    return found


def test_what_a_platform_itself_says_is_proof_too(city: ChatCity) -> None:
    city.blocks(GRACE)

    last = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc()).limit(1)).one()
    assert evidence_of(last, city)["event"] == "unfollow"


def test_whoever_comes_back_while_the_list_is_read_stays(city: ChatCity) -> None:
    leaves_unheard(city, GRACE)

    def unblocks() -> None:
        if (GRACE, city.account.address) in city.world.chats.blocks:
            city.world.chats.block(GRACE, city.account, False)

    found = read(city, Meanwhile(city, unblocks))

    assert (found.followers, found.missing, states(city)) == (1, 0, ["active", "active"])
    long_ago(city.newsroom)
    city.world.chats.opened.discard((GRACE, city.account.address))
    city.newsroom.text("HELP", city.newsroom.join(1)[0])  # somebody on another channel is none of LINE's
    found = read(city, Meanwhile(city, lambda: city.says(GRACE, "HELP")))
    assert (found.missing, states(city)) == (0, ["active", "active"])


def test_a_list_that_breaks_off_takes_nobody_out(city: ChatCity) -> None:
    leaves_unheard(city, ADA)
    leaves_unheard(city, GRACE)
    for phone in (JEAN, "+12025550153"):
        city.comes(phone)

    def token_is_revoked() -> None:
        city.world.chats.accounts.clear()

    with pytest.raises(CannotList, match="LINE answered 401"):
        read(city, Meanwhile(city, token_is_revoked))

    assert states(city) == ["active", "active"]


def test_an_empty_list_is_not_believed_unless_an_operator_says_so(city: ChatCity) -> None:
    for phone in (ADA, GRACE):
        leaves_unheard(city, phone)

    held = read(city)

    assert (held.outcome, held.left, states(city)) == (Outcome.HELD, 0, ["active", "active"])
    seen = check(city)
    assert (seen.health, seen.found) == (
        Health.WARN,
        "2 of 2 people are not among the 0 followers of “city”, which is too many to be believed; nothing was changed",
    )
    assert "tidings senders followers city --anyway" in seen.advice
    assert is_known(seen.found)
    assert is_known(seen.advice)
    assert (read(city, anyway=True).left, states(city)) == (2, ["stopped", "stopped"])
    assert check(city).health is Health.OK
    (deed,) = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "sender.followers"))
    assert (deed.actor, deed.details) == ("ops", {"followers": 0, "ours": 2, "people": 2, "anyway": True})


def test_of_one_person_a_list_is_believed_once(city: ChatCity) -> None:
    """LINE lists nobody who uses it without a phone: whoever comes back by a word of theirs is not taken out again."""
    leaves_unheard(city, GRACE)
    read(city)
    comes_back_unheard(city, GRACE)
    city.says(GRACE, "CITY")
    long_ago(city.newsroom)
    leaves_unheard(city, GRACE)

    found = read(city)

    assert (found.ours, found.left, states(city)) == (1, 0, ["active", "active"])


def test_whoever_is_on_a_list_of_another_account_too_may_follow_only_that_one(
    city: ChatCity, newsroom: Newsroom
) -> None:
    newsroom.new_list("Sport", "SPORT")
    manage_senders.add(
        name="sport",
        gateway=gateway_class("line"),
        settings={**SETTINGS, "id": "@sport"},
        base_url=SIMULATOR,
        rate=None,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )
    add_sender("SPORT", "sport", by="tests", now=newsroom.now)
    with transaction() as session:
        sport = session.scalar(select(Subscription.list_id).order_by(Subscription.list_id.desc())) or 0
        grace = session.scalars(select(Subscriber).where(Subscriber.address.contains("447700900118"))).one()
        other = session.scalars(select(Subscription).where(Subscription.subscriber_id == grace.id)).one()
        session.add(
            Subscription(
                list_id=sport + 1, subscriber_id=grace.id, state="active", granted_at=other.granted_at
            )
        )
    leaves_unheard(city, GRACE)

    found = read(city)

    assert (found.ours, found.missing, states(city)[0]) == (1, 0, "active")


def test_a_platform_that_shows_no_list_is_asked_again_tomorrow_and_one_that_fails_in_an_hour(
    city: ChatCity,
) -> None:
    newsroom = city.newsroom
    newsroom.now = newsroom.now.replace(hour=12, minute=0, second=0, microsecond=0)
    city.account.settings["verified"] = "no"

    def due() -> list[int]:
        return list(reconcile_followers.claim({"line"}, newsroom.now))

    assert (due(), due()) == ([city.sender_id], [])
    with pytest.raises(NotOffered) as refused:
        read(city, at=newsroom.now)
    reconcile_followers.not_read(city.sender_id, refused.value, newsroom.now)
    newsroom.later(hours=11, minutes=59)
    assert due() == []
    said = check(city)
    assert (said.health, "known from webhooks alone: LINE lists" in said.found) == (Health.OK, True)
    assert is_known(said.found)
    newsroom.later(minutes=1)
    assert due() == [city.sender_id]

    reconcile_followers.not_read(city.sender_id, CannotList("there was no answer (timeout)"), newsroom.now)
    newsroom.later(minutes=59)
    assert (due(), check(city).health) == ([], Health.OK)
    newsroom.later(minutes=1)
    assert due() == [city.sender_id]
    reconcile_followers.not_read(city.sender_id, CannotList("there was no answer (timeout)"), newsroom.now)
    newsroom.later(days=4)
    late = check(city)
    assert (late.health, is_known(late.found), is_known(late.advice)) == (Health.WARN, True, True)

    del city.account.settings["verified"]
    read(city, at=newsroom.now)
    assert (due(), check(city).health) == ([], Health.OK)


def test_a_sender_whose_platform_has_no_such_list_is_refused(city: ChatCity, newsroom: Newsroom) -> None:
    with pytest.raises(Refused, match="lists no followers"):
        reconcile(
            newsroom.sender_id,
            object(),
            Line(city.client),
            by="ops",
            controller=newsroom.controller,
            now=newsroom.now,
        )


def test_nobody_is_added_by_a_list(city: ChatCity) -> None:
    before = db.session.scalar(select(func.count()).select_from(Subscriber))
    city.world.chats.opened.add((JEAN, city.account.address))  # a follow that we never heard of

    assert read(city).followers == 3
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Subscriber)) == before
