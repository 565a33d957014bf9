"""Styled words: what each gateway that shows them asks for, and that every other one sends the words alone."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from app.domain.addresses import Address
from app.domain.in_place import InPlace
from app.domain.media.attached import Media
from app.domain.messages import Batch, DeliveryRef, Recipient, Standing
from app.domain.styles import TYPED, shown, styles_named
from app.gateways import matrix_styles
from app.gateways.base import Call
from app.gateways.registry import GATEWAYS, build
from app.gateways.safe_xml import document
from tests.gateways.samples import SAMPLES

WORDS = "🎉 *Hi {{first_name|friend}}*, _now_ ~never~"
PICTURE = Media(3, "0" * 64, "image/jpeg", 1000, "a.jpg", "A bridge", "https://news.example.org/m/3.jpg")


def person(gateway: str, text: str = WORDS, name: str = "Ada", number: int = 1, **more: Any) -> Recipient:
    words = shown(text, {"first_name": name})
    address = Address(GATEWAYS[gateway].channel, SAMPLES[gateway].addresses[0])
    ref = DeliveryRef(8, number)
    return Recipient(ref, address, words.text, "!room:x", styles=words.spans, **more)


def calls(gateway: str, *people: Recipient, media: Media | None = None) -> list[Call]:
    bound = build(gateway, SAMPLES[gateway].settings, None)
    return list(bound.encode(Batch(people, "https://news.example.org/hooks/city", media)))


def asked(gateway: str, *people: Recipient, media: Media | None = None) -> Any:
    (call,) = calls(gateway, *people, media=media)
    return json.loads(call.body)


def written(gateway: str, one: Recipient) -> str:
    """The words in the request of a gateway whose app reads marks."""
    (call,) = calls(gateway, one)
    if gateway == "xmpp":
        return document(call.body, "The stanza").findtext("body") or ""
    if gateway == "twilio_whatsapp":
        return parse_qs(call.body.decode())["Body"][0]
    body = json.loads(call.body)
    return str(body["text"]["body"] if gateway == "whatsapp" else body["text"])


@pytest.mark.parametrize("gateway", sorted(GATEWAYS))
def test_a_gateway_shows_what_editors_are_told(gateway: str) -> None:
    assert GATEWAYS[gateway].capabilities().styles == styles_named(gateway)


# A web push is encrypted with a key of its own each time.
@pytest.mark.parametrize(
    "gateway", sorted(name for name in GATEWAYS if not styles_named(name) and name != "webpush")
)
def test_a_gateway_without_styles_sends_the_words_alone(gateway: str) -> None:
    styled, bare = person(gateway), person(gateway)._replace(styles=None)

    assert [call.body for call in calls(gateway, styled)] == [call.body for call in calls(gateway, bare)]


@pytest.mark.parametrize("gateway", sorted(TYPED))
def test_apps_that_read_marks_get_them_and_values_have_none(gateway: str) -> None:
    assert written(gateway, person(gateway)) == "🎉 *Hi Ada*, _now_ ~never~"
    assert written(gateway, person(gateway, name="*A*")) == "🎉 *Hi \u2217A\u2217*, _now_ ~never~"
    assert written(gateway, person(gateway, "Dear {{first_name|x}}", "_A_")) == "Dear \uff3fA_"


@pytest.mark.parametrize("gateway", sorted(TYPED))
def test_what_nobody_read_for_marks_goes_as_it_stands(gateway: str) -> None:
    assert written(gateway, person(gateway)._replace(text="*a* _b", styles=None)) == "*a* _b"


def test_telegram_gets_entities_in_utf16_code_units() -> None:
    body = asked("telegram", person("telegram"))

    assert body["text"] == "🎉 Hi Ada, now never"
    assert body["entities"] == [
        {"type": "bold", "offset": 3, "length": 6},
        {"type": "italic", "offset": 11, "length": 3},
        {"type": "strikethrough", "offset": 15, "length": 5},
    ]
    assert "parse_mode" not in body


def test_telegram_styles_a_caption_and_a_changed_message() -> None:
    below = asked("telegram", person("telegram"), media=PICTURE)
    stands = Standing(InPlace.EDIT, DeliveryRef(7, 1), "17")
    edit = asked("telegram", person("telegram", replaces=stands))
    of_caption = asked("telegram", person("telegram", replaces=stands._replace(provider_id="17:caption")))
    gone = asked("telegram", person("telegram", replaces=stands._replace(act=InPlace.DELETE)))

    assert below["caption_entities"] == edit["entities"] == of_caption["caption_entities"]
    assert "entities" not in below
    assert not {"entities", "caption_entities"} & gone.keys()


def test_matrix_gets_the_words_once_more_as_html() -> None:
    body = asked("matrix", person("matrix", name="<Ada>"))

    assert body["body"] == "🎉 Hi <Ada>, now never"
    assert body["format"] == "org.matrix.custom.html"
    assert body["formatted_body"] == "🎉 <strong>Hi &lt;Ada&gt;</strong>, <em>now</em> <del>never</del>"


def test_a_changed_event_has_the_styles_in_its_new_words_and_in_those_for_old_clients() -> None:
    stands = Standing(InPlace.EDIT, DeliveryRef(7, 1), "$17")
    body = asked("matrix", person("matrix", "*x*", replaces=stands))

    assert body["m.new_content"]["formatted_body"] == "<strong>x</strong>"
    assert body["formatted_body"] == "* <strong>x</strong>"


def test_a_text_that_would_fill_an_event_twice_goes_to_matrix_unstyled() -> None:
    body = asked("matrix", person("matrix", f"*x* {'y' * (matrix_styles.MOST_BYTES // 2)}"))

    assert body["body"].startswith("x ")
    assert "formatted_body" not in body


def test_signal_gets_ranges_in_utf16_code_units() -> None:
    params = asked("signal", person("signal"))["params"]

    assert params["message"] == "🎉 Hi Ada, now never"
    assert params["textStyle"] == ["3:6:BOLD", "11:3:ITALIC", "15:5:STRIKETHROUGH"]


@pytest.mark.parametrize("gateway", ["telegram", "matrix", "signal"])
def test_words_without_styles_add_nothing_to_a_request(gateway: str) -> None:
    plain = person(gateway, "Good morning")

    assert [call.body for call in calls(gateway, plain)] == [
        call.body for call in calls(gateway, plain._replace(styles=None))
    ]


def test_people_of_one_text_and_other_styles_share_no_request_on_viber() -> None:
    bold, bare = person("viber", "*Hi* x"), person("viber", "Hi x", number=2)

    assert [json.loads(call.body)["text"] for call in calls("viber", bold, bare)] == ["*Hi* x", "Hi x"]


def test_xmpp_leaves_out_marks_that_its_clients_would_show_as_signs() -> None:
    assert written("xmpp", person("xmpp", "(*a*) *b*")) == "(a) *b*"
    assert written("viber", person("viber", "(*a*) *b*")) == "(*a*) *b*"
