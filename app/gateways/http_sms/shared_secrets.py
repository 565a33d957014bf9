"""Webhooks that are signed with a secret which the provider and we share: Vonage's, Plivo's, MessageBird's, and logins.

Each function takes the secret and returns a check that raises `BadSignature`.
"""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from app.domain.messages import HookRequest
from app.gateways.base import BadSetting, BadSignature

Check = Callable[[HookRequest], None]
Pairs = list[tuple[str, str]]

METHODS: Final = ("md5hash", "md5", "sha1", "sha256", "sha512")
"""What an account at Vonage is set to: a plain MD5 over parameters and secret, or an HMAC."""
OURS: Final = frozenset({"key", "d"})
"""Parameters of the address that we gave the provider; those of a webhook by GET stand beside them."""
_ALGORITHMS: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def parameters(secret: str, method: str, setting: str) -> Check:
    """`sig` among the parameters: a hash over all the others, by name. Raises `BadSetting` for an unknown `method`.

    Source: developer.vonage.com, "Signing messages": each as `&name=value`, with _ for & and = in a value, in hex.
    This is the SMS API's way; the tokens (JWT) of Vonage's Messages API are another product's.
    """
    if method not in METHODS:
        raise BadSetting(
            f"{setting} is {method or 'missing'}; give what the account's settings at the provider show, "
            f"one of {', '.join(METHODS)}. Example: --set {setting}=sha256"
        )

    def check(request: HookRequest) -> None:
        found = dict(_posted(request) if request.body else _asked(request))
        given = found.pop("sig", "").lower()
        if not _same(given, _hash_of(sorted(found.items()), secret, method)):
            raise BadSignature("The sig does not fit these parameters and the sender's signature secret.")

    return check


def _hash_of(pairs: Pairs, secret: str, method: str) -> str:
    joined = "".join(f"&{name}={value.replace('&', '_').replace('=', '_')}" for name, value in pairs)
    if method == "md5hash":
        return hashlib.md5((joined + secret).encode(), usedforsecurity=False).hexdigest()
    return hmac.new(secret.encode(), joined.encode(), method).hexdigest()


def plivo(token: str) -> Check:
    """`X-Plivo-Signature-V3` where it comes, else V2, by which Plivo's page on messages says that it signs them.

    Sources: docs.plivo.com, "Validating requests" of messaging (V2: the address without its query, and the nonce) and
    of voice (V3: the whole address and the posted parameters, too). Several signatures stand with commas between.
    """

    def check(request: HookRequest) -> None:
        v3 = "x-plivo-signature-v3" in request.headers
        name = "x-plivo-signature-v3" if v3 else "x-plivo-signature-v2"
        nonce = request.headers.get(f"{name}-nonce", "")
        said = f"{_plivo_v3(request)}.{nonce}" if v3 else request.public_url.partition("?")[0] + nonce
        expected = b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha256).digest()).decode()
        given = request.headers.get(name, "").split(",")
        if not nonce or not any(_same(one.strip(), expected) for one in given):
            raise BadSignature(
                f"The {name} does not fit this address, its parameters and the sender's token."
            )

    return check


def _plivo_v3(request: HookRequest) -> str:
    """The address with its query by name, a dot, and the posted parameters by name, one behind the other."""
    parts = urlsplit(request.public_url)
    bare = f"{parts.scheme}://{parts.netloc}{parts.path}"
    query = "&".join(f"{name}={value}" for name, value in sorted(_query(parts.query)))
    posted = "".join(f"{name}{value}" for name, value in sorted(_posted(request)))
    if not posted:
        return f"{bare}?{query}" if query else bare
    return f"{bare}?{query}{'.' if query else ''}{posted}"


def token(key: str, header: str) -> Check:
    """A JSON Web Token in `header`, signed by HMAC over the hashes of the whole address and of the body.

    Source: developers.messagebird.com, "Verify HTTP requests".
    """

    def check(request: HookRequest) -> None:
        claims = _claims(request.headers.get(header, ""), key)
        address = hashlib.sha256(request.public_url.encode()).hexdigest()
        body = hashlib.sha256(request.body).hexdigest() if request.body else ""
        if not _same(_text(claims.get("url_hash")), address):
            raise BadSignature(f"The {header} was made for another address; check PUBLIC_URL.")
        if not _same(_text(claims.get("payload_hash")), body):
            raise BadSignature(f"The {header} was made for another body.")

    return check


def _claims(token: str, key: str) -> Mapping[str, Any]:
    """Return what a token says; raises `BadSignature` unless this key signed it."""
    signed, _, signature = token.rpartition(".")
    try:
        algorithm = json.loads(_decoded(signed.partition(".")[0]))["alg"]
        expected = hmac.new(key.encode(), signed.encode(), _ALGORITHMS[algorithm]).digest()
        if hmac.compare_digest(_decoded(signature), expected):
            found = json.loads(_decoded(signed.partition(".")[2]))
            if isinstance(found, dict):
                return found
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadSignature("The token of this webhook is missing or none.") from error
    raise BadSignature("The token was not signed with the sender's signing key.")


def basic(login: str, setting: str) -> Check:
    """A login that the operator gave to the provider for our address. Raises `BadSetting` for one without a colon."""
    if ":" not in login:
        raise BadSetting(
            f"{setting} is a name and a password with a colon between. Example: {setting}=hooks:secret"
        )

    def check(request: HookRequest) -> None:
        scheme, _, coded = request.headers.get("authorization", "").partition(" ")
        try:
            given = b64decode(coded, validate=True).decode() if scheme.casefold() == "basic" else ""
        except ValueError:
            given = ""
        if not _same(given, login):
            raise BadSignature(f"The login of this webhook is not the sender's {setting}.")

    return check


def _posted(request: HookRequest) -> Pairs:
    return _query(request.body.decode(errors="replace"))


def _asked(request: HookRequest) -> Pairs:
    return [(name, value) for name, value in request.query.items() if name not in OURS]


def _query(text: str) -> Pairs:
    return parse_qsl(text, keep_blank_values=True)


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
