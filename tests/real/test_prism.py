"""What our gateways ask fits the providers' own descriptions: Prism reads these, and refuses what does not."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app.domain.addresses import Address
from app.domain.buttons import ButtonKind, Rich
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.gateways.base import Gateway
from app.gateways.followers import ListsFollowers
from app.gateways.look_ups import Question
from app.gateways.registry import build
from app.gateways.twilio import TwilioGateway
from tests.gateways.sample import HOOK
from tests.gateways.samples import SAMPLES
from tests.gateways.test_contract import sets_that_fit
from tests.gateways.test_media_contract import file
from tests.gateways.test_media_with_buttons import BOTH
from tests.real.prism import Prism, missing, running_prism

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=str(missing()))]

SPEC_OF = {
    "twilio": "twilio-messages.json",
    "line": "line-messages.json",
    "whatsapp": "whatsapp-messages.json",
}
SETTINGS = {
    "twilio": {"account_sid": "AC" + "1" * 32, "auth_token": "token-for-tests", "from": "+12025550100"},
    "line": SAMPLES["line"].settings,
    "whatsapp": SAMPLES["whatsapp"].settings,
}
TEMPLATE = {"template": "weekly_news:en_US"}
WORDS = ["The bridge is open again.", "Café ✓ at 9 o’clock & more: https://news.example.org/?a=1&b=2"]


@pytest.fixture(scope="module", params=sorted(SPEC_OF))
def provider(request: pytest.FixtureRequest) -> Iterator[tuple[str, Prism]]:
    with running_prism(SPEC_OF[request.param]) as prism:
        yield request.param, prism


def gateway_of(name: str, prism: Prism, **more: str) -> Gateway:
    return build(name, {**SETTINGS[name], **more}, prism.url)


def people(name: str, texts: list[str]) -> tuple[Recipient, ...]:
    # This edition of Meta's description does not know the ids of people who hide their number.
    addresses = [value for value in SAMPLES[name].addresses if not value.startswith("US.")]
    channel = build(name, SETTINGS[name], None).capabilities().channel
    return tuple(
        Recipient(DeliveryRef(1, number), Address(channel, value), text)
        for number, (value, text) in enumerate(zip(addresses, texts, strict=False), 1)
    )


def refused(prism: Prism, gateway: Gateway, batch: Batch) -> list[str]:
    return [fault for call in gateway.encode(batch) for fault in prism.ask(call).faults]


def test_texts_to_one_and_to_many_are_not_refused(provider: tuple[str, Prism]) -> None:
    name, prism = provider
    gateway = gateway_of(name, prism)

    for texts in (WORDS[:1], WORDS, WORDS[1:] * 3):
        assert refused(prism, gateway, Batch(people(name, texts), HOOK)) == []


def test_files_beside_the_text_are_not_refused(provider: tuple[str, Prism]) -> None:
    name, prism = provider
    gateway = gateway_of(name, prism)
    types = [mime for rule in gateway.capabilities().media for mime in rule.types]

    assert types
    for mime in types:
        batch = Batch(people(name, WORDS[:1]), HOOK, file(mime, handle="12345"))
        assert refused(prism, gateway, batch) == [], mime


def test_buttons_are_not_refused(provider: tuple[str, Prism]) -> None:
    name, prism = provider
    if name not in BOTH:
        pytest.skip(f"{name} has no buttons: they go as words")
    gateway = gateway_of(name, prism)

    # This edition of Meta's description lacks the link below a text (`cta_url`), which its guide to messages has.
    left_out = {ButtonKind.LINK} if name == "whatsapp" else set()
    for buttons in sets_that_fit(SAMPLES[name]):
        if left_out.intersection(one.kind for one in buttons):
            continue
        rich = Rich(buttons)
        alone = tuple(one._replace(rich=rich) for one in people(name, WORDS[:1]))
        assert refused(prism, gateway, Batch(alone, HOOK)) == []
        assert refused(prism, gateway, Batch(alone, HOOK, file("image/jpeg", handle="12345"))) == []


def test_an_answer_by_a_token_is_not_refused(provider: tuple[str, Prism]) -> None:
    name, prism = provider
    gateway = gateway_of(name, prism)
    if gateway.capabilities().reply_within is None:
        pytest.skip(f"{name} sends no tokens")
    answers = tuple(
        one._replace(reply_token="0f3779fba3b349968c5d07db31eab56f") for one in people(name, WORDS)
    )

    assert refused(prism, gateway, Batch(answers, HOOK)) == []


def test_what_does_not_fit_is_refused(provider: tuple[str, Prism]) -> None:
    name, prism = provider
    (call,) = gateway_of(name, prism).encode(Batch(people(name, WORDS[:1]), HOOK))
    broken = call._replace(body=b"Nothing=here" if name == "twilio" else b'{"nothing": "here"}')

    assert prism.ask(broken).faults


def test_a_template_is_not_refused() -> None:
    with running_prism(SPEC_OF["whatsapp"]) as prism:
        gateway = gateway_of("whatsapp", prism, **TEMPLATE)

        assert refused(prism, gateway, Batch(people("whatsapp", WORDS), HOOK)) == []


def test_the_question_what_became_of_a_message_is_not_refused() -> None:
    with running_prism(SPEC_OF["twilio"]) as prism:
        gateway = gateway_of("twilio", prism)
        assert isinstance(gateway, TwilioGateway)
        question = Question(
            DeliveryRef(1, 2), Address("sms", "+12025550123"), "News", datetime(2026, 3, 2, tzinfo=UTC)
        )

        assert prism.ask(gateway.look_up(question)).faults == []


def test_the_question_who_follows_is_not_refused() -> None:
    with running_prism(SPEC_OF["line"]) as prism:
        gateway = gateway_of("line", prism)
        assert isinstance(gateway, ListsFollowers)

        for start in ("", "yANU9IA&more"):
            assert prism.ask(gateway.followers_call(start)).faults == []
