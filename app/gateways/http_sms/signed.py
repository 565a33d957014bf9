"""How a provider's file says that its webhooks are signed, and the check that a sender's settings make of it.

How old a signature is does not matter: a webhook that comes again changes nothing, and a late one still counts.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.domain.messages import HookRequest
from app.gateways.base import BadSetting, BadSignature
from app.gateways.http_sms import shared_secrets

Check = Callable[[HookRequest], None]
"""Raises `BadSignature` unless the provider sent this webhook."""

_HEADERS: Final = {"ed25519": ("header", "timestamp"), "jwt": ("header",)}
KINDS: Final = ("ed25519", "parameters", "plivo", "jwt", "basic")


@dataclass(frozen=True)
class Signature:
    """How webhooks are signed (`KINDS`), and which of the sender's settings holds the key.

    `header`, `timestamp`: where signature and time come, in lower case. `method`: the setting that says which hash.
    """

    setting: str
    kind: str = "ed25519"
    header: str = ""
    timestamp: str = ""
    method: str = ""


def signature_of(data: Mapping[str, Any]) -> Signature | None:
    """Read `[signature]` of a provider's file. Raises `KeyError` for a missing key, `ValueError` for a wrong one."""
    found = data.get("signature")
    if found is None:
        return None
    kind = found.get("kind", "ed25519")
    if kind not in KINDS:
        raise ValueError(f"signature.kind is {kind!r}; it may be {', '.join(KINDS)}.")
    named = ["setting", *(["method"] if kind == "parameters" else [])]
    for key in named:
        if found[key] not in data["settings"]:
            raise ValueError(f"signature.{key} is {found[key]!r}, which is no setting of this provider.")
    headers = {key: str(found[key]).lower() for key in _HEADERS.get(kind, ())}
    return Signature(kind=kind, **headers, **{key: found[key] for key in named})


def check_of(signature: Signature | None, settings: Mapping[str, str]) -> Check | None:
    """Return what tries a sender's webhooks; None where its settings have no key. Raises `BadSetting`."""
    given = settings.get(signature.setting, "") if signature else ""
    if signature is None or not given:
        return None
    if signature.kind == "parameters":
        return shared_secrets.parameters(given, settings.get(signature.method, ""), signature.method)
    if signature.kind == "plivo":
        return shared_secrets.plivo(given)
    if signature.kind == "jwt":
        return shared_secrets.token(given, signature.header)
    if signature.kind == "basic":
        return shared_secrets.basic(given, signature.setting)
    return _ed25519(given, signature)


def _ed25519(given: str, signature: Signature) -> Check:
    """The operator gives us the public half of the provider's key.

    Source: developers.telnyx.com, "Webhook signing": over the timestamp, a bar, and the body as it came.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(given, validate=True))
    except ValueError as error:
        raise BadSetting(
            f"{signature.setting} is no Ed25519 key: it has 44 characters (32 bytes in Base64) and ends with =."
        ) from error

    def check(request: HookRequest) -> None:
        at = request.headers.get(signature.timestamp, "")
        try:
            signed = b64decode(request.headers.get(signature.header, ""), validate=True)
            key.verify(signed, at.encode() + b"|" + request.body)
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(
                f"The {signature.header} does not fit this body, its time and the sender's {signature.setting}."
            ) from error

    return check
