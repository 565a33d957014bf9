"""To register a webhook at a provider: what is asked, what counts as done, and what is said when it was not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import pytest

from app.gateways.base import Call, Reply
from app.gateways.connect import CannotConnect, Connected, conversation
from app.gateways.connect.meta import PAGE_FIELDS
from app.gateways.connect.quota import quota
from app.gateways.registry import GATEWAYS
from tests.gateways.samples import line, messenger, telegram, twilio, viber, whatsapp

HOOK = "https://news.example.org/hooks/city"


@dataclass
class Talked:
    """The calls that were made, and how it ended."""

    calls: list[Call]
    end: Connected


def reply(body: object = None, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body or {}).encode())


def talked(gateway: str, settings: dict[str, str], replies: Sequence[Reply]) -> Talked:
    talk = conversation(gateway, settings, None, HOOK)
    assert talk is not None
    calls, left = [next(talk)], list(replies)
    while True:
        try:
            calls.append(talk.send(left.pop(0)))
        except StopIteration as end:
            assert left == []
            return Talked(calls, end.value)


def body(call: Call) -> Any:
    return json.loads(call.body)


def paths(found: Talked) -> list[str]:
    return [f"{one.method} {one.url.partition('://')[2].partition('/')[2]}" for one in found.calls]


def test_telegram_gets_address_secret_and_the_updates_that_tell_who_blocked_us() -> None:
    settings = dict(telegram.SETTINGS)
    known = {"ok": True, "result": {"url": HOOK, "pending_update_count": 3}}

    found = talked("telegram", settings, [reply({"ok": True, "result": True}), reply(known)])

    assert body(found.calls[0]) == {
        "url": HOOK,
        "secret_token": settings["secret"],
        "allowed_updates": ["message", "callback_query", "my_chat_member"],
    }
    assert [one.url.rpartition("/")[2] for one in found.calls] == ["setWebhook", "getWebhookInfo"]
    assert "3" in found.end.done[1]
    assert found.end.left == ()


def test_what_telegram_could_not_deliver_is_left_to_do() -> None:
    known = {"result": {"url": HOOK, "last_error_message": "Connection refused"}}

    found = talked("telegram", dict(telegram.SETTINGS), [reply(), reply(known)])

    assert "Connection refused" in found.end.left[0]


def test_viber_names_the_address_that_it_has_called() -> None:
    found = talked(
        "viber", dict(viber.SETTINGS), [reply({"status": 0}), reply({"status": 0, "webhook": HOOK})]
    )

    assert paths(found) == ["POST pa/set_webhook", "POST pa/get_account_info"]
    assert body(found.calls[0])["url"] == HOOK
    assert {"subscribed", "unsubscribed"} <= set(body(found.calls[0])["event_types"])
    assert found.end.left == ()


def test_viber_says_no_inside_of_a_yes() -> None:
    with pytest.raises(CannotConnect, match=r"set_webhook did not work: result\.url is not valid"):
        talked(
            "viber", dict(viber.SETTINGS), [reply({"status": 1, "status_message": "result.url is not valid"})]
        )


def test_line_tests_the_webhook_that_it_was_given() -> None:
    known = {"endpoint": HOOK, "active": True}

    found = talked("line", dict(line.SETTINGS), [reply(), reply(known), reply({"success": True})])

    where = "v2/bot/channel/webhook"
    assert paths(found) == [f"PUT {where}/endpoint", f"GET {where}/endpoint", f"POST {where}/test"]
    assert body(found.calls[0]) == {"endpoint": HOOK}
    assert len(found.end.done) == 2


def test_line_has_no_api_for_its_switch() -> None:
    found = talked("line", dict(line.SETTINGS), [reply(), reply({"endpoint": HOOK, "active": False})])

    assert "Use webhook" in found.end.left[0]


def test_what_line_got_from_us_is_said() -> None:
    test = {"success": False, "statusCode": 403, "reason": "ERROR_STATUS_CODE", "detail": "403"}

    with pytest.raises(CannotConnect, match="403: ERROR_STATUS_CODE"):
        talked(
            "line",
            dict(line.SETTINGS),
            [reply(), reply({"endpoint": HOOK, "active": True}), reply(test)],
        )


def test_a_page_is_subscribed_to_and_the_apps_address_is_left_to_do() -> None:
    known = {"data": [{"id": "1", "subscribed_fields": list(PAGE_FIELDS)}]}

    found = talked("messenger", dict(messenger.SETTINGS), [reply({"success": True}), reply(known)])

    assert [one.method for one in found.calls] == ["POST", "GET"]
    assert body(found.calls[0])["subscribed_fields"] == ",".join(PAGE_FIELDS)
    assert len(found.end.done) == 1
    assert HOOK in found.end.left[0]


def test_fields_that_meta_did_not_take_are_named() -> None:
    known = {"data": [{"subscribed_fields": ["messages"]}]}

    found = talked("messenger", dict(messenger.SETTINGS), [reply({"success": True}), reply(known)])

    assert found.end.done == ()
    assert "messaging_optins" in found.end.left[1]


def test_a_whatsapp_number_gets_an_address_of_its_own() -> None:
    settings = dict(whatsapp.SETTINGS)
    known = {"webhook_configuration": {"phone_number": HOOK}}

    found = talked("whatsapp", settings, [reply({"success": True}), reply(known)])

    wanted = {"override_callback_uri": HOOK, "verify_token": settings["verify_token"]}
    assert body(found.calls[0]) == {"webhook_configuration": wanted}
    assert "user_preferences" in found.end.left[0]


def test_twilio_is_told_at_the_number() -> None:
    settings = dict(twilio.SETTINGS)
    settings.pop("messaging_service_sid", None)

    found = talked(
        "twilio",
        settings,
        [reply({"incoming_phone_numbers": [{"sid": "PN1"}]}), reply({"sms_url": HOOK})],
    )

    assert found.calls[1].url.endswith("/IncomingPhoneNumbers/PN1.json")
    assert dict(parse_qsl(found.calls[1].body.decode())) == {"SmsUrl": HOOK, "SmsMethod": "POST"}
    assert all(one.basic_auth == (settings["account_sid"], settings["auth_token"]) for one in found.calls)


def test_twilio_is_told_at_the_messaging_service() -> None:
    settings = dict(twilio.SETTINGS) | {"messaging_service_sid": "MG" + "2" * 32}

    found = talked("twilio", settings, [reply({"inbound_request_url": HOOK})])

    assert paths(found) == [f"POST v1/Services/MG{'2' * 32}"]


def test_a_number_that_the_account_does_not_have_is_named() -> None:
    settings = dict(twilio.SETTINGS)
    settings.pop("messaging_service_sid", None)

    with pytest.raises(CannotConnect, match=r"has no number \+"):
        talked("twilio", settings, [reply({"incoming_phone_numbers": []})])


@pytest.mark.parametrize("gateway", ["telegram", "viber", "line", "messenger", "whatsapp", "twilio"])
def test_what_a_provider_refuses_with_is_said(gateway: str) -> None:
    samples = {
        "telegram": telegram, "viber": viber, "line": line,
        "messenger": messenger, "whatsapp": whatsapp, "twilio": twilio,
    }  # fmt: skip

    with pytest.raises(CannotConnect, match=r"HTTP 401, .*the token is wrong"):
        talked(gateway, dict(samples[gateway].SETTINGS), [reply({"message": "the token is wrong"}, 401)])


def test_a_page_that_a_provider_answers_with_is_told_in_a_short_line() -> None:
    page = Reply(404, b"<!doctype html>\n<html><title>404 Not Found</title><h1>Not Found</h1></html>")

    with pytest.raises(CannotConnect) as raised:
        talked("twilio", dict(twilio.SETTINGS), [page])

    assert "HTTP 404, with a page for browsers." in str(raised.value)
    assert "<" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_another_address_than_ours_is_no_success() -> None:
    elsewhere = {"result": {"url": "https://other.example.org/hooks/city"}}

    with pytest.raises(CannotConnect, match=r"other\.example\.org"):
        talked("telegram", dict(telegram.SETTINGS), [reply(), reply(elsewhere)])


def test_whoever_has_no_such_api_has_no_conversation() -> None:
    assert conversation("vonage", {}, None, HOOK) is None
    with_one = {name for name in GATEWAYS if conversation(name, {}, None, HOOK) is not None}
    assert with_one == {"line", "messenger", "telegram", "twilio", "viber", "whatsapp"}


def told(gateway: str, *replies: Reply) -> tuple[list[str], tuple[str, ...]]:
    settings = {"line": line.SETTINGS, "whatsapp": whatsapp.SETTINGS}[gateway]
    talk = quota(gateway, settings, None, HOOK)
    assert talk is not None
    asked, left = [next(talk).url], list(replies)
    while True:
        try:
            asked.append(talk.send(left.pop(0)).url)
        except StopIteration as end:
            return asked, end.value


def test_line_tells_what_is_left_of_the_month() -> None:
    asked, said = told("line", reply({"type": "limited", "value": 1000}), reply({"totalUsage": 400}))

    assert [one.rpartition("/bot/")[2] for one in asked] == ["message/quota", "message/quota/consumption"]
    assert said == ("LINE takes 1,000 messages this month; sent: 400; left: 600.",)


def test_a_plan_without_a_limit_says_so() -> None:
    _, said = told("line", reply({"type": "none"}), reply({"totalUsage": 4321}))

    assert said == ("LINE sets no limit; sent this month: 4,321.",)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"messaging_limit_tier": "TIER_1K", "quality_rating": "RED"}, ("1,000 people", "low")),
        ({"messaging_limit_tier": "TIER_9M", "quality_rating": "BLUE"}, ("TIER_9M people", "BLUE")),
        ({}, ("an unknown number of people", "unknown")),
    ],
)
def test_whatsapp_tells_tier_and_quality(found: dict[str, str], words: tuple[str, str]) -> None:
    _, said = told("whatsapp", reply(found))

    assert all(word in line_ for word, line_ in zip(words, said, strict=True))


def test_who_tells_no_quota_is_asked_nothing() -> None:
    assert quota("telegram", {}, None, HOOK) is None
