"""A picture for the documentation, painted here: a bridge over a river in the morning."""

import struct
import zlib
from itertools import pairwise
from math import cos, pi

WIDTH, HEIGHT = 480, 270
_WATER = 190
_SKY, _MORNING, _RIVER, _STONE, _SUN = (
    (94, 148, 190),
    (250, 214, 165),
    (46, 96, 120),
    (58, 52, 60),
    (255, 240, 205),
)


def bridge() -> bytes:
    """Return the picture as a PNG."""
    rows = [bytes([0, *(part for x in range(WIDTH) for part in _pixel(x, y))]) for y in range(HEIGHT)]
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _pixel(x: int, y: int) -> tuple[int, int, int]:
    if _is_stone(x, y):
        return _STONE
    if y >= _WATER:
        return _mixed(_RIVER, _MORNING, 0.25 if (x + 3 * y) % 23 < 4 else 0.0)
    if (x - 360) ** 2 + (y - 120) ** 2 < 900:
        return _SUN
    return _mixed(_SKY, _MORNING, y / _WATER)


def _is_stone(x: int, y: int) -> bool:
    """A roadway on three arches."""
    if 128 <= y < 146:
        return True
    piers = (0, 160, 320, 480)
    left, right = next((a, b) for a, b in pairwise(piers) if x < b)
    arch = 146 + 46 * (1 - cos((x - (left + right) / 2) / (right - left) * pi)) * 1.6
    return 146 <= y < min(arch, _WATER + 6)


def _mixed(one: tuple[int, int, int], two: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
