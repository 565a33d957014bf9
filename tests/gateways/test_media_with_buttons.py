"""A message with a file and buttons at once: both in the request, each where its platform wants it."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from app.domain.buttons import NO_BUTTONS, Button, ButtonKind, Rich, TemplateUse
from app.domain.messages import Batch
from app.gateways.base import Call, Gateway
from app.gateways.registry import build
from tests.gateways.sample import PRESSED, Sample
from tests.gateways.samples import SAMPLES
from tests.gateways.test_contract import bound, class_of, sets_that_fit
from tests.gateways.test_media_contract import CARRYING, HANDLE, TEXT, file, types_of, with_file

YES, MORE = Button(ButtonKind.REPLY, "Yes", PRESSED), Button(ButtonKind.LINK, "More", "https://example.org/m")
BOTH = {name: one for name, one in CARRYING.items() if class_of(one).capabilities().buttons != NO_BUTTONS}


def dressed(sample: Sample, gateway: Gateway, mime: str, rich: Rich, text: str = TEXT) -> Batch:
    whole = with_file(sample, 1, mime, gateway)
    return replace(whole, recipients=tuple(one._replace(rich=rich, text=text) for one in whole.recipients))


def call_of(name: str, rich: Rich, mime: str = "image/jpeg", text: str = TEXT, **settings: str) -> Call:
    sample = SAMPLES[name]
    gateway = build(name, {**sample.settings, **settings}, None)
    (call,) = gateway.encode(dressed(sample, gateway, mime, rich, text))
    return call


def body(
    name: str, rich: Rich, mime: str = "image/jpeg", text: str = TEXT, **settings: str
) -> dict[str, Any]:
    return json.loads(call_of(name, rich, mime, text, **settings).body)  # type: ignore[no-any-return]


@pytest.mark.parametrize("sample", BOTH.values(), ids=BOTH.keys())
def test_text_file_and_buttons_leave_in_one_request(sample: Sample) -> None:
    gateway = bound(sample)
    for mime in types_of(sample):
        for buttons in sets_that_fit(sample):
            (call,) = gateway.encode(dressed(sample, gateway, mime, Rich(buttons)))

            shown = unquote_plus(unquote_plus(sample.plain(call))).replace("\\", "")
            assert TEXT in shown, mime
            assert HANDLE in shown or file(mime).url in shown, mime
            assert all(one.label in shown and one.value in shown for one in buttons), mime


def test_telegram_has_the_keyboard_below_the_picture_and_says_nothing_of_pages() -> None:
    call = call_of("telegram", Rich((YES,), preview=False))

    found = json.loads(call.body)
    assert call.url.endswith("/sendPhoto")
    assert found["reply_markup"]["inline_keyboard"] == [[{"text": "Yes", "callback_data": PRESSED}]]
    assert (found["caption"], "link_preview_options" in found) == (TEXT, False)


def test_line_has_picture_words_and_buttons_on_one_card() -> None:
    (card,) = body("line", Rich((YES, MORE)))["messages"]

    bubble = card["contents"]
    assert (card["type"], card["altText"], bubble["hero"]["url"]) == ("flex", TEXT, file("image/jpeg").url)
    assert bubble["body"]["contents"] == [{"type": "text", "text": TEXT, "wrap": True}]
    actions = [one["action"] for one in bubble["footer"]["contents"]]
    assert [one.get("data", one.get("uri")) for one in actions] == [PRESSED, MORE.value]


@pytest.mark.parametrize(
    ("mime", "text"),
    [
        ("video/mp4", TEXT),
        ("image/jpeg", f"{TEXT}: https://example.org/bridge"),  # a card makes no link of it
        ("image/jpeg", TEXT * 50),
    ],
)
def test_line_has_quick_replies_below_the_last_message_where_a_card_would_lose_something(
    mime: str, text: str
) -> None:
    picture, words = body("line", Rich((YES,)), mime, text=text)["messages"]

    assert (picture["type"], "quickReply" in picture) == (mime.partition("/")[0], False)
    assert (words["type"], words["text"], len(words["quickReply"]["items"])) == ("text", text, 1)


@pytest.mark.parametrize(
    ("mime", "kind"), [("image/jpeg", "image"), ("video/mp4", "video"), ("application/pdf", "document")]
)
@pytest.mark.parametrize("button", [YES, MORE])
def test_whatsapp_has_the_file_above_the_words_when_buttons_are_below(
    mime: str, kind: str, button: Button
) -> None:
    found = body("whatsapp", Rich((button,)), mime)

    assert found["type"] == "interactive"
    header = found["interactive"]["header"]
    assert (header["type"], header[kind]["id"]) == (kind, HANDLE)
    assert found["interactive"]["body"] == {"text": TEXT}


def test_whatsapp_fills_header_words_and_buttons_of_an_approved_template() -> None:
    found = body("whatsapp", Rich((YES,), template=TemplateUse("poll", "en")))

    header, words, key = found["template"]["components"]
    assert header == {"type": "header", "parameters": [{"type": "image", "image": {"id": HANDLE}}]}
    assert words["parameters"] == [{"type": "text", "text": TEXT}]
    assert key["parameters"] == [{"type": "payload", "payload": PRESSED}]


@pytest.mark.parametrize(
    ("text", "lines"),
    [(TEXT, {"title": TEXT}), (f"{TEXT}\nAnd safe", {"title": TEXT, "subtitle": "And safe"})],
)
def test_messenger_has_picture_short_words_and_buttons_on_one_card(text: str, lines: dict[str, str]) -> None:
    payload = body("messenger", Rich((YES, MORE)), text=text)["message"]["attachment"]["payload"]

    (element,) = payload["elements"]
    assert payload["template_type"] == "generic"
    assert [one.get("payload", one.get("url")) for one in element.pop("buttons")] == [PRESSED, MORE.value]
    assert element == {**lines, "image_url": file("image/jpeg").url}


@pytest.mark.parametrize(("button", "where"), [(YES, "quick_replies"), (MORE, "attachment")])
@pytest.mark.parametrize(("mime", "text"), [("image/jpeg", TEXT * 5), ("video/mp4", TEXT)])
def test_messenger_sends_the_file_alone_and_then_the_words_with_their_buttons(
    button: Button, where: str, mime: str, text: str
) -> None:
    form = parse_qs(call_of("messenger", Rich((button,)), mime, text=text).body.decode())

    first, second = (json.loads(parse_qs(one["body"])["message"][0]) for one in json.loads(form["batch"][0]))
    assert list(first) == ["attachment"]
    assert first["attachment"]["payload"] == {"attachment_id": HANDLE}
    assert where in second
    assert button.label in json.dumps(second)


def test_viber_has_the_keyboard_beside_the_picture() -> None:
    found = body("viber", Rich((YES, MORE)))

    assert (found["type"], found["text"], found["media"]) == ("picture", TEXT, file("image/jpeg").url)
    assert [one["Text"] for one in found["keyboard"]["Buttons"]] == ["Yes", "More"]


def test_twilio_has_no_room_for_a_file_in_an_approved_text_and_says_its_words() -> None:
    sample = SAMPLES["twilio_whatsapp"]
    gateway = bound(sample)
    rich = Rich(template=TemplateUse("HX" + "a" * 32, ""))
    whole = dressed(sample, gateway, "image/jpeg", rich)
    assert whole.media is not None

    (call,) = gateway.encode(replace(whole, media=replace(whole.media, instead="\n[A bridge]")))

    said = unquote_plus(call.body.decode())
    assert "MediaUrl" not in said
    assert f"{TEXT} [A bridge]" in said
