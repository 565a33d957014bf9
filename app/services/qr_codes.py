"""QR codes of links: in a page, and as files for print."""

from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Final

import segno

from app.services.controller import Refused

_DOTS: Final = 20
"""Pixels of a PNG's module: a code of 33 modules and its border prints at 6 cm with 300 dots an inch."""
_BORDER: Final = 4  # the quiet zone that ISO/IEC 18004 asks for


class Kind(StrEnum):
    """How a code is written into a file."""

    SVG = "svg"
    PNG = "png"


def inline(target: str, title: str) -> str:
    """Return a QR code as SVG for a page, without any style of its own, which the page's policy would refuse."""
    drawn = segno.make(target, error="m", micro=False)
    return drawn.svg_inline(border=_BORDER, omitsize=True, svgclass="qr", lineclass=None, title=title)


def file_of(target: str, kind: Kind) -> bytes:
    """Return a file with a QR code, black on white; an SVG is in no certain size, a PNG has 20 pixels a module."""
    out = BytesIO()
    drawn = segno.make(target, error="m", micro=False)
    if kind is Kind.SVG:
        drawn.save(out, kind="svg", border=_BORDER, light="#fff", omitsize=True)
    else:
        drawn.save(out, kind="png", border=_BORDER, scale=_DOTS)
    return out.getvalue()


def write(folder: Path, name: str, target: str, kind: Kind) -> Path:
    """Write a QR code into a folder, which is made where it is missing; raises `Refused` with the reason."""
    path = folder / f"{name}.{kind}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file_of(target, kind))
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    return path
