"""Encrypt a message so that one browser alone can read it (RFC 8291, on the encoding aes128gcm of RFC 8188)."""

import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE: Final = ec.SECP256R1()
# What push services must take of an encrypted body (RFC 8030, section 7.2).
MAX_BODY: Final = 4096
_SALT_BYTES: Final = 16
_POINT_BYTES: Final = 65
# Salt, size of a record (4 bytes), length of the key (1), our public key; behind it one delimiter and the tag.
_OVERHEAD: Final = _SALT_BYTES + 4 + 1 + _POINT_BYTES + 1 + 16
MAX_PLAIN: Final = MAX_BODY - _OVERHEAD
_LAST_RECORD: Final = b"\x02"


def encrypt(
    plain: bytes,
    receiver: bytes,
    auth: bytes,
    *,
    own_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the body of a push for the browser whose public key (65 bytes) and secret (16 bytes) these are.

    Key and salt are fresh for each message (RFC 8291, section 3.1); tests give those of the RFC's example. Raises
    ValueError when `receiver` is no point of the curve.
    """
    own_key = own_key or ec.generate_private_key(CURVE)
    salt = salt or os.urandom(_SALT_BYTES)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, receiver)
    ours = point_of(own_key.public_key())
    secret = own_key.exchange(ec.ECDH(), theirs)
    key, nonce = content_keys(secret, auth, salt, receiver, ours)
    head = salt + MAX_BODY.to_bytes(4, "big") + len(ours).to_bytes(1, "big") + ours
    return head + AESGCM(key).encrypt(nonce, plain + _LAST_RECORD, None)


def content_keys(
    secret: bytes, auth: bytes, salt: bytes, receiver: bytes, ours: bytes
) -> tuple[bytes, bytes]:
    """Return the key (16 bytes) and the nonce (12) of a message, from the secret that both ends share."""
    mixed = _expand(_extract(auth, secret), b"WebPush: info\x00" + receiver + ours, 32)
    pseudorandom = _extract(salt, mixed)
    key = _expand(pseudorandom, b"Content-Encoding: aes128gcm\x00", 16)
    return key, _expand(pseudorandom, b"Content-Encoding: nonce\x00", 12)


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as browsers and push services write it: 65 bytes, uncompressed."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _extract(salt: bytes, material: bytes) -> bytes:
    """The first half of HKDF-SHA-256 (RFC 5869)."""
    return hmac.digest(salt, material, "sha256")


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    """The second half, for one block: nothing here is longer than 32 bytes."""
    return hmac.digest(key, info + b"\x01", "sha256")[:length]
