"""WeChat's signatures, and its messages under the EncodingAESKey ("safe mode").

Source: developers.weixin.qq.com, "Message encryption and decryption", read in November 2026. AES-256-CBC, the key's
first 16 bytes as IV, padded to 32 bytes as PKCS#7 does; inside are 16 random bytes, the length in four, the XML, and
the app id.
"""

import base64
import binascii
import hashlib
import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_LENGTH: Final = 43
"""Letters and digits of an EncodingAESKey: base64 without its last "="."""

_BLOCK: Final = 32
_RANDOM: Final = 16
_HEAD: Final = _RANDOM + 4


class CannotDecrypt(ValueError):
    """Not made with this key, or for another account."""


def signature(*values: str) -> str:
    """Return the hex SHA-1 over the values, sorted and joined: with the token among them only WeChat and we know it."""
    return hashlib.sha1("".join(sorted(values)).encode(), usedforsecurity=False).hexdigest()


def key_of(aes_key: str) -> bytes:
    """Return the 32 bytes of an EncodingAESKey; raises ValueError when it has not that many."""
    try:
        key = base64.b64decode(aes_key + "=", validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if len(aes_key) != KEY_LENGTH or len(key) != _BLOCK:
        raise ValueError(f"{KEY_LENGTH} letters and digits are needed")
    return key


def encrypt(key: bytes, app_id: str, xml: bytes, salt: bytes | None = None) -> str:
    """Return what stands in `<Encrypt>`; `salt` has 16 bytes, random ones where none are given."""
    plain = (salt or secrets.token_bytes(_RANDOM)) + len(xml).to_bytes(4, "big") + xml + app_id.encode()
    padding = _BLOCK - len(plain) % _BLOCK
    encryptor = _cipher(key).encryptor()
    sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def decrypt(key: bytes, app_id: str, sealed: str) -> bytes:
    """Return the XML inside `<Encrypt>`; raises `CannotDecrypt`."""
    try:
        decryptor = _cipher(key).decryptor()
        plain = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
    except ValueError as error:  # no base64, or no whole blocks
        raise CannotDecrypt("The encrypted message is damaged.") from error
    plain = plain[: -plain[-1]] if plain else plain
    end = _HEAD + int.from_bytes(plain[_RANDOM:_HEAD], "big")
    if plain[end:] != app_id.encode():
        raise CannotDecrypt("The message was encrypted with another EncodingAESKey, or for another app id.")
    return plain[_HEAD:end]


def _cipher(key: bytes) -> "Cipher[modes.CBC]":
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
