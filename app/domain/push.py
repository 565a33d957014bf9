"""Where a browser can be reached by Web Push: what its subscription says, checked, for strangers write it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from app.domain import base64url

LONGEST_ENDPOINT: Final = 2000
_AUTH_BYTES: Final = 16
_NAME_BYTES: Final = 20


class BadSubscription(ValueError):
    """What claims to be a browser's subscription is none that we may write to; the text says why."""


@dataclass(frozen=True)
class PushRoute:
    """A push service's address for one browser (`endpoint`), the browser's key and secret, and our key it knows.

    `p256dh`, `auth` and `server_key` are base64url, as the Push API of browsers gives them.
    """

    endpoint: str
    p256dh: str
    auth: str
    server_key: str

    @property
    def name(self) -> str:
        """A name for the subscriber, 27 letters, that shows nothing: whoever has the endpoint could use it up."""
        return base64url.encode(digest_of(self.endpoint)[:_NAME_BYTES])

    def as_text(self) -> str:
        """One line that `from_text` reads."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> "PushRoute":
        """Read what `as_text` wrote; raises ValueError for anything else."""
        try:
            return PushRoute(**json.loads(text))
        except TypeError as error:
            raise ValueError("this is no route to a browser") from error


def digest_of(endpoint: str) -> bytes:
    """Return the SHA-256 by which an endpoint is found."""
    return sha256(endpoint.encode()).digest()


def origin_of(endpoint: str) -> str:
    """Return whose push service it is: `https://fcm.googleapis.com`."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def read_subscription(found: Mapping[str, Any], server_key: str) -> PushRoute:
    """Check what a browser's `PushSubscription.toJSON()` gave. Raises `BadSubscription`.

    Whether the host is a public one is asked when a connection to it is opened: a name may lead elsewhere tomorrow.
    """
    keys = found.get("keys")
    if not isinstance(keys, Mapping):
        raise BadSubscription("The subscription has no keys.")
    endpoint, p256dh, auth = found.get("endpoint"), keys.get("p256dh"), keys.get("auth")
    if not (isinstance(endpoint, str) and isinstance(p256dh, str) and isinstance(auth, str)):
        raise BadSubscription(
            "The subscription needs an endpoint and the keys p256dh and auth, all of them text."
        )
    _check_endpoint(endpoint)
    _check_keys(p256dh, auth)
    return PushRoute(endpoint, p256dh, auth, server_key)


def _check_endpoint(endpoint: str) -> None:
    if (
        len(endpoint) > LONGEST_ENDPOINT
        or not endpoint.isascii()
        or not endpoint.isprintable()
        or " " in endpoint
    ):
        raise BadSubscription(f"An endpoint is an address of at most {LONGEST_ENDPOINT} plain letters.")
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError as error:
        raise BadSubscription("The endpoint is no address.") from error
    host = parts.hostname or ""
    if parts.scheme != "https" or "." not in host or "@" in parts.netloc or port not in (None, 443):
        raise BadSubscription(
            "An endpoint begins with https:// and a host's full name, without a port or a user."
        )


def _check_keys(p256dh: str, auth: str) -> None:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64url.decode(p256dh))
        secret = base64url.decode(auth)
    except ValueError as error:
        raise BadSubscription(
            "The key p256dh is no point of the curve P-256, or a key is no base64url."
        ) from error
    if len(secret) != _AUTH_BYTES:
        raise BadSubscription(f"The key auth has {_AUTH_BYTES} bytes.")
