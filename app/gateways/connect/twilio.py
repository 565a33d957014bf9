"""Twilio's address for inbound texts: at the Messaging Service where the sender is one, else at the number.

Source: twilio/twilio-oai, api v2010 (IncomingPhoneNumbers) and messaging v1 (Services). Receipts need no setting: each
message names its own address.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from app.gateways.base import Call
from app.gateways.connect.talk import CannotConnect, Connected, Conversation, answer, check_address
from app.gateways.paths import at
from app.gateways.twilio import API

SERVICES: Final = "https://messaging.twilio.com"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


def talk(settings: Mapping[str, str], base_url: str | None, hook: str) -> Conversation:
    """Tell the service or the number where to post what people write."""
    access = settings["account_sid"], settings["auth_token"]
    service = settings.get("messaging_service_sid")
    if service:
        url = f"{(base_url or SERVICES).rstrip('/')}/v1/Services/{quote(service)}"
        form = {"InboundRequestUrl": hook, "InboundMethod": "POST", "UseInboundWebhookOnNumber": "false"}
        found = answer((yield _post(url, form, access)), "Setting the service's webhook")
        check_address(at(found, "inbound_request_url"), hook, "Twilio")
        return Connected((f"Twilio posts what is written to any number of {service} to {hook}.",))
    number = settings["from"]
    root = f"{(base_url or API).rstrip('/')}/2010-04-01/Accounts/{quote(access[0])}/IncomingPhoneNumbers"
    listed = Call("GET", f"{root}.json?{urlencode({'PhoneNumber': number})}", b"", _FORM, access)
    sid = at(answer((yield listed), "Looking for the number"), "incoming_phone_numbers.0.sid")
    if not sid:
        raise CannotConnect(f"The account {access[0]} has no number {number}; see Twilio's console, Numbers.")
    changed = yield _post(f"{root}/{quote(sid)}.json", {"SmsUrl": hook, "SmsMethod": "POST"}, access)
    found = answer(changed, "Setting the number's webhook")
    check_address(at(found, "sms_url"), hook, "Twilio")
    return Connected((f"Twilio posts what is written to {number} to {hook}.",))


def _post(url: str, form: Mapping[str, str], access: tuple[str, str]) -> Call:
    return Call("POST", url, urlencode(form).encode(), _FORM, access)
