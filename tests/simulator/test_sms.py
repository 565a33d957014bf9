"""SMS providers in the simulator: what each refuses, reports and tells, read by our gateways."""

from base64 import b64encode
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.domain.messages import DeliveryRef, ErrorKind, EventKind, HookRequest, InboundMessage, Receipt
from app.gateways.http_sms import gateway_classes
from app.gateways.registry import build
from app.simulator.sms_providers import providers
from app.simulator.wire import Answer
from app.simulator.world import World
from tests.gateways.samples.http_sms import SAMPLES
from tests.gateways.test_shared_secrets import KEYS
from tests.gateways.test_signed_sms import RFC_KEY, RFC_PUBLIC
from tests.support.chat_city import ADA, SIMULATOR, Platform

OURS = "+12025550177"
BLOCKED, INVALID, OUT = ErrorKind.BLOCKED, ErrorKind.INVALID, ErrorKind.OPTED_OUT
TEMPORARY, LIMITED = ErrorKind.TEMPORARY, ErrorKind.RATE_LIMITED


@dataclass
class Sms:
    """One provider, and what it tells us, as our door would read it."""

    platform: Platform
    told: list[HookRequest] = field(default_factory=list)

    def hear(self, url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        small = {name.lower(): value for name, value in headers.items()}
        self.told.append(HookRequest(method, url, small, body, query))
        return Answer(200, b"")

    def refusal(self, phone: str) -> ErrorKind | None:
        """How it answers for this phone."""
        (outcome,) = self.platform.send(phone)
        return outcome.error.kind if outcome.error else None

    def receipts(self) -> list[Receipt]:
        """What it reports later."""
        self.platform.tell_later()
        return [found for one in self.told for found in self._events(one, EventKind.RECEIPT)]

    def _events(self, request: HookRequest, kind: EventKind) -> list[Any]:
        self.platform.gateway.verify(request)
        events = self.platform.gateway.parse(request)
        assert [one.kind for one in events] == [kind]
        return [one.receipt or one.message for one in events]

    def messages(self) -> list[InboundMessage]:
        return [found for one in self.told for found in self._events(one, EventKind.MESSAGE)]


def sms(provider: str, **more: str) -> Sms:
    settings = {**SAMPLES[provider].settings, "from": OURS, **more}
    found = Sms(Platform(provider, OURS, settings))
    found.platform.world.wire.send = found.hear  # type: ignore[method-assign]
    return found


@pytest.fixture(params=sorted(gateway_classes()))
def each(request: pytest.FixtureRequest) -> Sms:
    return sms(request.param)


def test_every_described_provider_is_simulated() -> None:
    assert set(providers()) == set(gateway_classes())


def test_a_text_arrives_whole_and_is_reported(each: Sms) -> None:
    words = 'Brücke "offen" {text} & €5 🌍\nHeute'
    (outcome,) = each.platform.send("+447700900118", text=words)

    assert outcome.error is None
    assert each.platform.shown("+447700900118") == [words]
    reported = [(one.ref, one.status.value) for one in each.receipts()]
    expected = each.platform.gateway.capabilities().receipts
    assert reported == (
        [(DeliveryRef(1, 1, 0), "sent"), (DeliveryRef(1, 1, 0), "delivered")] if expected else []
    )


def test_what_somebody_texts_comes_whole(each: Sms) -> None:
    words = 'Ja & "gern" 🌍 1+1'
    each.platform.world.chats.text(ADA, each.platform.account, words)

    (message,) = each.messages()
    assert (message.address.value, message.text) == (ADA, words)
    assert message.external_id


@pytest.mark.parametrize("name", sorted(KEYS))
def test_what_a_provider_tells_is_signed_as_it_signs(name: str) -> None:
    here = sms(name, **KEYS[name])

    assert here.refusal(ADA) is None
    assert len(here.receipts()) == 2
    here.told.clear()
    here.platform.world.chats.text(ADA, here.platform.account, "Ja & nein = 1")
    assert [one.text for one in here.messages()] == ["Ja & nein = 1"]
    assert (
        any("signature" in one or one == "authorization" for one in here.told[0].headers) or name == "vonage"
    )


def test_an_account_with_telnyx_private_half_gets_signed_webhooks() -> None:
    private, public = RFC_KEY.hex(), b64encode(RFC_PUBLIC).decode()
    here = sms("telnyx", public_key=public)
    here.platform.world.chats.put(
        replace(here.platform.account, settings={**here.platform.account.settings, "signing_key": private})
    )

    assert here.refusal(ADA) is None
    assert len(here.receipts()) == 2


def test_a_wrong_secret_is_our_fault(each: Sms) -> None:
    secrets = ("password", "token", "auth_token", "api_secret", "api_key", "access_key")
    settings = each.platform.account.settings
    name = next(one for one in secrets if one in settings)
    each.platform.gateway = build(each.platform.account.channel, {**settings, name: "another"}, SIMULATOR)

    assert each.refusal(ADA) in (ErrorKind.AUTH, ErrorKind.CONFIG)


@pytest.mark.parametrize(
    ("provider", "ending", "at_once", "later"),
    [
        ("vonage", "0403", BLOCKED, None),
        ("vonage", "0429", LIMITED, None),
        ("infobip", "0404", INVALID, None),
        ("infobip", "0202", None, INVALID),
        ("plivo", "0404", INVALID, None),
        ("plivo", "0403", None, BLOCKED),
        ("plivo", "0610", None, OUT),
        ("plivo", "0614", None, INVALID),
        ("bandwidth", "0404", None, INVALID),
        ("bandwidth", "0403", None, BLOCKED),
        ("bandwidth", "0610", None, OUT),
        ("messagebird", "0610", None, OUT),
        ("messagebird", "0429", LIMITED, None),
        ("sinch", "0404", None, INVALID),
        ("sinch", "0403", None, BLOCKED),
        ("africastalking", "0404", INVALID, None),
        ("africastalking", "0403", BLOCKED, None),
        ("africastalking", "0610", OUT, None),
        ("clickatell", "0404", INVALID, None),
        ("clickatell", "0610", OUT, None),
        ("clickatell", "0429", LIMITED, None),
        ("clickatell_one", "0404", INVALID, None),
        ("clickatell_one", "0610", OUT, None),
        ("clickatell_one", "0429", LIMITED, None),
        ("telnyx", "0404", INVALID, None),
        ("telnyx", "0610", OUT, None),
        ("telnyx", "0202", None, INVALID),
        ("telnyx", "0403", None, BLOCKED),
        ("telnyx", "0429", LIMITED, None),
        ("kannel", "0404", None, INVALID),
        ("kannel", "0998", None, TEMPORARY),
        ("kannel", "0500", TEMPORARY, None),
    ],
)
def test_magic_numbers_fail_in_the_providers_own_codes(
    provider: str, ending: str, at_once: ErrorKind | None, later: ErrorKind | None
) -> None:
    here = sms(provider)

    assert here.refusal(f"+44770090{ending}") is at_once
    failures = [one.error.kind for one in here.receipts() if one.error]
    assert failures == ([later] if later else [])


def test_a_code_that_no_table_has_is_tried_again_or_reported(each: Sms) -> None:
    kind = each.refusal("+447700900998")

    assert kind in (TEMPORARY, None)
    if kind is None:
        assert [one.error.kind for one in each.receipts() if one.error] == [TEMPORARY]


def test_reports_out_of_order_are_three(each: Sms) -> None:
    assert each.refusal("+447700900299") is None
    expected = ["delivered", "sent", "delivered"] if each.platform.gateway.capabilities().receipts else []
    assert [one.status.value for one in each.receipts()] == expected


def test_who_sends_faster_than_the_account_may_is_refused() -> None:
    here = sms("clickatell", rate="2")

    assert [here.refusal(ADA) for _ in range(3)] == [None, None, LIMITED]


@pytest.mark.parametrize("provider", ["infobip", "clickatell_one"])
def test_people_in_one_request_are_answered_and_reported_each_for_themselves(provider: str) -> None:
    here = sms(provider)
    people = ["+447700900118", "+447700900404", "+447700900998", ADA]
    one, two, three, four = here.platform.send(*people)

    assert (one.error, four.error) == (None, None)
    assert one.provider_id != four.provider_id
    assert two.error is not None
    assert three.error is not None
    assert (two.error.kind, three.error.kind) == (INVALID, TEMPORARY)
    assert {(one.ref.subscriber_id, one.status.value) for one in here.receipts()} == {
        (subscriber, status) for subscriber in (1, 4) for status in ("sent", "delivered")
    }


def test_a_limit_stops_a_whole_request_and_nobody_in_it_gets_anything() -> None:
    here = sms("infobip")
    outcomes = here.platform.send(ADA, "+447700900429")

    assert [one.error and one.error.kind for one in outcomes] == [LIMITED, LIMITED]
    assert here.platform.shown(ADA) == []


def test_a_blocked_handset_shows_nothing_and_the_report_says_so() -> None:
    here = sms("telnyx")
    here.platform.world.chats.block(ADA, here.platform.account, True)

    assert here.refusal(ADA) is None
    assert here.platform.shown(ADA) == []
    assert [one.error.kind for one in here.receipts() if one.error] == [BLOCKED]


def test_a_request_that_is_not_as_described_is_refused_with_the_place() -> None:
    here = sms("clickatell")
    body = {"from": OURS, "to": [ADA, ADA], "content": "Hello", "clientMessageId": "1.1.0"}
    headers = {"Authorization": SAMPLES["clickatell"].settings["api_key"]}
    answer = here.platform.client.post("/messages", json=body, headers=headers)

    assert answer.status_code == 400
    assert "body.to: must be a list of 1" in answer.text


def test_the_guide_has_every_channel_and_the_code_of_every_magic_number() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "integrators.md").read_text(encoding="utf-8")
    (accounts,) = [one for one in guide.splitlines() if one.startswith("| `PUT /control/accounts`")]
    named = accounts.partition("`channel` (")[2].partition(")")[0].split(", ")
    assert sorted(named) == sorted(World().chats.channels)

    columns = ["kannel", "vonage", "infobip", "plivo", "bandwidth", "messagebird", "sinch"]
    columns += ["africastalking", "clickatell", "clickatell_one", "telnyx"]
    table = guide.partition("| ends in | SMPP |")[2].splitlines()[2:]
    for row in table:
        ending, _, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        for name, cell in zip(columns, cells, strict=True):
            refused = providers()[name].answers["no"].get(ending.partition(",")[0])
            fails = providers()[name].answers.get("fails", {})
            said = refused[1] if refused else fails.get(ending, fails.get("other", ""))
            assert cell.rpartition(" ")[2] in said or cell in ("429", "500", "never arrives", "report")
    assert len(table) == 8
