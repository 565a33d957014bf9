"""Numbers that were given back: what was agreed to there ends, what was since stays, strangers leave no trace."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from app.desk.refusals import is_known
from app.gateways.base import Call, Reply
from app.gateways.given_back import CannotRead, NoSuchDay
from app.gateways.twilio import TwilioGateway
from app.services import given_back_days, suppression_files
from app.services.check_health import Health, doctor
from app.services.close_given_back import GivenBack, close_given_back
from app.services.given_back_days import Due
from app.services.manage_senders import rotate_secrets
from app.services.rebuild_subscriptions import rebuild
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Subscriber, Subscription
from tests.services.test_check_health import AROUND, FakePulse
from tests.support.world import ACCOUNT, NUMBER, TOKEN, Newsroom, number

FILE = "https://files.example.org/day.txt?signed=1"
DAY = date(2026, 3, 2)


class Carrier:
    """Twilio's redirect and the store behind it, which sends ranges of one file."""

    free, in_flight = 1, 0

    def __init__(self, *numbers: str, broken_after: int | None = None) -> None:
        self.body = "".join(f"{one}\n" for one in numbers).encode()
        self.calls: list[Call] = []
        self._broken_after = broken_after

    def submit(self, call: Call) -> None:
        self.calls.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        return [(self.calls[-1], self._answer(self.calls[-1]))]

    def _answer(self, call: Call) -> Reply:
        if "Deactivations" in call.url:
            return Reply(307, headers={"location": FILE})
        first, last = (int(one) for one in call.headers["Range"].removeprefix("bytes=").split("-"))
        if self._broken_after is not None and first >= self._broken_after:
            return Reply(403, b"<Error><Code>AccessDenied</Code></Error>")
        part = self.body[first : last + 1]
        within = f"bytes {first}-{first + len(part) - 1}/{len(self.body)}"
        return Reply(206, part, {"content-range": within, "etag": '"1"'})

    def close(self) -> None:
        """Nothing is open."""


def gateway() -> TwilioGateway:
    return TwilioGateway({"account_sid": ACCOUNT, "auth_token": TOKEN, "from": NUMBER})


def read(newsroom: Newsroom, carrier: Carrier, day: date = DAY, *, dry_run: bool = False) -> GivenBack:
    return close_given_back(
        newsroom.sender_id,
        gateway(),
        carrier,
        day,
        dry_run=dry_run,
        by="system",
        controller=newsroom.controller,
        now=newsroom.now,
    )


def states(at: str) -> list[str]:
    db.session.rollback()
    rows = select(Subscription.state).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    return list(db.session.scalars(rows.where(Subscriber.address == at).order_by(Subscription.list_id)))


def entries() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(ConsentEvent)) or 0


def test_what_was_agreed_to_at_a_number_given_back_ends_until_somebody_there_says_start(
    newsroom: Newsroom,
) -> None:
    anna, bert = newsroom.join(2)
    with transaction() as session:
        session.scalars(select(Subscriber).where(Subscriber.address == anna)).one().attributes = {
            "first_name": "Anna"
        }
    newsroom.later(days=2)
    before = entries()

    done = read(newsroom, Carrier(anna, anna.removeprefix("+"), number(7), "no number"))
    again = read(newsroom, Carrier(anna))

    assert (done.numbers, done.unread, done.people, again.people) == (3, 1, 1, 0)
    assert (states(anna), states(bert), entries()) == (["stopped"], ["active"], before + 1)
    last = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc())).first()
    assert (last.event_type, last.act, last.scope) == ("consent_invalidated", "provider_signal", "all")
    assert suppression_files.check(anna, controller=newsroom.controller)
    newsroom.text("YES", anna)
    assert states(anna) == ["stopped"]
    newsroom.text("START", anna)
    assert states(anna) == ["active"]
    person = db.session.scalars(select(Subscriber).where(Subscriber.address == anna)).one()
    assert (person.suppressed_at, person.attributes) == (None, {})
    assert rebuild(controller=newsroom.controller, now=newsroom.now, repair=False).differing == 0


def test_what_the_next_owner_agreed_to_stays_and_what_the_former_one_did_ends(newsroom: Newsroom) -> None:
    newsroom.new_list("Sport", "SPORT")
    (anna,) = newsroom.join(1)
    newsroom.later(days=2)
    newsroom.text("SPORT", anna)

    assert read(newsroom, Carrier(anna)).people == 1

    assert states(anna) == ["stopped", "active"]
    assert not suppression_files.check(anna, controller=newsroom.controller)
    assert read(newsroom, Carrier(anna)).people == 0


def test_a_number_that_is_not_ours_leaves_no_trace_and_a_dry_run_changes_nothing(newsroom: Newsroom) -> None:
    (anna,) = newsroom.join(1)
    newsroom.later(days=2)
    before = entries()

    assert read(newsroom, Carrier(anna, number(9)), dry_run=True).people == 1
    assert read(newsroom, Carrier(number(9))).people == 0

    assert (entries(), states(anna)) == (before, ["active"])
    assert not suppression_files.check(number(9), controller=newsroom.controller)


def test_a_reading_that_breaks_off_keeps_what_it_did_and_is_done_again(newsroom: Newsroom) -> None:
    anna, bert = newsroom.join(2)
    newsroom.later(days=2)
    fill = [number(100 + index % 1000) for index in range(8000)]
    with pytest.raises(CannotRead, match="403"):
        read(newsroom, Carrier(anna, *fill, bert, broken_after=64 * 1024))
    assert (states(anna), states(bert)) == (["stopped"], ["active"])

    whole = Carrier(anna, *fill, bert)
    assert read(newsroom, whole).people == 1

    assert states(bert) == ["stopped"]
    files = [call for call in whole.calls if call.url == FILE]
    assert len(files) == 2
    assert all(call.basic_auth is None and call.public_only for call in files)


def test_each_day_is_read_once_and_a_day_that_failed_an_hour_later(newsroom: Newsroom) -> None:
    rotate_secrets(
        "city-desk",
        gateway=TwilioGateway,
        settings={"deactivations": "yes"},
        by="ops",
        controller=newsroom.controller,
        now=newsroom.now,
    )
    here, yesterday = newsroom.sender_id, newsroom.now.date() - timedelta(days=1)

    def claim() -> list[Due]:
        return list(given_back_days.claim(newsroom.controller, newsroom.now))

    assert claim() == [Due(here, yesterday)]
    assert claim() == []
    newsroom.later(hours=1.1)
    assert claim() == [Due(here, yesterday)]
    given_back_days.done(Due(here, yesterday))
    assert claim() == []
    newsroom.later(days=5)
    assert claim() == [Due(here, yesterday + timedelta(days=1))]
    (late,) = given_back_days.late(newsroom.controller, newsroom.now)
    assert (late.name, late.last) == ("city-desk", yesterday)
    checks = doctor(pulse=FakePulse(), around=AROUND, controller=newsroom.controller, now=newsroom.now)
    (check,) = [one for one in checks if one.name == "numbers given back"]
    assert (check.health, check.advice) == (Health.WARN, "See why: tidings senders deactivations city-desk")
    assert is_known(check.found)
    assert is_known(check.advice)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(307, headers={"location": "http://files.example.org/day.txt"}), "without https"),
        (Reply(200, b"{}"), "without https"),
        (Reply(401, b'{"message": "Authenticate"}'), "401: Authenticate"),
    ],
)
def test_only_an_https_redirect_of_twilios_is_followed(reply: Reply, reason: str) -> None:
    with pytest.raises(CannotRead, match=reason):
        gateway().given_back_file(reply)
    with pytest.raises(NoSuchDay):
        gateway().given_back_file(Reply(404, b"{}"))
    assert gateway().given_back_file(Reply(307, b'{"redirect_to": "%s"}' % FILE.encode())) == FILE


def test_without_the_setting_nobody_is_asked(newsroom: Newsroom) -> None:
    assert given_back_days.claim(newsroom.controller, newsroom.now) == []
    assert given_back_days.late(newsroom.controller, newsroom.now) == []
