"""Buttons in the very shapes that each platform documents, and what becomes of those that find no room."""

import json
from typing import Any

from app.domain.buttons import Button, ButtonKind, Rich, TemplateUse
from app.domain.messages import Batch
from app.gateways.base import Gateway
from app.gateways.registry import build
from app.gateways.webpush import MAX_PLAIN
from tests.gateways.sample import HOOK, PRESSED, Sample
from tests.gateways.samples import SAMPLES
from tests.gateways.test_contract import batch

YES, MORE = Button(ButtonKind.REPLY, "Yes", PRESSED), Button(ButtonKind.LINK, "More", "https://example.org/m")


def gateway(name: str, **settings: str) -> Gateway:
    return build(name, {**SAMPLES[name].settings, **settings}, None)


def body(name: str, rich: Rich, text: str = "Well?", **settings: str) -> dict[str, Any]:
    (one,) = batch(SAMPLES[name], 1, text).recipients
    (call,) = gateway(name, **settings).encode(Batch((one._replace(rich=rich),), HOOK))
    return json.loads(call.body)  # type: ignore[no-any-return]


def test_telegram_has_a_keyboard_below_the_message_and_shows_no_page_that_it_shall_not() -> None:
    found = body("telegram", Rich((YES, MORE), preview=False))

    assert found["reply_markup"]["inline_keyboard"] == [
        [{"text": "Yes", "callback_data": PRESSED}],
        [{"text": "More", "url": MORE.value}],
    ]
    assert found["link_preview_options"] == {"is_disabled": True}


def test_telegram_is_told_that_a_press_was_taken() -> None:
    sample: Sample = SAMPLES["telegram"]
    assert sample.press is not None

    reply = gateway("telegram").acknowledge(sample.press)

    assert json.loads(reply.body) == {"method": "answerCallbackQuery", "callback_query_id": "77"}
    assert gateway("telegram").acknowledge(sample.stop).body == ""


def test_line_has_quick_replies_whose_press_is_shown_in_the_chat() -> None:
    (message,) = body("line", Rich((YES, MORE)))["messages"]

    assert [one["action"] for one in message["quickReply"]["items"]] == [
        {"type": "postback", "label": "Yes", "data": PRESSED, "displayText": "Yes"},
        {"type": "uri", "label": "More", "uri": MORE.value},
    ]


def test_whatsapp_has_answers_or_one_link_within_the_window() -> None:
    answers, link = body("whatsapp", Rich((YES,))), body("whatsapp", Rich((MORE,)))

    assert answers["interactive"] == {
        "type": "button",
        "body": {"text": "Well?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": PRESSED, "title": "Yes"}}]},
    }
    assert link["interactive"]["action"] == {
        "name": "cta_url",
        "parameters": {"display_text": "More", "url": MORE.value},
    }


def test_whatsapp_takes_the_template_of_the_broadcast_before_that_of_the_sender() -> None:
    use = TemplateUse("poll", "en", ("Ada", "{{text}}"))

    found = body("whatsapp", Rich((YES,), template=use), "Two\nlines", template="newsletter:en_US")

    spoken = {"policy": "deterministic", "code": "en"}
    assert (found["template"]["name"], found["template"]["language"]) == ("poll", spoken)
    words, key = found["template"]["components"]
    assert [one["text"] for one in words["parameters"]] == ["Ada", "Two lines"]
    assert (key["sub_type"], key["index"]) == ("quick_reply", "0")
    assert key["parameters"] == [{"type": "payload", "payload": PRESSED}]


def test_twilio_fills_the_content_template_of_the_broadcast() -> None:
    (one,) = batch(SAMPLES["twilio_whatsapp"], 1, "Well?").recipients
    rich = Rich(template=TemplateUse("HX" + "a" * 32, "", ("Ada", "{{text}}")))

    (call,) = gateway("twilio_whatsapp").encode(Batch((one._replace(rich=rich),), HOOK))

    assert b"ContentSid=HX" + b"a" * 32 in call.body
    assert b"ContentVariables=%7B%221%22%3A+%22Ada%22%2C+%222%22%3A+%22Well%3F%22%7D" in call.body


def test_messenger_has_quick_replies_or_a_template_and_a_long_text_keeps_its_link_in_words() -> None:
    quick = body("messenger", Rich((YES,)))["message"]
    template = body("messenger", Rich((YES, MORE)))["message"]["attachment"]["payload"]
    long = body("messenger", Rich((YES, MORE)), "x" * 641)["message"]

    assert quick["quick_replies"] == [{"content_type": "text", "title": "Yes", "payload": PRESSED}]
    assert template["buttons"] == [
        {"type": "postback", "title": "Yes", "payload": PRESSED},
        {"type": "web_url", "title": "More", "url": MORE.value},
    ]
    assert long["text"].endswith("x\nMore: https://example.org/m")
    assert [one["title"] for one in long["quick_replies"]] == ["Yes"]


def test_viber_has_a_keyboard_of_wide_keys() -> None:
    found = body("viber", Rich((YES, MORE)))

    assert [(one["ActionType"], one["ActionBody"], one["Text"]) for one in found["keyboard"]["Buttons"]] == [
        ("reply", PRESSED, "Yes"),
        ("open-url", MORE.value, "More"),
    ]


def pushed(text: str, link: Button) -> tuple[dict[str, Any], str]:
    sample = SAMPLES["webpush"]
    (one,) = batch(sample, 1, text).recipients
    (call,) = gateway("webpush").encode(Batch((one._replace(rich=Rich((link,))),), HOOK))
    line, words = json.loads(sample.plain(call))
    return line, words


def size(line: dict[str, Any], words: str) -> int:
    return len(json.dumps(line, separators=(",", ":"))) + 1 + len(words)


def test_a_push_without_room_for_its_button_says_it_in_words() -> None:
    link = Button(ButtonKind.LINK, "More", "https://example.org/" + "m" * 270)
    line, words = pushed("x", link)
    assert line["buttons"] == [["link", "More", link.value]]
    most = MAX_PLAIN - size(line, "")

    assert "buttons" in pushed("x" * most, link)[0]
    line, words = pushed("x" * (most + 1), link)

    assert "buttons" not in line
    assert words.endswith(f"x\nMore: {link.value}")
    assert size(line, words) <= MAX_PLAIN
