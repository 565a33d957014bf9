"""Derives every key from one master key, seals small secrets with them, and hashes addresses."""

import base64
import hmac
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
FORMAT: Final = 1
GONE: Final = "-"
"""Stands in MASTER_KEY_PREVIOUS for a key that was thrown away."""

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEADER: Final = bytes([FORMAT])
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
    """Encrypt with AES-256-GCM: one byte of the format, 12 bytes of nonce, then ciphertext and tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return _HEADER + nonce + AESGCM(_checked(dek)).encrypt(nonce, plain, _HEADER)


def open_with(dek: bytes, sealed: bytes) -> bytes:
    """Undo `seal_with`. Raises CannotOpen."""
    if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
        raise CannotOpen(f"A seal has at least 29 bytes; this has {len(sealed)}. It was cut or is no seal.")
    if sealed[0] != FORMAT:
        raise CannotOpen(f"Sealed in format {sealed[0]}; this version knows format {FORMAT}.")
    nonce, cipher = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(_checked(dek)).decrypt(nonce, cipher, _HEADER)
    except InvalidTag:
        raise CannotOpen("Sealed with another key or label, or its bytes were altered.") from None


class _Master:
    """One master key: everything that is derived from it, by label."""

    def __init__(self, master: bytes) -> None:
        secret = _checked(master)
        # The master key lives in this closure only, so that no repr and no attribute can show it.
        self.key = lru_cache(maxsize=64)(lambda label: _derive(secret, label))

    def hash(self, label: str, channel: str, address: str) -> str:
        return address_hmac(self.key(label), label, channel, address)

    def signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.key("tree-head"))


class KeyRing:
    """All keys of an installation, derived from its master key (32 bytes) by label with HKDF-SHA256.

    A label names one use, such as 'sender-secrets'. What is sealed under one label opens under no other.

    `previous` are the master keys before this one, the newest first; None stands for one that was thrown away. They
    open what was sealed and find what was hashed under them, and make nothing new. `version` numbers the present
    key: one more than there were before.
    """

    def __init__(self, master: bytes, previous: Sequence[bytes | None] = ()) -> None:
        self._now = _Master(master)
        self._before = [None if one is None else _Master(one) for one in previous]
        self.version = 1 + len(previous)

    @classmethod
    def from_text(cls, text: str, previous: Sequence[str] = ()) -> "KeyRing":
        """Read keys written as 64 hex digits or as base64 of 32 bytes, `-` for one thrown away. Raises BadKey."""
        older = [None if one.strip() == GONE else _key_from_text(one.strip()) for one in previous]
        return cls(_key_from_text(text.strip()), older)

    def seal(self, plain: bytes, label: str) -> bytes:
        """Encrypt a secret for the use that `label` names; the same input gives other bytes each time."""
        return seal_with(self._now.key(f"seal:{label}"), plain)

    def open(self, sealed: bytes, label: str) -> bytes:
        """Undo `seal`, whichever of our keys it was made with. Raises CannotOpen."""
        for master in self._all().values():
            try:
                return open_with(master.key(f"seal:{label}"), sealed)
            except CannotOpen as error:
                refusal = error
        raise refusal

    def is_present(self, sealed: bytes, label: str) -> bool:
        """Tell whether something was sealed under the present key."""
        try:
            open_with(self._now.key(f"seal:{label}"), sealed)
        except CannotOpen:
            return False
        return True

    def wrap(self, dek: bytes) -> bytes:
        """Seal a data key, so that it can lie beside the data it protects."""
        return self.seal(_checked(dek), "data-key")

    def unwrap(self, wrapped: bytes) -> bytes:
        """Undo `wrap`. Raises CannotOpen."""
        return self.open(wrapped, "data-key")

    def index_hmac(self, channel: str, address: str) -> str:
        """The key under which a subscriber is looked up without keeping the address in clear."""
        return self._now.hash("index", channel, address)

    def index_hmacs(self, channel: str, address: str) -> list[str]:
        """The same under each of our keys, the present one first: for looking up."""
        return [master.hash("index", channel, address) for master in self._all().values()]

    def suppress_hmac(self, channel: str, address: str) -> str:
        """The key of a suppression, which outlives erasure; it cannot be matched with `index_hmac`."""
        return self._now.hash("suppress", channel, address)

    def suppress_hmacs(self, channel: str, address: str) -> dict[int, str]:
        """The same under each of our keys, by its version, the present one first: for looking up."""
        return {version: master.hash("suppress", channel, address) for version, master in self._all().items()}

    def tag(self, label: str, message: bytes) -> bytes:
        """Sign a short message of ours for the use that `label` names (HMAC-SHA256, 32 bytes)."""
        return _tag(self._now, label, message)

    def tags(self, label: str, message: bytes) -> list[bytes]:
        """The same under each of our keys, the present one first: for checking."""
        return [_tag(master, label, message) for master in self._all().values()]

    @property
    def public_key(self) -> str:
        """The Ed25519 key, in hex, with which anybody checks what `sign` signed."""
        return _public(self._now)

    @property
    def public_keys(self) -> dict[int, str]:
        """The same of each of our keys, by its version, the present one first."""
        return {version: _public(master) for version, master in self._all().items()}

    def sign(self, message: bytes) -> bytes:
        """Sign with a key that only the master key leads to; the same message gives the same 64 bytes."""
        return self._now.signer().sign(message)

    def sign_as(self, version: int, message: bytes) -> bytes:
        """Sign with the key of a version that we still have: how an old key vouches for the new one."""
        return self._all()[version].signer().sign(message)

    def _all(self) -> dict[int, _Master]:
        older = {
            self.version - age: master
            for age, master in enumerate(self._before, start=1)
            if master is not None
        }
        return {self.version: self._now, **older}


def _tag(master: _Master, label: str, message: bytes) -> bytes:
    return hmac.new(master.key(f"tag:{label}"), message, "sha256").digest()


def _public(master: _Master) -> str:
    return master.signer().public_key().public_bytes_raw().hex()


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
