"""Telegram's `setWebhook` and `getWebhookInfo` (core.telegram.org/bots/api, 10.1)."""

from collections.abc import Mapping
from typing import Final

from app.gateways.connect.talk import Connected, Conversation, answer, call, check_address
from app.gateways.paths import at
from app.gateways.telegram import API

# What `TelegramGateway.parse` reads. `my_chat_member` tells who blocked us: it must never be missing.
UPDATES: Final = ["message", "callback_query", "my_chat_member"]


def talk(settings: Mapping[str, str], base_url: str | None, hook: str) -> Conversation:
    """Set the address, the secret and the updates that we read; then ask what Telegram knows."""
    url = f"{(base_url or API).rstrip('/')}/bot{settings['token']}"
    wanted = {"url": hook, "secret_token": settings["secret"], "allowed_updates": UPDATES}
    answer((yield call("POST", f"{url}/setWebhook", wanted)), "setWebhook")
    found = answer((yield call("POST", f"{url}/getWebhookInfo", {})), "getWebhookInfo")
    check_address(at(found, "result.url"), hook, "Telegram")
    waiting, error = at(found, "result.pending_update_count"), at(found, "result.last_error_message")
    done = (
        f"Telegram posts {', '.join(UPDATES)} to {hook}, with the secret in its header.",
        f"Updates that wait there: {waiting or '0'}.",
    )
    return Connected(done, (f"Telegram's last attempt failed: {error}.",) if error else ())
