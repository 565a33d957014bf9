"""Takes out of a file what it tells besides picture and sound: a newsroom must not give a source's place away.

Phones write where a picture was taken into EXIF, IPTC or XMP, and where a film was taken into its `udta` box; programs
add names and comments. What carries the picture, its colours and how it is turned stays; the rest goes. Sources:
JPEG ISO/IEC 10918-1 annex B and EXIF 2.32; PNG (w3.org/TR/png-3); GIF89a; ISO/IEC 14496-12; id3.org.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from app.domain.media.kinds import DamagedMedia

_ORIENTATION: Final = 0x0112
# Application segments that colours need: JFIF, ICC profiles, Adobe's colour transform.
_COLOURS: Final = ((0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"))
_PNG_KEPT: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP bKGD pHYs acTL fcTL fdAT".split()
)
_GIF_KEPT: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_BOXES_WITH_BOXES: Final = frozenset((b"moov", b"trak", b"mdia", b"moof", b"traf"))
_BOXES_THAT_TELL: Final = frozenset((b"udta", b"meta", b"uuid"))
_MOST_DEEP: Final = 8


def cleaned(data: bytes, mime: str) -> bytes:
    """Return a file without what it tells about place, maker and time; raises `DamagedMedia`.

    A PDF stays as it is: what it tells stands in compressed objects that cannot be told from its text here.
    """
    clean = _CLEANERS.get(mime)
    try:
        return data if clean is None else clean(data)
    except (IndexError, struct.error) as error:
        raise DamagedMedia("The file ends before its end.") from error


def _jpeg(data: bytes) -> bytes:
    kept, place = [data[:2]], 2
    turned = b""
    while (marker := _marker(data, place)) != 0xD9:
        end = place + 2 + struct.unpack_from(">H", data, place + 2)[0]
        segment = data[place:end]
        if marker == 0xE1 and segment[4:10] == b"Exif\0\0":
            turned = turned or _turned(segment[10:])
        elif _stays(marker, segment):
            kept.append(segment)
        place = end
        if marker == 0xDA:
            end = _end_of_scan(data, place)
            kept.append(data[place:end])
            place = end
    # Behind the end of the picture phones hide films and second pictures: they go, too.
    return b"".join((kept[0], turned, *kept[1:], b"\xff\xd9"))


def _marker(data: bytes, place: int) -> int:
    if data[place] != 0xFF:
        raise DamagedMedia(f"At byte {place + 1} a segment of the picture should begin.")
    return data[place + 1]


def _stays(marker: int, segment: bytes) -> bool:
    if 0xE0 <= marker <= 0xEF:
        return any(marker == number and segment[4:].startswith(name) for number, name in _COLOURS)
    return marker != 0xFE  # a comment


def _end_of_scan(data: bytes, place: int) -> int:
    """Return where the compressed picture ends: at a marker that is neither a stuffed byte nor a restart."""
    while True:
        place = data.find(b"\xff", place)
        if place < 0:
            raise DamagedMedia("The picture has no end.")
        if data[place + 1] != 0 and not 0xD0 <= data[place + 1] <= 0xD7 and data[place + 1] != 0xFF:
            return place
        place += 1 if data[place + 1] == 0xFF else 2


def _turned(tiff: bytes) -> bytes:
    """Return an EXIF segment that says how the picture is turned and nothing else; empty when it stands upright."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return b""
    try:
        at = struct.unpack_from(f"{order}I", tiff, 4)[0]
        entries = struct.unpack_from(f"{order}H", tiff, at)[0]
        for number in range(entries):
            tag, _kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * number)
            if tag == _ORIENTATION and 2 <= value <= 8:
                return _only_turned(value)
    except struct.error:
        return b""
    return b""


def _only_turned(value: int) -> bytes:
    tiff = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, 3, 1, value, 0, 0)
    return struct.pack(">BBH", 0xFF, 0xE1, 2 + 6 + len(tiff)) + b"Exif\0\0" + tiff


def _png(data: bytes) -> bytes:
    kept, place, name = [data[:8]], 8, b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise DamagedMedia("The picture has no end.")
        if name in _PNG_KEPT:
            kept.append(data[place:end])
        place = end
    return b"".join(kept)


def _gif(data: bytes) -> bytes:
    place = 13 + _colours(data[10])
    kept = [data[:place]]
    while data[place] != 0x3B:
        end, stays = _gif_block(data, place)
        if stays:
            kept.append(data[place:end])
        place = end
    return b"".join((*kept, b"\x3b"))


def _gif_block(data: bytes, place: int) -> tuple[int, bool]:
    """Return where the block at a place ends, and whether it belongs to the picture."""
    if data[place] == 0x2C:
        return _sub_blocks(data, place + 11 + _colours(data[place + 9])), True
    if data[place] != 0x21:
        raise DamagedMedia(f"At byte {place + 1} a block of the picture should begin.")
    label, name = data[place + 1], data[place + 3 : place + 14]
    stays = label == 0xF9 or (label == 0xFF and name in _GIF_KEPT)
    return _sub_blocks(data, place + 2), stays


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: bytes, place: int) -> int:
    while data[place]:
        place += 1 + data[place]
    return place + 1


def _iso(data: bytes) -> bytes:
    """Blank what tells, and keep its room: a film's tables count bytes from the beginning of the file."""
    clean = bytearray(data)
    for start, head, end, name in _boxes(data, 0, len(data), 0):
        if name in _BOXES_THAT_TELL:
            clean[start + 4 : start + 8] = b"free"
            clean[head:end] = bytes(end - head)
    return bytes(clean)


def _boxes(data: bytes, start: int, end: int, depth: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the boxes between two places: where each begins, where its content does, where it ends, its name."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        head = start + 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, head)[0], head + 8
        stop = end if size == 0 else start + size
        if stop < head or stop > end:
            raise DamagedMedia(f"The part {name!r} is longer than the file.")
        yield start, head, stop, name
        if name in _BOXES_WITH_BOXES and depth < _MOST_DEEP:
            yield from _boxes(data, head, stop, depth + 1)
        start = stop


def _mp3(data: bytes) -> bytes:
    if data.startswith(b"ID3"):
        sizes = data[6:10]
        length = sum((byte & 0x7F) << shift for byte, shift in zip(sizes, (21, 14, 7, 0), strict=True))
        data = data[10 + length + (10 if data[5] & 0x10 else 0) :]
    if data[-128:-125] == b"TAG":
        data = data[:-128]
    if not data:
        raise DamagedMedia("There is no sound in the file.")
    return data


def seconds_of(data: bytes, mime: str) -> float | None:
    """Return how long a film or sound in an MP4 file is, or None where that is not written plainly."""
    if mime not in ("audio/mp4", "video/mp4"):
        return None
    for _, head, _, name in _boxes(data, 0, len(data), 0):
        if name == b"mvhd":
            wide = data[head] == 1
            scale, long = struct.unpack_from(">IQ" if wide else ">II", data, head + (20 if wide else 12))
            return float(long) / scale if scale else None
    return None


_CLEANERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/gif": _gif,
    "audio/mpeg": _mp3,
    "audio/mp4": _iso,
    "video/mp4": _iso,
}
