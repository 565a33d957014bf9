"""Whether a post carries Twilio's signature, asked of Twilio's own validator in the cheapest order."""

from collections.abc import Callable, Sequence
from hmac import compare_digest
from typing import Final
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import RequestValidator

from app.domain.messages import HookRequest

FormReader = Callable[[bytes], Sequence[tuple[str, str]]]
_HASH: Final = "bodySHA256"


def is_signed(validator: RequestValidator, request: HookRequest, fields_of: FormReader) -> bool:
    """Tell whether `X-Twilio-Signature` fits the public address and the fields of the form.

    Where the address has a `bodySHA256`, the body is JSON: its hash is signed with the address, and no field.
    """
    signature, url = request.headers.get("x-twilio-signature", ""), request.public_url
    if not signature:
        return False
    if _HASH in url and _HASH in parse_qs(urlsplit(url).query):
        return bool(validator.validate(url, request.body.decode(errors="replace"), signature))
    fields = dict(fields_of(request.body))
    # Mostly the address was signed as we know it; the validator tries it with its port and without, at twice the cost.
    expected = validator.compute_signature(url, fields)
    if compare_digest(expected.encode(), signature.encode()):
        return True
    return bool(validator.validate(url, fields, signature))
