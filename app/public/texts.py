"""The words of the public pages, one data file per language beside this module, and which language to speak."""

import tomllib
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from babel import Locale
from flask import request, url_for
from flask_wtf.csrf import generate_csrf

from app.domain.replies import LANGUAGES
from app.runtime import runtime

_STATIC: Final = Path(__file__).parent / "static"


def language(otherwise: str | None = None) -> str:
    """The language that was chosen on the page, else `otherwise`, else the browser's, else English."""
    chosen = request.args.get("lang")
    if chosen in LANGUAGES:
        return str(chosen)
    if otherwise in LANGUAGES:
        return str(otherwise)
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


@cache
def load(spoken: str) -> Mapping[str, Any]:
    """Return all texts in one language."""
    return tomllib.loads(files("app.public").joinpath("words", f"{spoken}.toml").read_text(encoding="utf-8"))


def country(code: str, spoken: str) -> str:
    """Return the name of a country: `Germany`, `Deutschland`."""
    return str(Locale(spoken).territories.get(code, code))


def in_every_page() -> dict[str, Any]:
    """What the frame of the pages needs."""
    return {
        "settings": runtime().settings,
        "languages": LANGUAGES,
        "token": generate_csrf,
        "words": load,
        "style": static("public.css"),
        "icon": url_for("public.static", filename="mark.svg"),
    }


def static(name: str) -> str:
    """Return the address of a static file; it changes when the file does, so that browsers may keep it for a year."""
    return url_for("public.static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
