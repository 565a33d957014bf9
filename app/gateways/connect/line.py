"""LINE's webhook endpoint and its test (github.com/line/line-openapi, messaging-api)."""

from collections.abc import Mapping

from app.gateways.connect.talk import (
    CannotConnect,
    Connected,
    Conversation,
    answer,
    bearer,
    call,
    check_address,
)
from app.gateways.line import API
from app.gateways.paths import at

_SWITCH = "Switch on “Use webhook” in LINE Developers, your channel, Messaging API: there is no API for it."


def talk(settings: Mapping[str, str], base_url: str | None, hook: str) -> Conversation:
    """Set the address, let LINE test it, and ask whether webhooks are switched on."""
    url = f"{(base_url or API).rstrip('/')}/v2/bot/channel/webhook"
    access = bearer(settings["channel_token"])
    answer((yield call("PUT", f"{url}/endpoint", {"endpoint": hook}, access)), "Setting the webhook")
    found = answer((yield call("GET", f"{url}/endpoint", None, access)), "Asking for the webhook")
    check_address(at(found, "endpoint"), hook, "LINE")
    done = (f"LINE posts to {hook}.",)
    if at(found, "active") != "true":
        return Connected(done, (_SWITCH, "Then run this command again: it tests the webhook."))
    tested = answer((yield call("POST", f"{url}/test", {"endpoint": hook}, access)), "Testing the webhook")
    if at(tested, "success") != "true":
        raise CannotConnect(
            f"LINE called {hook} and got {at(tested, 'statusCode') or 'no answer'}: {at(tested, 'reason')} "
            f"{at(tested, 'detail')[:200]}".rstrip()
        )
    return Connected((*done, "LINE called it and was answered."))
