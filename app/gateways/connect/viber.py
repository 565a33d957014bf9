"""Viber's `set_webhook` (developers.viber.com/docs/api/rest-bot-api). Viber calls the address before it answers."""

from collections.abc import Mapping
from typing import Final

from app.gateways.connect.talk import CannotConnect, Connected, Conversation, answer, call, check_address
from app.gateways.paths import at
from app.gateways.viber import API

EVENTS: Final = ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"]


def talk(settings: Mapping[str, str], base_url: str | None, hook: str) -> Conversation:
    """Set the address and the events that we read; then ask what Viber knows."""
    url, access = f"{(base_url or API).rstrip('/')}/pa", {"X-Viber-Auth-Token": settings["token"]}
    wanted = {"url": hook, "event_types": EVENTS, "send_name": False, "send_photo": False}
    for path, body in (("set_webhook", wanted), ("get_account_info", {})):
        found = answer((yield call("POST", f"{url}/{path}", body, access)), path)
        if at(found, "status") != "0":
            raise CannotConnect(f"{path} did not work: {at(found, 'status_message') or 'no reason given'}.")
    check_address(at(found, "webhook"), hook, "Viber")
    return Connected((f"Viber called {hook}, was answered, and posts {', '.join(EVENTS)} there.",))
