"""Integrity of the consent ledger: canonical bytes, commitments, the hash chain and its Merkle tree.

Three prefixes keep the hashes apart: 0x00 an entry (which is also a Merkle leaf), 0x01 a node of the tree,
0x02 a commitment to personal data. Hashes travel as lower-case hex. The tree is that of RFC 6962 section 2.1.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785

ZERO_HASH: Final = "0" * 64
SALT_BYTES: Final = 32
MAX_SAFE_INT: Final = 2**53 - 1

_PLAIN_TYPES: Final = frozenset({str, bool, int, type(None)})
_HEX_HASH: Final = re.compile(r"[0-9a-f]{64}")
_encode_flat: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class ChainError(ValueError):
    """The ledger is not what was written. `seq` is the first bad entry, `reason` what is wrong with it."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"Entry {seq}: {reason}")
        self.seq = seq
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Summary:
    """A verified ledger: how many entries, the hash of the last one, the Merkle root over all of them."""

    count: int
    head_hash: str
    root: str


def iso_ms(moment: datetime) -> str:
    """An aware moment as the ledger writes it: '2026-08-03T09:00:00.000Z'. Raises ValueError when naive."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; pass an aware datetime, for example one in UTC.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def canonical(obj: Any) -> bytes:
    """The one JSON spelling of `obj` (RFC 8785). Raises ValueError for what JSON cannot say exactly."""
    if _is_flat(obj):
        return _encode_flat({key: obj[key] for key in sorted(obj)}).encode()
    return rfc8785.dumps(obj)


def commit(pii: Mapping[str, Any], salt: bytes) -> str:
    """Bind an entry to personal data kept elsewhere: SHA-256(0x02, salt, canonical data).

    Without its 32 random bytes of `salt` the commitment says nothing about the data, so deleting the salt
    erases the person while the chain still verifies. Raises ValueError for a salt of another length.
    """
    return commit_bytes(canonical(dict(pii)), salt)


def commit_bytes(pii: bytes, salt: bytes) -> str:
    """Do what `commit` does for personal data that is canonical JSON already. Raises ValueError."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"The salt has {len(salt)} bytes; it must have {SALT_BYTES}.")
    return hashlib.sha256(b"\x02" + salt + pii).hexdigest()


def entry_hash(entry: Mapping[str, Any]) -> str:
    """SHA-256(0x00, canonical entry without its own `entry_hash`)."""
    body = {key: value for key, value in entry.items() if key != "entry_hash"}
    return leaf_hash(canonical(body))


def leaf_hash(line: bytes) -> str:
    """SHA-256(0x00, line): the leaf of a Merkle tree over lines that are canonical JSON."""
    return hashlib.sha256(b"\x00" + line).hexdigest()


def verify_chain(entries: Iterable[Mapping[str, Any]]) -> Summary:
    """Recompute a whole ledger from its first entry on, in one pass and constant memory.

    Raises ChainError for the first entry that is missing, altered, or does not follow the one before it.
    A cut tail cannot be seen from inside: compare `head_hash` with the head you kept.
    """
    chain = Chain()
    for entry in entries:
        chain.follow(
            {key: entry[key] for key in sorted(entry) if key != "entry_hash"}, entry.get("entry_hash")
        )
    return chain.summary()


class Chain:
    """A ledger read from its first entry on; each must follow the one before it and be what its hash says."""

    def __init__(self) -> None:
        self.head_hash = ZERO_HASH
        self.tree = MerkleTree()

    def follow(self, body: Mapping[str, Any], written_hash: object) -> None:
        """Take the next entry: its fields but `entry_hash` in the order of their names. Raises ChainError."""
        seq = self.tree.size + 1
        if (found := body.get("seq")) != seq:
            raise ChainError(seq, f"it is missing or out of order: entry {found} stands in its place.")
        if body.get("prev_hash") != self.head_hash:
            raise ChainError(seq, "its prev_hash is not the hash of the entry before it.")
        if written_hash != (computed := _hash_in_order(body, seq)):
            raise ChainError(seq, "its content does not match its entry_hash.")
        self.tree.append(computed)
        self.head_hash = computed

    def summary(self) -> Summary:
        """Sum up what was read so far."""
        return Summary(self.tree.size, self.head_hash, self.tree.root())


class MerkleTree:
    """The Merkle root of a growing sequence of leaf hashes; remembers one hash per level, not the leaves."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []
        self.size = 0

    def append(self, leaf: str) -> None:
        """Add a leaf hash (64 hex digits); an `entry_hash` is one already."""
        width, node = 1, bytes.fromhex(leaf)
        while self._peaks and self._peaks[-1][0] == width:
            node = _node(self._peaks.pop()[1], node)
            width *= 2
        self._peaks.append((width, node))
        self.size += 1

    def root(self) -> str:
        """The root over all leaves so far; of no leaves, the SHA-256 of nothing."""
        if not self._peaks:
            return hashlib.sha256().hexdigest()
        node = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            node = _node(left, node)
        return node.hex()


def merkle_root(leaves: Iterable[str]) -> str:
    """The root over leaf hashes given in order."""
    tree = MerkleTree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def audit_path(leaves: Sequence[str], index: int) -> tuple[str, ...]:
    """The hashes that lead from leaf `index` (from 0) up to the root, lowest first. Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"There is no leaf {index} among {len(leaves)}; they are counted from 0.")
    if len(leaves) == 1:
        return ()
    middle = _split_point(len(leaves))
    if index < middle:
        return (*audit_path(leaves[:middle], index), merkle_root(leaves[middle:]))
    return (*audit_path(leaves[middle:], index - middle), merkle_root(leaves[:middle]))


def path_proves(root: str, leaf: str, index: int, size: int, path: Sequence[str]) -> bool:
    """True when `path` shows that `leaf` is number `index` (from 0) of the `size` leaves under `root`."""
    if not 0 <= index < size or not all(map(_HEX_HASH.fullmatch, (leaf, *path))):
        return False
    node, last = bytes.fromhex(leaf), size - 1
    for step in path:
        if last == 0:
            return False
        if index % 2 or index == last:
            node = _node(bytes.fromhex(step), node)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            node = _node(node, bytes.fromhex(step))
        index, last = index // 2, last // 2
    return last == 0 and node.hex() == root


def _is_flat(obj: Any) -> bool:
    """Ledger records are flat, of text and whole numbers: for these the C encoder already writes RFC 8785.

    The pure Python one takes six times as long. Keys are ASCII, so their order is the same in UTF-16.
    """
    if type(obj) is not dict or not set(map(type, obj)) <= {str} or not "".join(obj).isascii():
        return False
    kinds = set(map(type, obj.values()))
    if not kinds <= _PLAIN_TYPES:
        return False
    return int not in kinds or all(abs(value) <= MAX_SAFE_INT for value in obj.values() if type(value) is int)


def _hash_in_order(body: Mapping[str, Any], seq: int) -> str:
    """Hash fields that stand in the order of their names already, which most of the time need no second look."""
    values = body.values()
    try:
        if set(map(type, values)) <= _PLAIN_TYPES and not [
            value for value in values if type(value) is int and not -MAX_SAFE_INT <= value <= MAX_SAFE_INT
        ]:
            return leaf_hash(_encode_flat(body).encode())
        return entry_hash(body)
    except ValueError as error:
        raise ChainError(seq, f"it cannot be written as canonical JSON: {error}") from error


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split_point(size: int) -> int:
    """The largest power of two below `size`."""
    return int(1 << ((size - 1).bit_length() - 1))
