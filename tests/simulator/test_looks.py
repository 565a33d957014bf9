"""Round trip of styled words: our gateways write them, the simulated platforms read them, the phones show them."""

from typing import Any

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.domain.styled import Run
from app.domain.styles import TYPED, Style, shown, styles_named
from app.gateways.registry import GATEWAYS, build
from app.simulator import looks
from app.simulator.records import Bubble
from tests.gateways.samples import SAMPLES
from tests.gateways.test_styles import asked, written
from tests.support.chat_city import ADA, Platform
from tests.support.world import NOON

READERS: dict[str, Any] = {
    "telegram": lambda body: (body["text"], looks.of_telegram(body)),
    "matrix": lambda body: (body["body"], looks.of_matrix(body)),
    "signal": lambda body: (body["params"]["message"], looks.of_signal(body["params"])),
}
TEXTS = [
    "🇩🇪🎉 *bold _both_ bold* {{first_name|friend}} ~no~",
    "*{{first_name|friend}}*, see https://example.org/a_b_c & <b>",
    "no marks at all",
    "_one\ntwo_ *three*",
]


def sent(gateway: str, text: str, name: str) -> Recipient:
    words = shown(text, {"first_name": name})
    address = Address(GATEWAYS[gateway].channel, SAMPLES[gateway].addresses[0])
    return Recipient(DeliveryRef(8, 1), address, words.text, "!room:x", styles=words.spans)


def arrived(gateway: str, one: Recipient) -> tuple[Run, ...]:
    """What a phone shows of the request."""
    if gateway in TYPED:
        text, seen = written(gateway, one), ()
    else:
        text, seen = READERS[gateway](asked(gateway, one))
    return looks.shown(Bubble(1, "in", "x", text, NOON, channel=GATEWAYS[gateway].channel, looks=seen))


@pytest.mark.parametrize("name", ["Ada", "Zoë 🎉", "*A*", "A_b_"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("gateway", sorted(name for name in GATEWAYS if styles_named(name)))
def test_a_phone_shows_what_was_styled_and_nothing_else(gateway: str, text: str, name: str) -> None:
    one = sent(gateway, text, name)

    seen = arrived(gateway, one)

    plain = str.maketrans("\u2217\uff3f\u223c", "*_~")
    assert "".join(run.text for run in seen).translate(plain) == one.text
    for style in Style:
        theirs = "".join(run.text for run in seen if style in run.styles).translate(plain)
        assert theirs == "".join(one.text[a:b] for a, b, its in one.words.spans if its is style)


def test_a_phone_of_telegram_draws_them() -> None:
    platform = Platform("telegram", "@CityDeskBot", dict(SAMPLES["telegram"].settings))
    platform.world.chats.open(ADA, platform.account)
    chat = ADA.removeprefix("+")
    words = shown("🎉 *Now* <open>")
    gateway = build("telegram", SAMPLES["telegram"].settings, "http://simulator")
    person = Recipient(DeliveryRef(1, 1), Address("telegram", chat), words.text, styles=words.spans)
    for call in gateway.encode(Batch((person,), platform.hook)):
        platform.client.post(
            call.url.removeprefix("http://simulator"), data=call.body, headers=dict(call.headers)
        )

    assert "🎉 <strong>Now</strong> &lt;open&gt;" in platform.client.get("/").text


def test_marks_that_somebody_types_on_a_phone_are_their_own() -> None:
    typed = Bubble(1, "out", "x", "*hi*", NOON, channel="whatsapp")

    assert looks.shown(typed) == (Run("*hi*"),)
