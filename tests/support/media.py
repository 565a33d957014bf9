"""Small files of each type, made here, with everything in them that must not leave the house."""

import struct
import zlib

PLACE = b"52.5200N 13.4050E"
"""What phones write into pictures and films: where they were taken."""


def jpeg(*, turned: int = 6, fill: bytes = b"\x12\x34") -> bytes:
    """A JPEG as phones make it: EXIF with place and turn, XMP, IPTC, a comment, a profile, a film behind its end."""
    tiff = struct.pack(">2sHIH", b"MM", 42, 8, 1) + struct.pack(">HHIHHI", 0x0112, 3, 1, turned, 0, 0) + PLACE
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _segment(0xE1, b"Exif\0\0" + tiff),
            _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + PLACE),
            _segment(0xE2, b"ICC_PROFILE\0\1\1colours"),
            _segment(0xED, b"Photoshop 3.0\0" + PLACE),
            _segment(0xFE, b"taken by a source at " + PLACE),
            _segment(0xDB, bytes(65)),
            _segment(0xC0, b"\x08\0\1\0\1\1\1\x11\0"),
            _segment(0xC4, bytes(17)),
            _segment(0xDA, b"\1\1\0\0\x3f\0"),
            fill + b"\xff\0\x56\xff\xd0\x78",
            b"\xff\xd9",
            b"a film behind the picture, at " + PLACE,
        )
    )


def png(width: int = 2, *, grey: int = 90) -> bytes:
    """A true picture of one grey, with words and EXIF in it."""
    rows = b"".join(b"\0" + bytes([grey]) * width for _ in range(width))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, width, 8, 0, 0, 0, 0)),
            _chunk(b"tEXt", b"Comment\0" + PLACE),
            _chunk(b"eXIf", b"MM" + PLACE),
            _chunk(b"IDAT", zlib.compress(rows)),
            _chunk(b"IEND", b""),
        )
    )


def gif() -> bytes:
    """A GIF with a comment between a loop and its picture."""
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    comment = b"\x21\xfe" + bytes([len(PLACE)]) + PLACE + b"\0"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    return head + loop + comment + picture + b"\x3b"


def mp4(brand: bytes = b"isom", *, seconds: int = 3) -> bytes:
    """A film without pictures: its length, and where it was taken, before its data."""
    header = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, seconds * 1000) + bytes(80))
    place = _box(b"udta", _box(b"\xa9xyz", PLACE))
    track = _box(b"trak", _box(b"meta", PLACE))
    return _box(b"ftyp", brand + bytes(4)) + _box(b"moov", header + place + track) + _box(b"mdat", b"data")


def mp3() -> bytes:
    """One frame of silence between two tags."""
    return (
        b"ID3\4\0\0\0\0\0"
        + bytes([len(PLACE)])
        + PLACE
        + b"\xff\xfb\x90\0"
        + bytes(413)
        + b"TAG"
        + PLACE.ljust(125)
    )


def pdf() -> bytes:
    """The least that begins like a PDF."""
    return b"%PDF-1.7\n%%EOF\n"


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content
