"""Which pictures the documentation has, and what a picture may be."""

import struct
from itertools import product
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SCENES = (
    "sign-in",
    "demo-phones",
    "desk-broadcasts",
    "desk-compose",
    "desk-buttons",
    "desk-media",
    "sign-up",
    "desk-today",
    "desk-when",
    "desk-local",
    "desk-repeat",
    "desk-rule",
    "desk-calendar",
    "desk-review",
    "desk-progress",
    "desk-report",
    "desk-reports",
    "desk-clicks",
    "desk-health",
    "desk-audit",
    "desk-correct",
    "desk-correction",
    "desk-segment",
    "desk-versions",
    "desk-texts",
    "desk-lists",
    "desk-list",
    "desk-poster",
    "desk-feed",
    "desk-ticker",
    "desk-rehearsal",
    "desk-people",
    "desk-person",
    "desk-import",
    "desk-notice",
    "desk-erase",
    "desk-retention",
    "desk-inbox",
)
# Pages that one opens now and then: wide only, for the documentation shows no other, and pictures stay in the history.
WIDE_ONLY = (
    "desk-templates",
    "desk-template",
    "desk-keys",
    "desk-list-new",
    "desk-rules",
    "desk-move",
    "desk-segments",
    "desk-who",
    "desk-feeds",
    "desk-tickers",
    "desk-ticker-new",
    "desk-words",
    "desk-held",
    "desk-ask",
    "desk-revocation",
    "desk-import-new",
    "desk-requests",
    "desk-users",
    "desk-role",
    "desk-account",
    "desk-testers",
    "desk-tests",
    "desk-comments",
    "desk-approval",
    "desk-read",
    "desk-styles",
)
WIDTHS = {"": 1200, "-360": 360}
SCHEMES: dict[str, Literal["light", "dark"]] = {"": "light", "-dark": "dark"}
LARGEST = 200_000
"""Bytes: a page of the documentation shows several, also on a slow line."""


def file_name(scene: str, width: str, scheme: str) -> str:
    """`desk-review-360-dark.png`"""
    return f"{scene}{width}{scheme}.png"


def file_names() -> set[str]:
    """The name of every picture."""
    return {
        file_name(scene, width, scheme)
        for scene in (*SCENES, *WIDE_ONLY)
        for width, scheme in product(widths_of(scene), SCHEMES)
    }


def widths_of(scene: str) -> dict[str, int]:
    """What follows a scene's name -> the width in pixels, for each of its pictures."""
    return WIDTHS if scene in SCENES else {"": WIDTHS[""]}


def width_of(picture: bytes) -> int:
    """Return the width in pixels that the head of a PNG file gives."""
    width: int = struct.unpack(">I", picture[16:20])[0]
    return width
