"""Webhooks that a provider signs with an Ed25519 key of its own: the operator gives us the public half.

Source: developers.telnyx.com, "Webhook signing": the signature is over the timestamp, a bar, and the body as it came.
How old the timestamp is does not matter: a webhook that comes again changes nothing.
"""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.domain.messages import HookRequest
from app.gateways.base import BadSetting, BadSignature


@dataclass(frozen=True)
class Signature:
    """Which setting holds the public key, and in which headers (lower case) signature and timestamp come."""

    setting: str
    header: str
    timestamp: str


def signature_of(data: Mapping[str, Any]) -> Signature | None:
    """Read `[signature]` of a provider's file. Raises `KeyError` for a missing key, `ValueError` for a wrong one."""
    found = data.get("signature")
    if found is None:
        return None
    if found["setting"] not in data["settings"]:
        raise ValueError(f"signature.setting is {found['setting']!r}, which is no setting of this provider.")
    return Signature(found["setting"], found["header"].lower(), found["timestamp"].lower())


def key_of(signature: Signature | None, settings: Mapping[str, str]) -> Ed25519PublicKey | None:
    """Return the key that a sender's webhooks are checked with, or None without one; raises `BadSetting`."""
    given = settings.get(signature.setting, "") if signature else ""
    if signature is None or not given:
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(b64decode(given, validate=True))
    except ValueError as error:
        raise BadSetting(
            f"{signature.setting} is no Ed25519 key: it has 44 characters (32 bytes in Base64) and ends with =."
        ) from error


def check(signature: Signature, key: Ed25519PublicKey, request: HookRequest) -> None:
    """Raise `BadSignature` unless the provider signed this body at the time that it says."""
    at = request.headers.get(signature.timestamp, "")
    try:
        signed = b64decode(request.headers.get(signature.header, ""), validate=True)
        key.verify(signed, at.encode() + b"|" + request.body)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(
            f"The {signature.header} does not fit this body, its time and the sender's {signature.setting}."
        ) from error
