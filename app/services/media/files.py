"""Where the bytes of files lie, each under the hash of its content: a folder, or whatever keeps the same promises."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

CHUNK: Final = 256 * 1024


class FileGone(LookupError):
    """The bytes of a file are not where they should be."""


class Files(Protocol):
    """A store of bytes by their hash (64 hex digits). What it holds never changes."""

    def put(self, sha256: str, data: bytes) -> None:
        """Keep a file; keeping it twice changes nothing. Raises OSError."""

    def read(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """Yield a part of a file in pieces; raises `FileGone` before the first, or OSError."""

    def delete(self, sha256: str) -> None:
        """Let a file go; one that is not there is no fault. Raises OSError."""


class LocalFiles:
    """A folder: `ab/abcd…`, so that no folder grows too long. Written beside, then moved into place whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, sha256: str, data: bytes) -> None:
        """Keep a file; keeping it twice changes nothing. Raises OSError."""
        path = self._path(sha256)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        beside.write_bytes(data)
        os.replace(beside, path)

    def read(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """Yield a part of a file in pieces; raises `FileGone` before the first, or OSError."""
        path = self._path(sha256)
        if not path.exists():
            raise FileGone(sha256)
        return self._pieces(path, start, length)

    @staticmethod
    def _pieces(path: Path, start: int, length: int) -> Iterator[bytes]:
        with path.open("rb") as file:
            file.seek(start)
            while length > 0 and (piece := file.read(min(CHUNK, length))):
                length -= len(piece)
                yield piece

    def delete(self, sha256: str) -> None:
        """Let a file go; one that is not there is no fault. Raises OSError."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256


def whole(files: Files, sha256: str, size: int) -> bytes:
    """Return all bytes of a file. Raises `FileGone`, OSError."""
    return b"".join(files.read(sha256, 0, size))
