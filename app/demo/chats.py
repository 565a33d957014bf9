"""The demo's accounts on messengers: City News goes out by Telegram, WhatsApp and LINE, too.

The German list has notifications of browsers.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, NamedTuple

from app.domain import base64url
from app.gateways.webpush import WebPushGateway

BOT: Final = "CityDeskBot"
WHATSAPP: Final = "+12025550101"
LINE: Final = "@citydesk"
ADDRESSES: Final = (f"@{BOT}", WHATSAPP, LINE)
"""Where phones write to."""


class ChatAccount(NamedTuple):
    """One account: the sender's name here, its gateway (named like the channel), address, and what both sides share.

    It carries `list_name`. With a `page` of our site the other side knows that in place of the settings.
    """

    sender: str
    channel: str
    address: str
    settings: Mapping[str, str]
    list_name: str = "City News"
    page: str = ""

    def shared(self, public_url: str) -> Mapping[str, str]:
        """Return what the simulator is told; our site is at `public_url`."""
        return {"page": public_url + self.page} if self.page else self.settings


def chat_accounts(secret: str) -> tuple[ChatAccount, ...]:
    """Return the accounts; `secret` is what everything secret of the demo is made of."""
    telegram = {"bot": BOT, "token": f"7:{secret}{secret}", "secret": secret}
    # Without a template, so that it reaches whoever wrote within a day: Meta delivers none to numbers of +1.
    whatsapp = {
        "phone_number_id": "100000000000101",
        "number": WHATSAPP,
        "token": secret,
        "app_secret": secret,
        "verify_token": secret,
    }
    line = {"channel_token": secret, "channel_secret": secret, "id": LINE}
    # Web Push software writes a private key as the 32 bytes of a number.
    key = base64url.encode(sha256(f"push {secret}".encode()).digest())
    push = {"private_key": key, "subject": "mailto:desk@example.org"}
    address = WebPushGateway.check_settings(push)
    return (
        ChatAccount("city-telegram", "telegram", f"@{BOT}", telegram),
        ChatAccount("city-whatsapp", "whatsapp", WHATSAPP, whatsapp),
        ChatAccount("city-line", "line", LINE, line),
        ChatAccount("stadt-push", "webpush", address, push, "Stadtnachrichten", "/push/STADT"),
    )
