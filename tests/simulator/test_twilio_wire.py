"""Twilio's own SDK is the judge of the wire: what it reads and raises must be what it would with Twilio."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from app.clock import utcnow
from app.simulator.records import Sender
from app.simulator.state import KEPT_PER_PHONE, State
from app.simulator.world import World
from tests.simulator.support import ACCOUNT, ADA, NUMBER, SERVICE, TOKEN, eventually, post_message, sender


class HereInsteadOfTwilio(TwilioHttpClient):
    """The SDK's own HTTP client, with the provider's address replaced."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def request(self, method: str, url: str, *rest: Any, **named: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self._base), *rest, **named)


@pytest.fixture
def sdk(base: str) -> Iterator[Client]:
    http = HereInsteadOfTwilio(base)
    yield Client(ACCOUNT, TOKEN, http_client=http)
    http.session.close()


def test_the_sdk_reads_an_accepted_message(sdk: Client) -> None:
    before = utcnow().replace(microsecond=0)

    message = sdk.messages.create(to=ADA, from_=NUMBER, body="Grüße")

    assert re.fullmatch("SM[0-9a-f]{32}", message.sid)
    assert (message.to, message.from_, message.body) == (ADA, NUMBER, "Grüße")
    assert (message.status, message.num_segments, message.direction) == ("queued", "1", "outbound-api")
    assert (message.error_code, message.date_sent, message.account_sid) == (None, None, ACCOUNT)
    assert before <= message.date_created <= utcnow()
    assert message.uri == f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{message.sid}.json"


def test_a_long_body_is_counted_in_parts(sdk: Client) -> None:
    assert sdk.messages.create(to=ADA, from_=NUMBER, body="a" * 161).num_segments == "2"


def test_a_messaging_service_accepts_before_it_has_chosen_a_number(sdk: Client, world: World) -> None:
    world.state.put_sender(sender(messaging_service_sid=SERVICE))

    message = sdk.messages.create(to=ADA, messaging_service_sid=SERVICE, body="Hello")

    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    assert message.messaging_service_sid == SERVICE
    eventually(lambda: sdk.messages(message.sid).fetch().from_ == NUMBER)


def test_a_message_can_be_fetched_until_it_is_delivered(sdk: Client) -> None:
    sid = sdk.messages.create(to=ADA, from_=NUMBER, body="Hello").sid

    eventually(lambda: sdk.messages(sid).fetch().status == "delivered")

    assert sdk.messages(sid).fetch().date_sent is not None


def test_an_unknown_message_is_twilio_s_404(sdk: Client) -> None:
    with pytest.raises(TwilioRestException) as caught:
        sdk.messages("SM" + "0" * 32).fetch()

    assert (caught.value.status, caught.value.code) == (404, 20404)


def test_a_wrong_token_is_refused(base: str) -> None:
    http = HereInsteadOfTwilio(base)

    with pytest.raises(TwilioRestException) as caught:
        Client(ACCOUNT, "f" * 32, http_client=http).messages.create(to=ADA, from_=NUMBER, body="Hello")
    http.session.close()

    assert (caught.value.status, caught.value.code) == (401, 20003)


def test_the_list_is_newest_first_and_filters_by_number(sdk: Client) -> None:
    for index in range(3):
        sdk.messages.create(to=ADA, from_=NUMBER, body=f"Number {index}")
    sdk.messages.create(to="+12025550144", from_=NUMBER, body="To somebody else")

    found = sdk.messages.list(to=ADA, from_=NUMBER)

    assert [message.body for message in found] == ["Number 2", "Number 1", "Number 0"]
    assert sdk.messages.list(from_="+12025550101") == []


def test_the_sdk_walks_all_pages(sdk: Client) -> None:
    for index in range(7):
        sdk.messages.create(to=f"+1202555011{index}", from_=NUMBER, body="Hello")

    found = sdk.messages.list(page_size=3)

    assert len({message.sid for message in found}) == 7


def test_the_list_filters_by_the_day_of_sending(sdk: Client) -> None:
    sdk.messages.create(to=ADA, from_=NUMBER, body="Hello")
    eventually(lambda: sdk.messages.list(to=ADA)[0].date_sent)
    now = utcnow()

    assert len(sdk.messages.list(date_sent_after=now - timedelta(minutes=5))) == 1
    assert sdk.messages.list(date_sent_after=now + timedelta(minutes=5)) == []
    assert sdk.messages.list(date_sent_before=now - timedelta(minutes=5)) == []
    assert sdk.messages.list(date_sent=date(2001, 1, 1)) == []


@pytest.mark.parametrize(
    "query", ["PageSize=many", "PageSize=0", "Page=-1", "DateSent=yesterday", "PageToken=PAx"]
)
def test_a_list_that_cannot_be_read_says_what_is_wrong(client: FlaskClient, query: str) -> None:
    reply = client.get(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?{query}", auth=(ACCOUNT, TOKEN))

    assert reply.status_code == 400
    assert query.partition("=")[0] in reply.json["message"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "12025550143"}, 21211),
        ({"To": "+0123456789"}, 21211),
        ({"From": None}, 21603),
        ({"From": "+1202"}, 21212),
        ({"From": "+12025550199"}, 21606),
        ({"From": None, "MessagingServiceSid": SERVICE}, 21701),
        ({"Body": None}, 21602),
        ({"Body": ""}, 21602),
        ({"Body": "a" * 1601}, 21617),
        ({"To": NUMBER}, 21266),
        ({"StatusCallback": "http://news.example.org/hooks"}, 21609),
        ({"StatusCallback": "http://127.0.0.1:port/"}, 21609),
    ],
)
def test_a_wrong_field_gets_twilio_s_code(client: FlaskClient, changes: dict[str, Any], code: int) -> None:
    reply = post_message(client, **changes)

    assert reply.status_code == 400
    assert (reply.json["code"], reply.json["status"]) == (code, 400)
    assert reply.json["more_info"].endswith(f"/{code}")
    assert client.get("/control/stats").json["refused"] == {str(code): 1}


def test_the_longest_body_is_taken(client: FlaskClient) -> None:
    assert post_message(client, body="a" * 1600).status_code == 201


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Bearer abc", "Basic /////w=="])
def test_a_request_without_good_credentials_gets_20003(client: FlaskClient, header: str) -> None:
    reply = client.post(
        f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        data={"To": ADA, "From": NUMBER, "Body": "Hello"},
        headers={"Authorization": header},
    )

    assert (reply.status_code, reply.json["code"]) == (401, 20003)
    assert reply.headers["WWW-Authenticate"].startswith("Basic")


def test_one_account_cannot_use_another_account_s_number(client: FlaskClient, world: World) -> None:
    other = "AC" + "9" * 32
    world.state.put_sender(sender(number="+12025550101", account_sid=other, auth_token="b" * 32))

    assert post_message(client, From="+12025550101").json["code"] == 21606


def test_a_resource_that_is_not_simulated_is_twilio_s_404(client: FlaskClient) -> None:
    reply = client.post(f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json")

    assert (reply.status_code, reply.json["code"]) == (404, 20404)


def test_a_form_that_is_no_text_is_refused(client: FlaskClient) -> None:
    reply = client.post(
        f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        data=b"Body=\xff\xfe",
        content_type="application/x-www-form-urlencoded",
        auth=(ACCOUNT, TOKEN),
    )

    assert (reply.status_code, reply.json["code"]) == (400, 20001)


def test_a_sender_s_rate_is_kept_and_says_when_to_come_back(client: FlaskClient, world: World) -> None:
    world.state.put_sender(sender(rate=1))

    first, second = post_message(client), post_message(client)

    assert first.status_code == 201
    assert (second.status_code, second.json["code"], second.headers["Retry-After"]) == (429, 20429, "1")


def test_a_sender_without_rate_takes_all(client: FlaskClient) -> None:
    assert {post_message(client).status_code for _ in range(50)} == {201}


def test_dates_are_written_as_in_mail(client: FlaskClient) -> None:
    created = post_message(client).json["date_created"]

    assert created.endswith("+0000")
    assert parsedate_to_datetime(created).tzinfo is not None


def test_old_messages_are_forgotten_and_still_counted() -> None:
    state, moment = State(kept=10), datetime(2026, 11, 22, tzinfo=UTC)
    one: Sender = sender()

    for index in range(2 * KEPT_PER_PHONE):
        state.accept(one, ADA, f"Number {index}", 1, moment, callback="", by_service=False)

    assert state.counts() | {"by_status": None} == {
        "total": 2 * KEPT_PER_PHONE,
        "distinct": 1,
        "duplicates": 0,
        "by_status": None,
        "refused": {},
    }
    assert len(list(state.newest())) == 10
    assert len(list(state.newest(ADA))) == KEPT_PER_PHONE
