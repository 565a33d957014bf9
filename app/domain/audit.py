"""Audit paths for several entries of a ledger at once, collected in one pass over its hashes and constant memory."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Peak:
    """A finished subtree: its width in leaves, its hash, and the wanted leaves (from 0) that lie in it."""

    width: int
    node: bytes
    wanted: tuple[int, ...]


class PathCollector:
    """The audit paths (RFC 6962, section 2.1.1) of the `wanted` leaves, counted from 0, while leaves stream by.

    Proves the same as `app.domain.ledger.audit_path`, which needs all leaves in memory, and once for each entry.
    """

    def __init__(self, wanted: Collection[int]) -> None:
        self._wanted = frozenset(wanted)
        self._paths: dict[int, list[str]] = {index: [] for index in self._wanted}
        self._peaks: list[_Peak] = []
        self.size = 0

    def append(self, leaf: str) -> None:
        """Add the next leaf hash (64 hex digits); an `entry_hash` is one already."""
        wanted = (self.size,) if self.size in self._wanted else ()
        peak = _Peak(1, bytes.fromhex(leaf), wanted)
        while self._peaks and self._peaks[-1].width == peak.width:
            peak = self._join(self._peaks.pop(), peak)
        self._peaks.append(peak)
        self.size += 1

    def finish(self) -> tuple[str, dict[int, tuple[str, ...]]]:
        """Return the root in hex and each wanted leaf's path, lowest hash first. Append nothing afterwards.

        Raises IndexError when a wanted leaf never came.
        """
        missing = [index for index in self._wanted if index >= self.size]
        if missing:
            raise IndexError(f"There is no leaf {min(missing)} among {self.size}; they are counted from 0.")
        if not self._peaks:
            return hashlib.sha256().hexdigest(), {}
        top = self._peaks.pop()
        while self._peaks:
            top = self._join(self._peaks.pop(), top)
        return top.node.hex(), {index: tuple(path) for index, path in self._paths.items()}

    def _join(self, left: _Peak, right: _Peak) -> _Peak:
        for index in left.wanted:
            self._paths[index].append(right.node.hex())
        for index in right.wanted:
            self._paths[index].append(left.node.hex())
        node = hashlib.sha256(b"\x01" + left.node + right.node).digest()
        return _Peak(left.width + right.width, node, left.wanted + right.wanted)
