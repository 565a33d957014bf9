"""What Telegram's Bot API says; bodies after core.telegram.org/bots/api and the open server's source."""

import json
from typing import Any

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal
from app.gateways.base import Reply
from tests.gateways.sample import PRESSED, Sample, post

SECRET = "a-secret-for-webhooks"
SETTINGS = {"token": "123456:" + "A" * 35, "bot": "CityDeskBot", "secret": SECRET}
ADA = {"id": 4242, "type": "private", "first_name": "Ada"}


def update(number: int, secret: str = SECRET, **what: Any) -> HookRequest:
    body = json.dumps({"update_id": number, **what}).encode()
    return post(body, {"x-telegram-bot-api-secret-token": secret})


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"message_id": 9, "date": 1795370000, "chat": ADA, "from": {"id": 4242}, "text": text, **more}


def membership(status: str) -> dict[str, Any]:
    bot = {"id": 77, "is_bot": True, "first_name": "News"}
    return {"chat": ADA, "date": 1795370050, "new_chat_member": {"user": bot, "status": status}}


def failure(code: int, words: str, **parameters: int) -> Reply:
    body = {"ok": False, "error_code": code, "description": words, "parameters": parameters}
    return Reply(code, json.dumps(body).encode())


SAMPLE = Sample(
    name="telegram",
    settings=SETTINGS,
    sender="@CityDeskBot",
    wrong_settings=[
        ({"token": "hello"}, "BotFather"),
        ({"secret": "short"}, "setWebhook"),
        ({"paid_broadcast": "perhaps"}, "yes or no"),
    ],
    addresses=["4242", "4243", "-1001"],
    accepted=lambda count: Reply(200, b'{"ok": true, "result": {"message_id": 17}}'),
    provider_id="17",
    failures=[
        (failure(403, "Forbidden: bot was blocked by the user"), ErrorKind.BLOCKED),
        (failure(403, "Forbidden: bot was kicked from the group chat"), ErrorKind.BLOCKED),
        (failure(403, "Forbidden: user is deactivated"), ErrorKind.GONE),
        (failure(400, "Bad Request: chat not found"), ErrorKind.INVALID),
        (failure(400, "Bad Request: message is too long"), ErrorKind.CONTENT),
        (failure(429, "Too Many Requests: retry after 7", retry_after=7), ErrorKind.RATE_LIMITED),
        (failure(401, "Unauthorized"), ErrorKind.AUTH),
        (failure(404, "Not Found"), ErrorKind.AUTH),
        (failure(500, "Internal Server Error"), ErrorKind.TEMPORARY),
        (failure(400, "Bad Request: SOMETHING_NEW"), ErrorKind.TEMPORARY),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
    ],
    stop=update(501, message=message("STOP")),
    tampered=update(501, "another-secret-here", message=message("STOP")),
    malformed=[post(b"{", {}), post(b"[]", {}), post(b"{}", {})],
    signals={
        PlatformSignal.LEFT: update(502, my_chat_member=membership("kicked")),
        PlatformSignal.CAME_BACK: update(503, my_chat_member=membership("member")),
    },
    deep_link=update(504, message=message("/start weekly_poster7")),
    press=update(
        505, callback_query={"id": "77", "from": {"id": 4242}, "message": message("Well?"), "data": PRESSED}
    ),
)
