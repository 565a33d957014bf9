"""A test of a draft goes to testers by the real lane, and leaves no trace in what editors count."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.gateways.base import Reply
from app.services import calendar, fan_out, hold_back, manage_senders, send_tests, testers, watch_broadcasts
from app.services.controller import NotFound, Refused
from app.services.figures import read
from app.services.write_drafts import create_draft
from app.storage import models
from app.storage.database import db, transaction
from app.storage.models import AuditEntry, Broadcast, ConsentEvent, Delivery, InboundRow, Subscriber, User
from app.storage.models.accounts import Role
from tests.support.world import Newsroom, number

PHONE = number(7)


def new_user(newsroom: Newsroom, name: str = "Ada Berg") -> int:
    with transaction() as session:
        email = f"{name.split()[0].lower()}@example.com"
        user = User(name=name, email=email, password_hash="-", role=Role.EDITOR, created_at=newsroom.now)
        session.add(user)
        session.flush()
        return user.id


def new_tester(newsroom: Newsroom, phone: str = PHONE, name: str = "Ada Berg") -> int:
    """Let somebody prove a number as they do: with a text from it."""
    user_id = new_user(newsroom, name)
    newsroom.text(testers.begin(user_id, now=newsroom.now).lower(), phone)
    newsroom.later(seconds=1)
    (one,) = testers.addresses(user_id=user_id)
    return one.id


def draft(newsroom: Newsroom, text: str = "The bridge is open.", rich: Rich | None = None) -> int:
    return create_draft(
        title="Bridge",
        text=text,
        list_ids=[newsroom.list_id],
        rich={"": rich} if rich else {},
        by="Ada Berg (#1)",
        now=newsroom.now,
    )


def try_out(newsroom: Newsroom, broadcast_id: int, ids: Sequence[int], mark: str = send_tests.MARK) -> int:
    return send_tests.send(
        broadcast_id, ids, mark=mark, by="ada", controller=newsroom.controller, now=newsroom.now
    )


def statuses(broadcast_id: int) -> list[tuple[str, int, str | None]]:
    db.session.rollback()
    return [(one.address, one.status, one.reason) for one in send_tests.results(broadcast_id)]


def test_a_draft_goes_to_a_tester_as_it_is_and_stays_a_draft(newsroom: Newsroom) -> None:
    tester = new_tester(newsroom)
    with transaction() as session:
        session.execute(
            update(Subscriber).where(Subscriber.address == PHONE).values(attributes={"city": "Bern"})
        )
    button = Rich(buttons=(Button(ButtonKind.LINK, "Map", "https://example.com/map"),))
    one = draft(newsroom, "Hello {{first_name|friend}} in {{city|town}}.", button)

    test_id = try_out(newsroom, one, [tester])
    newsroom.send()

    ((to, body),) = newsroom.provider.arrived
    assert to == PHONE
    assert body.startswith("[Test] Hello friend in Bern.")
    assert "https://example.com/map" in body
    assert statuses(one) == [(PHONE, DeliveryStatus.SENT, None)]
    found = db.session.get_one(Broadcast, one)
    assert (found.state, found.revision, found.text[:5]) == (BroadcastState.DRAFT, 1, "Hello")
    assert db.session.get_one(Broadcast, test_id).state == BroadcastState.FINISHED
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "broadcast.test")).one()
    assert (entry.actor, entry.subject, entry.details) == ("ada", f"broadcast {one}", {"people": 1})


def test_without_its_mark_a_test_reads_as_the_broadcast_will(newsroom: Newsroom) -> None:
    tester = new_tester(newsroom)

    try_out(newsroom, draft(newsroom), [tester], mark="")
    newsroom.send()

    assert newsroom.provider.arrived == [(PHONE, "The bridge is open.")]


def test_the_delivery_names_the_text_by_which_the_tester_agreed(newsroom: Newsroom) -> None:
    tester = new_tester(newsroom)

    test_id = try_out(newsroom, draft(newsroom), [tester])

    delivery = db.session.scalars(select(Delivery).where(Delivery.broadcast_id == test_id)).one()
    event = db.session.scalars(select(ConsentEvent).where(ConsentEvent.seq == delivery.consent_seq)).one()
    assert (event.event_type, event.matched_rule) == ("endpoint_changed", "tester")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_stop_from_the_address_ends_its_tests_at_once(newsroom: Newsroom, when: str) -> None:
    """Before the test is asked for, and while it waits for its lane."""
    tester, one = new_tester(newsroom), draft(newsroom)
    if when == "before":
        newsroom.text("STOP", PHONE)
    try_out(newsroom, one, [tester])
    if when == "after":
        newsroom.text("STOP", PHONE)
    newsroom.send()

    assert [body for _, body in newsroom.provider.arrived if "bridge" in body] == []
    assert statuses(one) == [(PHONE, DeliveryStatus.SKIPPED, "stopped")]
    assert [tester.open for tester in testers.addresses()] == [False]
    assert _running() == 0


def test_after_a_stop_only_a_new_code_from_there_lets_tests_go_again(newsroom: Newsroom) -> None:
    new_tester(newsroom)
    newsroom.text("STOP", PHONE)
    newsroom.later(seconds=1)

    tester = new_tester(newsroom, name="Ed Berg")
    one = draft(newsroom)
    try_out(newsroom, one, [tester])
    newsroom.send()

    assert statuses(one) == [(PHONE, DeliveryStatus.SENT, None)]
    assert [one.name for one in testers.addresses()] == ["Ed Berg"]  # the address has one owner


def test_a_suppressed_tester_gets_nothing(newsroom: Newsroom) -> None:
    tester, one = new_tester(newsroom), draft(newsroom)
    with transaction() as session:
        session.execute(update(Subscriber).values(suppressed_at=newsroom.now))

    try_out(newsroom, one, [tester])
    newsroom.send()

    assert newsroom.provider.arrived == []
    assert statuses(one) == [(PHONE, DeliveryStatus.SKIPPED, "suppressed")]


def test_what_the_provider_refuses_is_shown_with_its_code(newsroom: Newsroom) -> None:
    tester, one = new_tester(newsroom), draft(newsroom)
    newsroom.provider.answer = lambda to, body: Reply(400, b'{"code": 21211, "message": "as documented"}')

    try_out(newsroom, one, [tester])
    newsroom.send()

    (result,) = send_tests.results(one)
    assert (result.status, result.error_code) == (DeliveryStatus.FAILED, "21211")
    assert not send_tests.unsettled([result], newsroom.now)


def test_a_test_is_tried_again_and_ends_by_the_clock(newsroom: Newsroom) -> None:
    tester, one = new_tester(newsroom), draft(newsroom)
    answers = iter([Reply(500, b"{}"), Reply(201, b'{"sid": "SM1"}')])
    newsroom.provider.answer = lambda to, body: next(answers)

    try_out(newsroom, one, [tester])
    newsroom.send()
    assert _running() == 1
    newsroom.later(minutes=5)
    fan_out.bring_back(newsroom.now)
    newsroom.send()

    assert statuses(one) == [(PHONE, DeliveryStatus.SENT, None)]
    assert _running() == 0


def test_a_test_counts_nowhere(newsroom: Newsroom) -> None:
    """The tester is a subscriber, too: not of the day's cap, not of the promise, no report, no calendar."""
    newsroom.join(1, first=7)
    tester, one = new_tester(newsroom), draft(newsroom)
    for _ in range(4):
        try_out(newsroom, one, [tester])
    newsroom.send()
    since, until = newsroom.now - timedelta(days=1), newsroom.now + timedelta(days=1)
    session = db.session()
    broadcast = session.get_one(Broadcast, one)
    lists = [session.get_one(models.BroadcastList, newsroom.list_id)]

    assert read.broadcasts(session, since=since, until=until) == []
    assert calendar.entries(since, until, now=newsroom.now) == []
    assert hold_back.recent_and_cap(session, broadcast, lists, newsroom.now)[0] == ()
    assert session.scalar(select(func.count()).select_from(models.ListDay)) == 0
    session.rollback()
    newsroom.provider.arrived.clear()
    newsroom.broadcast("News.")
    newsroom.send()
    assert newsroom.provider.arrived == [(PHONE, "News.")]


def test_a_test_cannot_be_changed_as_a_broadcast(newsroom: Newsroom) -> None:
    tester = new_tester(newsroom)
    test_id = try_out(newsroom, draft(newsroom), [tester])

    with pytest.raises(NotFound):
        watch_broadcasts.release(test_id, by="ada", now=newsroom.now)


def test_what_cannot_be_tried_out_is_refused_with_the_reason(newsroom: Newsroom) -> None:
    newsroom.join(1)
    tester, one, empty = new_tester(newsroom), draft(newsroom), draft(newsroom, text="")
    started = newsroom.broadcast("News.")
    newsroom.send()

    with pytest.raises(Refused, match="only one that has not begun"):
        try_out(newsroom, started, [tester])
    with pytest.raises(Refused, match="no words to try out"):
        try_out(newsroom, empty, [tester])
    with pytest.raises(Refused, match="at least one tester"):
        try_out(newsroom, one, [77])
    manage_senders.pause("city-desk", reason="repairs", by="ada", now=newsroom.now)
    with pytest.raises(Refused, match="The sender is paused"):
        try_out(newsroom, one, [tester])
    assert [choice.problem for choice in send_tests.choices(one)] == ["The sender is paused."]


def test_a_code_proves_an_address_once_and_for_half_an_hour(newsroom: Newsroom) -> None:
    user_id = new_user(newsroom)
    late = testers.begin(user_id, now=newsroom.now)
    newsroom.later(minutes=31)
    newsroom.text(late, PHONE)
    assert [one.address for one in testers.addresses()] == [""]

    code = testers.begin(user_id, now=newsroom.now)
    newsroom.text(f" {code}\n", PHONE)
    newsroom.text(code, number(8))
    newsroom.send_replies()

    assert [(one.name, one.address) for one in testers.addresses()] == [("Ada Berg", PHONE)]
    assert newsroom.provider.arrived == []  # nobody is answered, and nothing is sent to an unproved address
    unread = select(InboundRow.text).where(InboundRow.read_at.is_(None))
    assert db.session.scalars(unread).all() == [late, code]


def test_testers_are_found_by_name_and_removed_by_themselves_or_an_admin(newsroom: Newsroom) -> None:
    tester, other = new_tester(newsroom), new_tester(newsroom, number(8), "Ed Berg")

    assert send_tests.named(["ada berg", "ed@example.com"]) == [tester, other]
    with pytest.raises(NotFound, match="Testers: Ada Berg, Ed Berg"):
        send_tests.named(["Eve"])
    ada = testers.addresses()[0].user_id
    with pytest.raises(NotFound):
        testers.remove(other, of_user=ada, by="Ada Berg (#1)", now=newsroom.now)
    testers.remove(other, of_user=None, by="admin", now=newsroom.now)
    testers.remove(tester, of_user=ada, by="Ada Berg (#1)", now=newsroom.now)
    assert testers.addresses() == []


def _running() -> int:
    db.session.rollback()
    running = select(func.count()).where(Broadcast.state == BroadcastState.SENDING.value)
    return db.session.scalar(running) or 0


def test_no_receipt_is_awaited_from_a_platform_that_sends_none(newsroom: Newsroom) -> None:
    tester, one = new_tester(newsroom), draft(newsroom)
    try_out(newsroom, one, [tester])
    newsroom.send()

    (told,) = send_tests.results(one)
    with transaction() as session:
        session.execute(update(models.Sender).values(gateway="telegram"))
    (silent,) = send_tests.results(one)

    assert (told.nothing_more, send_tests.unsettled([told], newsroom.now)) == (False, True)
    assert (silent.nothing_more, send_tests.unsettled([silent], newsroom.now)) == (True, False)
