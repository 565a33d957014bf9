"""Double opt-in: one question on the very address, answered there or by its link, and never a way around a STOP."""

import re

import pytest
from sqlalchemy import select

from app.domain.addresses import Address
from app.domain.asking import Who, WhyNot
from app.domain.pace import Grant
from app.domain.retention import read_periods
from app.services import manage_subscribers
from app.services.ask_again import AskedAgain, ask_again, to_ask
from app.services.confirm_by_link import confirm, look
from app.services.controller import NotFound, Refused
from app.services.find_people import person
from app.services.join_list import Form, join_page, sign_up
from app.services.let_time_pass import let_time_pass
from app.services.lists_of_sender import present_notice
from app.services.questions import SignUp
from app.services.rebuild_subscriptions import rebuild
from app.services.request_consent import Asked, request_consent, request_consents
from app.services.rights.export_person import export
from app.services.rights.retention import purge
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, ConsentPii, OwnMessage, Subscriber, Subscription
from tests.support.world import Newsroom, number

ADA = number(1)
LINK = "http://localhost/confirm"
RULES_OF_DAYS = read_periods("")


def fill_in(newsroom: Newsroom, to: str = ADA, list_id: int | None = None) -> int | None:
    list_id = list_id or newsroom.list_id
    notice = present_notice(db.session(), list_id, "en")
    evidence = {"form_id": "join:CITY", "checkbox_state": "ticked by the person", "ip": "192.0.2.7"}
    form = Form(list_id, notice.id, Address("sms", to), "en", "web:/join/CITY", evidence)
    return sign_up(form, link=LINK, controller=newsroom.controller, now=newsroom.now)


def ask(newsroom: Newsroom, to: str = ADA, list_name: str = "City") -> Asked:
    return request_consent(
        to,
        list_name=list_name,
        evidence="card of 3 March",
        link=LINK,
        by="ada",
        controller=newsroom.controller,
        now=newsroom.now,
    )


def heard(newsroom: Newsroom) -> list[str]:
    """What the phones get now."""
    newsroom.provider.arrived.clear()
    newsroom.send_replies()
    return [body for _, body in newsroom.provider.arrived]


def state(newsroom: Newsroom, list_id: int | None = None) -> str:
    db.session.rollback()
    row = db.session.scalar(select(Subscription).where(Subscription.list_id == (list_id or newsroom.list_id)))
    return row.state if row else "unknown"


def events() -> list[str]:
    db.session.rollback()
    return [event.event_type for event in db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq))]


def last() -> ConsentEvent:
    db.session.rollback()
    return db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc())).first()


def code_in(text: str) -> str:
    return re.search(r"/confirm/(\w+)$", text)[1]


def test_t20_a_form_leads_to_one_question_and_a_yes_to_it_subscribes_with_the_notice_that_was_shown(
    newsroom: Newsroom,
) -> None:
    newsroom.now = newsroom.now.replace(hour=3)  # at night, but whoever filled in the form is awake

    sender_id = fill_in(newsroom)

    assert sender_id == newsroom.sender_id
    assert events() == ["signup_recorded", "consent_requested"]
    assert state(newsroom) == "pending"
    (asked,) = heard(newsroom)
    assert asked.startswith("Riverside News: do you want City on this number? At most 3 a day, 0 to 24 h.")
    assert "Reply YES to confirm. If you did not ask for it, do nothing or reply STOP." in asked
    assert len(code_in(asked)) >= 6
    request = last()

    newsroom.later(hours=2)
    newsroom.text("YES", ADA)

    assert state(newsroom) == "active"
    assert (last().act, last().question_event_id) == ("doi_reply", request.event_id)
    assert (last().notice_sha256, last().notice_version) == (request.notice_sha256, 1)
    assert heard(newsroom)[0].startswith("Riverside News: you asked for City.")
    assert rebuild(controller=newsroom.controller, now=newsroom.now, repair=False).differing == 0


def test_the_evidence_of_a_form_is_sealed_in_the_ledger_and_given_to_the_person(newsroom: Newsroom) -> None:
    fill_in(newsroom)
    heard(newsroom)

    db.session.rollback()
    found = db.session.scalars(select(Subscriber)).one()
    pack = export(
        found.id,
        language="en",
        periods=RULES_OF_DAYS,
        by="ada",
        controller=newsroom.controller,
        now=newsroom.now,
    )

    entries = pack["consent"]
    assert entries[0]["personal"]["data"]["ip"] == "192.0.2.7"
    assert entries[0]["personal"]["data"]["checkbox_state"] == "ticked by the person"
    assert "YES" in entries[1]["personal"]["data"]["text"]
    assert any("YES" in (message["text"] or "") for message in pack["messages_out"])


def test_t9_a_yes_answers_the_question_asked_last_and_no_other(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.text("YES", ADA)
    assert state(newsroom) == "unknown"

    fill_in(newsroom, list_id=sport)
    newsroom.text("YES", ADA)

    assert (state(newsroom), state(newsroom, sport)) == ("unknown", "active")


def test_t20_none_is_asked_twice_while_a_question_is_open_nor_a_fourth_time_in_thirty_days_on_any_list(
    newsroom: Newsroom,
) -> None:
    other = newsroom.new_list("Sport", "SPORT")
    assert fill_in(newsroom)
    assert fill_in(newsroom) is None
    with pytest.raises(Refused, match="asked already"):
        ask(newsroom)
    assert fill_in(newsroom, list_id=other)
    newsroom.later(hours=73)
    assert let_time_pass(controller=newsroom.controller, now=newsroom.now).expired == 2
    assert state(newsroom) == "unknown"
    assert fill_in(newsroom)
    newsroom.later(hours=73)

    assert fill_in(newsroom, list_id=other) is None
    with pytest.raises(Refused, match=r"asked 3 times in 30 days"):
        ask(newsroom, list_name="Sport")
    newsroom.later(days=25)
    assert fill_in(newsroom, list_id=other)


def test_t20_none_is_asked_who_is_suppressed_subscribed_or_has_left_and_the_form_tells_nobody(
    newsroom: Newsroom,
) -> None:
    newsroom.text("START", number(2))
    newsroom.text("STOP", number(3))
    manage_subscribers.suppress(
        ADA, reason="court order", by="ada", controller=newsroom.controller, now=newsroom.now
    )
    before = events()
    heard(newsroom)

    for to, why in (
        (ADA, "is suppressed"),
        (number(2), "is on this list already"),
        (number(3), "said STOP"),
    ):
        assert fill_in(newsroom, to) is None
        with pytest.raises(Refused, match=why):
            ask(newsroom, to)

    assert events() == before
    assert heard(newsroom) == []
    assert state(newsroom) == "active"


def test_whoever_left_long_ago_may_come_back_by_the_form_once_and_only_by_answering(
    newsroom: Newsroom,
) -> None:
    newsroom.text("START", ADA)
    newsroom.text("STOP", ADA)
    newsroom.later(days=31)

    assert fill_in(newsroom)
    assert state(newsroom) == "stopped"
    newsroom.later(days=31)
    assert fill_in(newsroom) is None
    newsroom.text("YES", ADA)
    assert state(newsroom) == "stopped"


def test_a_stop_or_a_no_before_the_question_left_keeps_it_here(newsroom: Newsroom) -> None:
    fill_in(newsroom)
    newsroom.text("STOP", ADA)

    assert state(newsroom) == "stopped"
    assert "consent_refused" in events()
    assert [text for text in heard(newsroom) if "YES" in text] == []


def test_the_link_shows_the_notice_confirms_once_and_expires(newsroom: Newsroom) -> None:
    fill_in(newsroom)
    fill_in(newsroom, number(2))
    codes = [code_in(text) for text in sorted(heard(newsroom))]
    looked = look(codes[0], controller=newsroom.controller, now=newsroom.now)
    assert looked.list_name == "City"
    assert state(newsroom) == "pending"

    sender_id = confirm(
        codes[0], evidence={"ip": "192.0.2.8"}, controller=newsroom.controller, now=newsroom.now
    )

    assert sender_id == newsroom.sender_id
    assert (last().act, last().event_type, last().actor) == ("doi_link", "consent_given", "person")
    assert last().question_event_id is not None
    assert heard(newsroom) == [looked.notice_text]
    with pytest.raises(NotFound, match="used already"):
        confirm(codes[0], evidence={}, controller=newsroom.controller, now=newsroom.now)
    newsroom.later(hours=72, seconds=1)
    with pytest.raises(NotFound, match="older than three days"):
        confirm(codes[1], evidence={}, controller=newsroom.controller, now=newsroom.now)
    assert rebuild(controller=newsroom.controller, now=newsroom.now, repair=False).differing == 0


def test_an_operators_question_waits_for_the_hours_of_the_place_and_is_looked_at_again_then(
    newsroom: Newsroom,
) -> None:
    newsroom.new_list("Sport", "SPORT", any_hour="")
    asked = ask(newsroom, "+12125550101", "Sport")  # New York: seven in the morning

    assert asked.goes_at.isoformat() == "2026-03-02T14:00:00+00:00"
    assert (asked.open_until - asked.goes_at).total_seconds() == 72 * 3600
    assert heard(newsroom) == []
    newsroom.now = asked.goes_at.replace(hour=3, day=3)  # the machine was down until the night
    assert heard(newsroom) == []
    newsroom.now = newsroom.now.replace(hour=14)
    assert "do you want Sport" in heard(newsroom)[0]


@pytest.mark.parametrize(
    ("evidence", "list_name", "why"),
    [
        (" ", "City", "Say who asked for it"),
        ("x" * 301, "City", "has 301 characters"),
        ("card", "Gratis", "the list's name says “Gratis”"),
        ("card", "Nowhere", "There is no list"),
    ],
)
def test_a_request_without_evidence_or_with_advertising_is_refused(
    newsroom: Newsroom, evidence: str, list_name: str, why: str
) -> None:
    newsroom.new_list("Gratis Pizza", "GRATIS")

    with pytest.raises(Refused, match=why):
        request_consent(
            ADA,
            list_name=list_name,
            evidence=evidence,
            link=LINK,
            by="ada",
            controller=newsroom.controller,
            now=newsroom.now,
        )

    assert events() == []
    assert join_page("gratis", "en", controller=newsroom.controller).by_form is False


def test_an_import_asks_many_at_once_and_goes_at_the_senders_pace(newsroom: Newsroom) -> None:
    newsroom.text("STOP", number(0))
    heard(newsroom)
    addresses = [Address("sms", number(index)) for index in range(25)]
    wish = SignUp(
        Who.IMPORT,
        LINK,
        by="ada",
        cta_ref="import:abc",
        evidence_of={addresses[1]: {"consent_source": "card 17"}},
    )

    with transaction() as session:
        answers = request_consents(
            session,
            [*addresses, addresses[1]],
            newsroom.list_id,
            wish,
            controller=newsroom.controller,
            now=newsroom.now,
        )

    assert answers.refused == {addresses[0]: WhyNot.STOPPED}
    assert len(answers.asked) == 24
    assert events().count("signup_recorded") == events().count("consent_requested") == 24
    newsroom.throttle.take = lambda ask: Grant(min(len(ask.costs), 3))
    sizes = []
    while texts := heard(newsroom):
        sizes.append(len(texts))
        newsroom.later(seconds=1)
    assert sizes == [3] * 8
    assert len({code_in(text) for text in texts_of(newsroom)}) == 24


def texts_of(newsroom: Newsroom) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(OwnMessage.text)))


def test_who_never_confirms_is_forgotten_after_thirty_days_and_only_counters_stay(newsroom: Newsroom) -> None:
    fill_in(newsroom)
    heard(newsroom)
    newsroom.later(hours=73)
    let_time_pass(controller=newsroom.controller, now=newsroom.now)
    newsroom.later(days=30)

    run = purge(by="tests", periods=RULES_OF_DAYS, controller=newsroom.controller, now=newsroom.now)

    assert run.counts["signups"] == 1
    db.session.rollback()
    found = db.session.scalars(select(Subscriber)).one()
    assert found.address.startswith("erased:")
    assert list(db.session.scalars(select(OwnMessage))) == []
    assert list(db.session.scalars(select(ConsentPii))) == []
    assert person(found.id).overlays
    # Nobody said no: the same number may be signed up again.
    assert fill_in(newsroom)


def test_row_39_a_new_purpose_is_asked_about_and_only_a_yes_goes_on(newsroom: Newsroom) -> None:
    newsroom.join(3)  # Ada is the second of them

    def again() -> AskedAgain:
        return ask_again(
            newsroom.list_id, link=LINK, by="ada", controller=newsroom.controller, now=newsroom.now
        )

    with pytest.raises(Refused, match="nobody to ask again"):
        again()
    newsroom.change_purpose(newsroom.list_id, "News of City", "Road works and road closures")
    newsroom.text("START", number(8))
    heard(newsroom)
    newsroom.text("please don't text me at night", number(2))  # held: not asked now

    done = again()

    assert (done.asked, done.left) == (2, 1)
    questions = heard(newsroom)
    assert len(questions) == 2
    assert all("From now on: Road works and road closures." in words for words in questions)
    newsroom.text("YES", ADA)
    newsroom.broadcast()
    newsroom.provider.arrived.clear()
    newsroom.send()
    assert {to for to, body in newsroom.provider.arrived if "bridge" in body} == {ADA, number(8)}
    assert to_ask(newsroom.list_id, controller=newsroom.controller) == 1
    newsroom.later(hours=73)
    let_time_pass(controller=newsroom.controller, now=newsroom.now)
    states = db.session.execute(
        select(Subscriber.address, Subscription.state).join(
            Subscription, Subscription.subscriber_id == Subscriber.id
        )
    )
    assert dict(states.all())[number(0)] == "unknown"
    asked = db.session.scalars(
        select(ConsentEvent).where(ConsentEvent.event_type == "consent_requested")
    ).all()
    assert {(one.act, one.purpose) for one in asked} == {("operator", "Road works and road closures")}
    assert rebuild(controller=newsroom.controller, now=newsroom.now, repair=False).differing == 0


def test_row_39_people_are_not_woken_by_the_question(newsroom: Newsroom) -> None:
    night = newsroom.new_list("Night", "NIGHT", any_hour="")
    newsroom.text("NIGHT")
    heard(newsroom)
    newsroom.change_purpose(night, "News of Night", "Something else")
    newsroom.now = newsroom.now.replace(hour=6)  # before dawn in New York

    ask_again(night, link=LINK, by="ada", controller=newsroom.controller, now=newsroom.now)

    assert heard(newsroom) == []
    newsroom.later(hours=12)
    assert len(heard(newsroom)) == 1
