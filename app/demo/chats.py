"""The demo's accounts on messengers: City News goes out by Telegram, WhatsApp and LINE, too."""

from collections.abc import Mapping
from typing import Final, NamedTuple

BOT: Final = "CityDeskBot"
WHATSAPP: Final = "+12025550101"
LINE: Final = "@citydesk"
ADDRESSES: Final = (f"@{BOT}", WHATSAPP, LINE)
"""Where phones write to."""


class ChatAccount(NamedTuple):
    """One account: the sender's name here, its gateway (named like the channel), address, and what both sides share."""

    sender: str
    channel: str
    address: str
    settings: Mapping[str, str]


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
    return (
        ChatAccount("city-telegram", "telegram", f"@{BOT}", telegram),
        ChatAccount("city-whatsapp", "whatsapp", WHATSAPP, whatsapp),
        ChatAccount("city-line", "line", LINE, line),
    )
