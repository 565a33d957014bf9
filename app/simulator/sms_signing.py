"""How each SMS provider signs what it tells us, written after its own page and from the other end than the product's.

Only an account that shares a key with us is signed for. For Ed25519 the simulator has the private half, `signing_key`.
"""

import hashlib
import hmac
import json
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.simulator.messengers import Told

Signature = Mapping[str, str]
Settings = Mapping[str, str]


def signed(signature: Signature, settings: Settings, told: Told) -> Told:
    """Return the webhook with what the provider puts to it; as it is, where the account has no key."""
    if not signature or not settings.get(signature["setting"]):
        return told
    return _SIGN[signature.get("kind", "ed25519")](signature, settings, told)


def _ed25519(signature: Signature, settings: Settings, told: Told) -> Told:
    if "signing_key" not in settings:
        return told
    at = str(int(time.time()))  # noqa: TID251 -- a provider's clock
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings["signing_key"]))
    word = b64encode(key.sign(f"{at}|".encode() + told.body)).decode()
    return _with(told, {signature["header"]: word, signature["timestamp"]: at})


def _parameters(signature: Signature, settings: Settings, told: Told) -> Told:
    fields = dict(parse_qsl(told.body.decode(), keep_blank_values=True))
    fields |= {"nonce": secrets.token_hex(8), "timestamp": str(int(time.time()))}  # noqa: TID251 -- a provider's clock
    digest = _digest_of(settings[signature["method"]], settings[signature["setting"]].encode())
    for name in sorted(fields):
        digest.update(f"&{name}={fields[name].translate({ord('&'): '_', ord('='): '_'})}".encode())
    if settings[signature["method"]] == "md5hash":
        digest.update(settings[signature["setting"]].encode())
    return replace(told, body=urlencode(fields | {"sig": digest.hexdigest()}).encode())


def _digest_of(method: str, secret: bytes) -> "hashlib._Hash | hmac.HMAC":
    if method == "md5hash":
        return hashlib.md5(usedforsecurity=False)
    return hmac.new(secret, digestmod=method)


def _plivo(signature: Signature, settings: Settings, told: Told) -> Told:
    """Both versions, as for a provider that moves from one to the other."""
    key, nonce = settings[signature["setting"]], secrets.token_hex(10)
    bare, _, query = told.url.partition("?")
    asked = "&".join(sorted(f"{name}={value}" for name, value in parse_qsl(query)))
    fields = dict(parse_qsl(told.body.decode(), keep_blank_values=True))
    whole = f"{bare}?{asked}." + "".join(name + fields[name] for name in sorted(fields)) + f".{nonce}"
    headers: dict[str, str] = {}
    for version, said in (("V2", bare + nonce), ("V3", whole)):
        word = b64encode(hmac.digest(key.encode(), said.encode(), "sha256")).decode()
        headers |= {f"X-Plivo-Signature-{version}": word, f"X-Plivo-Signature-{version}-Nonce": nonce}
    return _with(told, headers)


def _jwt(signature: Signature, settings: Settings, told: Told) -> Told:
    now = int(time.time())  # noqa: TID251 -- a provider's clock
    claims = {"iss": "MessageBird", "nbf": now, "exp": now + 60, "jti": secrets.token_hex(8)}
    claims["url_hash"] = hashlib.sha256(told.url.encode()).hexdigest()
    if told.body:
        claims["payload_hash"] = hashlib.sha256(told.body).hexdigest()
    said = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    word = _base64url(hmac.digest(settings[signature["setting"]].encode(), said.encode(), "sha256"))
    return _with(told, {signature["header"]: f"{said}.{word}"})


def _basic(signature: Signature, settings: Settings, told: Told) -> Told:
    login = b64encode(settings[signature["setting"]].encode()).decode()
    return _with(told, {"Authorization": f"Basic {login}"})


def _with(told: Told, headers: Mapping[str, str]) -> Told:
    return replace(told, headers={**told.headers, **headers})


def _part(document: Mapping[str, object]) -> str:
    return _base64url(json.dumps(document).encode())


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


_SIGN: Final[Mapping[str, Callable[[Signature, Settings, Told], Told]]] = {
    "ed25519": _ed25519,
    "parameters": _parameters,
    "plivo": _plivo,
    "jwt": _jwt,
    "basic": _basic,
}
