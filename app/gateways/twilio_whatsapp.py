"""WhatsApp by Twilio: the API of its SMS with `whatsapp:` before each address, and templates named by ContentSid.

Source: twilio.com/docs/whatsapp and its error dictionary, codes 63xxx, read in November 2026.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_plus

from app.domain.addresses import Address, BadAddress, canonical
from app.domain.buttons import TEXT_VARIABLE
from app.domain.channels import CHANNELS
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import Batch, InboundMessage, ReceiptStatus, Recipient
from app.domain.pace import PAIRS
from app.domain.policy.proactive import window_of
from app.domain.styles import styles_named
from app.gateways.base import BadSetting, Call, Capabilities, SettingSpec
from app.gateways.common import in_marks
from app.gateways.twilio import ACCOUNT_SETTINGS, TwilioGateway

SCHEME: Final = "whatsapp:"


class TwilioWhatsAppGateway(TwilioGateway):
    """One WhatsApp number at Twilio. With `content_sid` set, whatever does not answer a person is that template."""

    name = "twilio_whatsapp"
    channel = "whatsapp"
    settings = (
        *ACCOUNT_SETTINGS,
        SettingSpec("content_sid", secret=False, example="HX" + "0" * 32, required=False),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        super().__init__(settings, base_url)
        if "From" in self._sender:
            self._sender = {"From": f"{SCHEME}{self._from}"}
        self._content_sid = settings.get("content_sid", "")
        self.has_template = bool(self._content_sid)

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address (E.164); raises `BadSetting` naming what is missing, wrong or unknown."""
        if settings.get("content_sid") and not settings["content_sid"].startswith("HX"):
            raise BadSetting("content_sid must begin with HX; find it at the template in Twilio's console.")
        return super().check_settings(settings)

    @classmethod
    def capabilities(cls) -> Capabilities:
        """80 messages a second for a number at Meta; Twilio tells of no switch for marketing."""
        return Capabilities(
            channel=cls.channel,
            max_text=CHANNELS[cls.channel].longest,
            text_unit="chars",
            default_rate=20.0,
            rate_unit="message",
            pair=PAIRS[cls.channel],
            window=window_of(cls.channel),
            templates=True,
            receipts=frozenset(ReceiptStatus),
            media=media_of(cls.name),
            styles=styles_named(cls.name),
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a recipient: the API takes no more. Apps read marks of styles in the text."""
        return super().encode(replace(batch, recipients=tuple(in_marks(batch.recipients))))

    @staticmethod
    def _to(address: str) -> str:
        return quote_plus(f"{SCHEME}{address}")

    def _content(self, recipient: Recipient) -> str:
        """Free text answers a person, whose words opened the window. A template's variable holds one line only."""
        use = recipient.rich.template if recipient.rich else None
        if use is None and (not self._content_sid or recipient.ref.inbound_id > 0):
            return super()._content(recipient)
        given = use.variables if use and use.variables else (TEXT_VARIABLE,)
        texts = [recipient.text if one == TEXT_VARIABLE else one for one in given]
        variables = json.dumps(
            {str(number): " ".join(one.split()) for number, one in enumerate(texts, start=1)}
        )
        sid = use.name if use else self._content_sid
        return f"ContentSid={quote_plus(sid)}&ContentVariables={quote_plus(variables)}"

    def _with_media(self, recipient: Recipient, media: Media) -> str:
        """Free text with a file. An approved text has no room for one: the words in its place end our text."""
        if recipient.rich is None or recipient.rich.template is None:
            return super()._with_media(recipient, media)
        return self._content(recipient._replace(text=recipient.text + media.instead))

    def _as_answered(self, message: InboundMessage) -> InboundMessage:
        """Twilio's default words are those of SMS; here only `OptOutType` tells that it answered."""
        return message

    @staticmethod
    def _person(sender: str) -> Address:
        """A number, or the id of somebody who shows none; raises `BadAddress`."""
        return canonical("whatsapp", sender.removeprefix(SCHEME))

    def _who(self, fields: Mapping[str, str]) -> tuple[Address, Address | None]:
        """Who shows a number shows their id beside it, as `ExternalUserId`."""
        person, _ = super()._who(fields)
        try:
            also_at = self._person(fields.get("ExternalUserId", ""))
        except BadAddress:
            return person, None
        return person, also_at if also_at != person else None

    def link(self, payload: str) -> str:
        """Opens the chat with the word written already."""
        return f"https://wa.me/{self._from.removeprefix('+')}?text={quote(payload)}"
