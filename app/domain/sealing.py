"""Derives every key from one master key, seals small secrets with them, and hashes addresses."""

import base64
import hmac
import os
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
KEY_VERSION: Final = 1

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEADER: Final = bytes([KEY_VERSION])
_SEPARATOR: Final = "\x1f"
_HOW_TO_MAKE_ONE: Final = 'Make one with: python3 -c "import secrets; print(secrets.token_hex(32))"'


class BadKey(ValueError):
    """This is no key; the message says what is wrong and how to make one."""


class CannotOpen(ValueError):
    """The seal was made with another key or label, or its bytes were altered or cut."""


def address_hmac(key: bytes, label: str, channel: str, address: str) -> str:
    """HMAC-SHA256 over label, channel and address, joined by the unit separator 0x1F, in hex."""
    message = _SEPARATOR.join((label, channel, address))
    return hmac.digest(key, message.encode(), "sha256").hex()


def new_data_key() -> bytes:
    """A fresh random key of 32 bytes for the data of one person."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def seal_with(dek: bytes, plain: bytes) -> bytes:
    """Encrypt with AES-256-GCM: one byte of key version, 12 bytes of nonce, then ciphertext and tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return _HEADER + nonce + AESGCM(_checked(dek)).encrypt(nonce, plain, _HEADER)


def open_with(dek: bytes, sealed: bytes) -> bytes:
    """Undo `seal_with`. Raises CannotOpen."""
    if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
        raise CannotOpen(f"A seal has at least 29 bytes; this has {len(sealed)}. It was cut or is no seal.")
    if sealed[0] != KEY_VERSION:
        raise CannotOpen(f"Sealed with key version {sealed[0]}; the key here is version {KEY_VERSION}.")
    nonce, cipher = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(_checked(dek)).decrypt(nonce, cipher, _HEADER)
    except InvalidTag:
        raise CannotOpen("Sealed with another key or label, or its bytes were altered.") from None


class KeyRing:
    """All keys of an installation, derived from its master key (32 bytes) by label with HKDF-SHA256.

    A label names one use, such as 'sender-secrets'. What is sealed under one label opens under no other.
    """

    def __init__(self, master: bytes) -> None:
        secret = _checked(master)
        # The master key lives in this closure only, so that no repr and no attribute can show it.
        self._key = lru_cache(maxsize=64)(lambda label: _derive(secret, label))

    @classmethod
    def from_text(cls, text: str) -> "KeyRing":
        """Read a master key written as 64 hex digits or as base64 of 32 bytes. Raises BadKey."""
        return cls(_key_from_text(text.strip()))

    def seal(self, plain: bytes, label: str) -> bytes:
        """Encrypt a secret for the use that `label` names; the same input gives other bytes each time."""
        return seal_with(self._key(f"seal:{label}"), plain)

    def open(self, sealed: bytes, label: str) -> bytes:
        """Undo `seal`. Raises CannotOpen."""
        return open_with(self._key(f"seal:{label}"), sealed)

    def wrap(self, dek: bytes) -> bytes:
        """Seal a data key, so that it can lie beside the data it protects."""
        return self.seal(_checked(dek), "data-key")

    def unwrap(self, wrapped: bytes) -> bytes:
        """Undo `wrap`. Raises CannotOpen."""
        return self.open(wrapped, "data-key")

    def index_hmac(self, channel: str, address: str) -> str:
        """The key under which a subscriber is looked up without keeping the address in clear."""
        return address_hmac(self._key("index"), "index", channel, address)

    def suppress_hmac(self, channel: str, address: str) -> str:
        """The key of a suppression, which outlives erasure; it cannot be matched with `index_hmac`."""
        return address_hmac(self._key("suppress"), "suppress", channel, address)

    @property
    def public_key(self) -> str:
        """The Ed25519 key, in hex, with which anybody checks what `sign` signed."""
        return self._signer().public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> bytes:
        """Sign with a key that only the master key leads to; the same message gives the same 64 bytes."""
        return self._signer().sign(message)

    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._key("tree-head"))


def _derive(master: bytes, label: str) -> bytes:
    return HKDF(SHA256(), length=KEY_BYTES, salt=None, info=f"tidings:{label}".encode()).derive(master)


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise BadKey(f"A key has {KEY_BYTES} bytes; this one has {len(key)}. {_HOW_TO_MAKE_ONE}")
    return key


def _key_from_text(text: str) -> bytes:
    if len(text) == 2 * KEY_BYTES:
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise BadKey(
                f"The key has 64 characters, but not all are hex digits. {_HOW_TO_MAKE_ONE}"
            ) from None
    try:
        plain = text.replace("-", "+").replace("_", "/").rstrip("=")
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        raise BadKey(f"The key is neither 64 hex digits nor base64 of 32 bytes. {_HOW_TO_MAKE_ONE}") from None
    return _checked(key)
