"""Consistency proofs (RFC 6962, section 2.1.2): that an earlier tree is the beginning of a later one."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final

from app.domain.ledger import MerkleTree

_HEX_HASH: Final = re.compile(r"[0-9a-f]{64}")


class ConsistencyCollector:
    """Makes the proof that the first `old` leaves of `new` are the earlier tree, while the leaves stream by.

    It keeps one running tree for each hash of the proof, at most two for each level. Raises ValueError for an
    `old` that is not between 1 and `new`.
    """

    def __init__(self, old: int, new: int) -> None:
        if not 1 <= old <= new:
            raise ValueError(f"A tree of {old} leaves is not the beginning of one of {new}.")
        self._ranges = _ranges(old, 0, new, whole=True)
        self._trees = {span: MerkleTree() for span in self._ranges}
        self._spans = sorted(self._ranges, reverse=True)
        self._new = new
        self.size = 0

    def append(self, leaf: str) -> None:
        """Add the next leaf hash (64 hex digits); leaves beyond the later tree are not looked at."""
        while self._spans and self._spans[-1][1] <= self.size:
            self._spans.pop()
        if self._spans and self._spans[-1][0] <= self.size:
            self._trees[self._spans[-1]].append(leaf)
        self.size += 1

    def finish(self) -> tuple[str, ...]:
        """Return the proof. Raises IndexError when leaves of the later tree never came."""
        if self.size < self._new:
            raise IndexError(f"Only {self.size} of {self._new} leaves came.")
        return tuple(self._trees[span].root() for span in self._ranges)


def consistency_proof(leaves: Iterable[str], old: int, new: int) -> tuple[str, ...]:
    """Return the proof for the first `old` among the first `new` leaf hashes. Raises ValueError, IndexError."""
    collector = ConsistencyCollector(old, new)
    for leaf in leaves:
        collector.append(leaf)
    return collector.finish()


def consistency_proves(old: int, old_root: str, new: int, new_root: str, proof: Sequence[str]) -> bool:
    """True when `proof` shows that the tree under `old_root` is the beginning of the one under `new_root`.

    The steps are those of RFC 9162, section 2.1.4.2.
    """
    if old == new:
        return old_root == new_root and not proof
    if not 0 < old < new or not all(map(_HEX_HASH.fullmatch, (old_root, *proof))):
        return False
    path = [bytes.fromhex(step) for step in proof]
    if old & (old - 1) == 0:
        path.insert(0, bytes.fromhex(old_root))
    found = _climb(path, old - 1, new - 1)
    return found is not None and (found[0].hex(), found[1].hex()) == (old_root, new_root)


def _climb(path: Sequence[bytes], first: int, last: int) -> tuple[bytes, bytes] | None:
    """Return the roots of both trees that a path leads to, or None when it is too long or too short."""
    if not path:
        return None
    while first & 1:
        first, last = first >> 1, last >> 1
    earlier = later = path[0]
    for step in path[1:]:
        if last == 0:
            return None
        if first & 1 or first == last:
            earlier, later = _node(step, earlier), _node(step, later)
            while first & 1 == 0 and first:
                first, last = first >> 1, last >> 1
        else:
            later = _node(later, step)
        first, last = first >> 1, last >> 1
    return (earlier, later) if last == 0 else None


def _ranges(old: int, start: int, end: int, *, whole: bool) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose roots make up the proof, in its order: SUBPROOF of the RFC."""
    size = end - start
    if old == size:
        return [] if whole else [(start, end)]
    split = 1 << ((size - 1).bit_length() - 1)
    if old <= split:
        return [*_ranges(old, start, start + split, whole=whole), (start + split, end)]
    return [*_ranges(old - split, start + split, end, whole=False), (start, start + split)]


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
