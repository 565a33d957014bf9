"""A worker's journal: for each slice in its hands a file that says who may have left us and what was answered.

The file is mapped into memory, so a note costs a store and no system call, and it survives the death of the process,
since its pages belong to the kernel. It does not survive the machine: the boot it was written in is on its first line.
"""

import json
import mmap
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from app.domain.messages import DeliveryRef, ErrorKind, Outcome, SendError

_HEAD = 64
_LINE = 260
"""Room for one answer: provider ids have up to 200 characters."""
_STALE_SECONDS = 2 * 24 * 3600


class Mark(IntEnum):
    """What the journal knows of one recipient."""

    UNTOUCHED = 0
    HANDING_OVER = 1
    ANSWERED = 2


@dataclass(frozen=True)
class Remains:
    """What a dead worker left of a slice: answers that it had read, and subscribers who may have it or not."""

    answered: tuple[Outcome, ...]
    unknown: tuple[int, ...]


class Pages:
    """The journal of one slice. Recipients go by their place in the slice."""

    def __init__(self, file: Path, boot: str, subscriber_ids: Sequence[int]) -> None:
        self._file, self._count = file, len(subscriber_ids)
        ids = b"".join(one.to_bytes(8, "little") for one in subscriber_ids)
        self._marks = _HEAD + len(ids)
        self._end = self._marks + self._count
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _reserve(handle, self._end + self._count * _LINE)
            self._map = mmap.mmap(handle, 0)
        finally:
            os.close(handle)
        self._map[: _HEAD + len(ids)] = f"{boot} {self._count}".encode().ljust(_HEAD) + ids

    def mark(self, first: int, count: int, mark: Mark) -> None:
        """Note the same of `count` recipients from place `first` on."""
        start = self._marks + first
        self._map[start : start + count] = bytes((mark,)) * count

    def answered(self, place: int, outcome: Outcome) -> None:
        """Note an answer; the mark comes last, so that a half-written line is never believed."""
        if outcome.error is None:
            line = f"{place} {outcome.provider_id or ''}\n".encode()
        else:
            line = f"{place} {json.dumps(_packed(outcome.error))}\n".encode()
        end = self._end + len(line)
        if end < len(self._map):
            self._map[self._end : end] = line
            self._end = end
            self._map[self._marks + place] = Mark.ANSWERED

    def remove(self) -> None:
        """Everything is in the database: the file has done its work."""
        self._map.close()
        self._file.unlink(missing_ok=True)


class Journal:
    """The folder of a machine's journals, of one database. `boot` names the running kernel; "" when nobody can."""

    def __init__(self, folder: Path, boot: str) -> None:
        self._folder, self._boot = folder, boot
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def open(self, broadcast_id: int, seq: int, epoch: int, subscriber_ids: Sequence[int]) -> Pages:
        """Begin the journal of a slice that was leased under `epoch`."""
        file = self._file(broadcast_id, seq, epoch)
        file.unlink(missing_ok=True)  # of a database that was put back to an earlier state
        return Pages(file, self._boot, subscriber_ids)

    def read(self, broadcast_id: int, seq: int, epoch: int) -> Remains | None:
        """Return what was left of a slice; None when it was worked elsewhere, or before this machine was started."""
        try:
            content = self._file(broadcast_id, seq, epoch).read_bytes()
        except FileNotFoundError:
            return None
        boot, _, count = content[:_HEAD].decode("ascii", "replace").strip().rpartition(" ")
        if not self._boot or boot != self._boot:
            return None
        return _remains(broadcast_id, content, int(count))

    def remove(self, broadcast_id: int, seq: int, epoch: int) -> None:
        """Forget a slice whose remains are in the database."""
        self._file(broadcast_id, seq, epoch).unlink(missing_ok=True)

    def tidy(self, now: datetime) -> None:
        """Remove what nobody came back for: another machine took those slices over long ago."""
        for file in self._folder.glob("*.journal"):
            with suppress(FileNotFoundError):  # another clock was faster
                if now.timestamp() - file.stat().st_mtime > _STALE_SECONDS:
                    file.unlink()

    def _file(self, broadcast_id: int, seq: int, epoch: int) -> Path:
        return self._folder / f"{broadcast_id}-{seq}-{epoch}.journal"


def _reserve(handle: int, size: int) -> None:
    """Make room on the disk now: a mapped page for which there is none later kills the process. Raises `OSError`."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    else:
        os.ftruncate(handle, size)


def _remains(broadcast_id: int, content: bytes, count: int) -> Remains:
    places = range(count)
    ids = [int.from_bytes(content[_HEAD + 8 * one : _HEAD + 8 * one + 8], "little") for one in places]
    start = _HEAD + 8 * count
    marks, lines = content[start : start + count], content[start + count :]
    outcomes = _answers(broadcast_id, ids, lines, {one for one in places if marks[one] == Mark.ANSWERED})
    unknown = tuple(ids[one] for one in places if marks[one] == Mark.HANDING_OVER)
    return Remains(outcomes, unknown)


def _answers(
    broadcast_id: int, ids: Sequence[int], lines: bytes, answered: Collection[int]
) -> tuple[Outcome, ...]:
    found: dict[int, Outcome] = {}
    for line in lines.rstrip(b"\0").decode("utf-8", "replace").split("\n"):
        place, blank, answer = line.partition(" ")
        if blank and place.isdigit() and int(place) in answered:
            ref = DeliveryRef(broadcast_id, ids[int(place)])
            if answer.startswith("{"):
                found[int(place)] = Outcome(ref, error=_unpacked(json.loads(answer)))
            else:
                found[int(place)] = Outcome(ref, provider_id=answer or None)
    return tuple(found.values())


def _packed(error: SendError) -> dict[str, Any]:
    """What decides about the delivery and its person; the provider's words are left out, they may be long."""
    return {
        "k": error.kind.value,
        "c": error.code,
        "r": error.retry_after,
        "t": error.tries,
        "b": error.bounces_after,
    }


def _unpacked(packed: Mapping[str, Any]) -> SendError:
    return SendError(ErrorKind(packed["k"]), packed["c"], "", packed["r"], packed["t"], packed["b"])
