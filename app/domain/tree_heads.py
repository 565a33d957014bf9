"""Signed heads: what the ledger was at a moment, under an Ed25519 signature that anybody can check.

A head is signed as one byte 0x03 followed by its canonical JSON without `public_key` and `signature`. The fourth
prefix keeps a head from ever being read as an entry, a node or a commitment.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.domain.ledger import canonical

FORMAT: Final = "tidings-head-1"

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{128}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class BadHead(ValueError):
    """This is no signed head; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """At `time` (UTC, with milliseconds) the first `tree_size` entries of `ledger` had the Merkle root `root`."""

    ledger: str
    tree_size: int
    root: str
    time: str
    public_key: str
    signature: str

    def as_json(self) -> dict[str, str | int]:
        """Return the head as it is exported."""
        return {"format": FORMAT} | asdict(self)

    def is_signed(self) -> bool:
        """Tell whether the signature is that of `public_key`; whose key that is, the caller has to know."""
        message = signed_bytes(self.ledger, self.tree_size, self.root, self.time)
        return signature_fits(self.public_key, self.signature, message)


def signed_bytes(ledger: str, tree_size: int, root: str, time: str) -> bytes:
    """Return the bytes that a head's signature is made over."""
    said = {"format": FORMAT, "ledger": ledger, "root": root, "time": time, "tree_size": tree_size}
    return b"\x03" + canonical(said)


def signature_fits(public_key: str, signature: str, message: bytes) -> bool:
    """Tell whether an Ed25519 signature over `message` is that of `public_key` (both in hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(
            bytes.fromhex(signature), message
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def sign_head(
    *, ledger: str, tree_size: int, root: str, time: str, public_key: str, sign: Callable[[bytes], bytes]
) -> SignedHead:
    """Return the head under the signature that `sign` makes; `public_key` is the one that belongs to it."""
    signature = sign(signed_bytes(ledger, tree_size, root, time)).hex()
    return SignedHead(ledger, tree_size, root, time, public_key, signature)


def read_head(text: str) -> SignedHead:
    """Read an exported head. Raises `BadHead`; says nothing of the signature."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise BadHead("it is no JSON.") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise BadHead(f"its format is not {FORMAT}.")
    if raw.keys() != {"format", *SignedHead.__slots__}:
        raise BadHead("it does not have the fields of a head.")
    size, texts = raw["tree_size"], [raw[name] for name in SignedHead.__slots__ if name != "tree_size"]
    if type(size) is not int or size < 0 or not all(isinstance(value, str) for value in texts):
        raise BadHead("one of its fields is of the wrong kind.")
    head = SignedHead(**{name: raw[name] for name in SignedHead.__slots__})
    hashes = all(map(_HASH.fullmatch, (head.root, head.public_key))) and _SIGNATURE.fullmatch(head.signature)
    if not hashes or not _TIME.fullmatch(head.time):
        raise BadHead("a hash, the key, the signature or the time is not written as it must be.")
    return head
