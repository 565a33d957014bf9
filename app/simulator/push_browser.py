"""The browser on a phone: its subscription, and how it reads what was encrypted for it (RFC 8188, RFC 8291)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.domain import base64url

SERVICE: Final = "https://push.example.net/push-service"
"""Where browsers say that they are reached; the sender's base URL points to the simulator."""
_CURVE: Final = ec.SECP256R1()
_SALT, _HEAD = 16, 21


class CannotRead(ValueError):
    """The body is for another browser, or no encrypted message at all."""


class Browser:
    """Somebody's browser with a subscription for the sender whose public key is `address`.

    Its keys are made of both names, so that a simulator that was started anew reads what comes. They keep nothing
    secret, for the phones belong to nobody.
    """

    def __init__(self, address: str, user_id: str) -> None:
        made_of = f"{address} {user_id}".encode()
        number = int.from_bytes(hashlib.sha256(b"key " + made_of).digest(), "big") // 2 + 1
        self._key = ec.derive_private_key(number, _CURVE)
        self._auth = hashlib.sha256(b"auth " + made_of).digest()[:16]
        self.endpoint = f"{SERVICE}/{address}/{user_id}"

    @property
    def auth(self) -> str:
        """The secret of the subscription, in base64url."""
        return base64url.encode(self._auth)

    @property
    def subscription(self) -> Mapping[str, Any]:
        """What `PushSubscription.toJSON()` says."""
        keys = {"p256dh": base64url.encode(self._point), "auth": self.auth}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    @property
    def _point(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def read(self, body: bytes) -> tuple[Mapping[str, Any], str]:
        """Return the line for the script and the text of a message of ours. Raises `CannotRead`."""
        try:
            line, _, words = self._decrypt(body).partition(b"\n")
            found = json.loads(line)
            text = words.decode()
        except (InvalidTag, ValueError, IndexError) as error:
            raise CannotRead("It is not encrypted for this browser.") from error
        if not isinstance(found, dict):
            raise CannotRead("Its first line is no object.")
        return found, text

    def _decrypt(self, body: bytes) -> bytes:
        salt, length = body[:_SALT], body[_HEAD - 1]
        theirs, sealed = body[_HEAD : _HEAD + length], body[_HEAD + length :]
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs))
        secret = _derive(self._auth, shared, b"WebPush: info\0" + self._point + theirs, 32)
        key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        if not padded.endswith(b"\x02"):
            raise CannotRead("The last record ends with the delimiter 2.")
        return padded[:-1]


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
