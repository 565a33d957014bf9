"""What providers' codes mean for us: tables that come with the package, and an operator's own laid over them.

An operator's file is `codes/<table>.toml` in TIDINGS_HOME, with lines `kind = [codes]` as in the packaged ones, and
names only what it changes. The tables are called as the gateways; `twilio_whatsapp` uses `twilio`'s.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from app.domain.messages import ErrorKind

_PACKAGE: Final = files("app.gateways")
_ENDING: Final = "_codes.toml"
_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

Codes = Mapping[str, ErrorKind]


class BadCodes(ValueError):
    """A table of codes is wrong; the text names the file, what is wrong in it, and what may stand there."""


_own: dict[str, Codes] = {}


def use_folder(folder: Path) -> None:
    """Lay the operator's files in a folder over the tables, instead of those before; raises `BadCodes`.

    Called once at the start: without a folder, or with an empty one, the packaged tables hold.
    """
    found = {path.stem: _read_own(path) for path in sorted(folder.glob("*.toml"))}
    _own.clear()
    _own.update(found)


def codes_of(name: str) -> Codes:
    """Return code -> kind of a gateway that has a table of its own, as the operator wants it."""
    return {**_packaged(name)[1], **_own[name]} if name in _own else _packaged(name)[1]


def overrides_of(name: str) -> Codes:
    """Return what the operator changed in a table."""
    return _own.get(name, {})


def version_of(name: str) -> str:
    """Return the day on which a packaged table was last compared with its source; empty where there is no table."""
    if name in _names(_ENDING):
        return _packaged(name)[0]
    if name not in _names(".toml", "http_sms/providers"):
        return ""
    text = _PACKAGE.joinpath(f"http_sms/providers/{name}.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text).get("version", ""))


@cache
def _packaged(name: str) -> tuple[str, Codes]:
    file = f"{name}{_ENDING}"
    table = tomllib.loads(_PACKAGE.joinpath(file).read_text(encoding="utf-8"))
    version = str(table.pop("version", ""))
    if not _VERSION.fullmatch(version):
        raise BadCodes(f'{file}: version is missing, such as version = "2026-11-28".')
    return version, _read(table, file)


@cache
def _names(ending: str, folder: str = "") -> frozenset[str]:
    names = (entry.name for entry in _PACKAGE.joinpath(folder).iterdir())
    return frozenset(one.removesuffix(ending) for one in names if one.endswith(ending))


def _read_own(path: Path) -> Codes:
    tables = _names(_ENDING) | _names(".toml", "http_sms/providers")
    if path.stem not in tables:
        raise BadCodes(f"{path}: there is no table {path.stem!r}. There are: {', '.join(sorted(tables))}.")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadCodes(f"{path}: {error}") from error
    table.pop("version", None)
    return _read(table, str(path))


def _read(table: Mapping[str, Any], file: str) -> Codes:
    found: dict[str, ErrorKind] = {}
    for code, kind in _pairs(table, file):
        if code in found:
            raise BadCodes(f"{file}: the code {code} stands there twice.")
        found[code] = kind
    return found


def _pairs(table: Mapping[str, Any], file: str) -> Iterator[tuple[str, ErrorKind]]:
    kinds = {kind.value: kind for kind in ErrorKind}
    for name, codes in table.items():
        if name not in kinds:
            raise BadCodes(f"{file}: {name!r} is no kind of failure. There are: {', '.join(sorted(kinds))}.")
        if not isinstance(codes, list) or not all(type(one) in (int, str) for one in codes):
            raise BadCodes(f'{file}: {name} is a list of codes, such as {name} = [30003, "M_FORBIDDEN"].')
        yield from ((str(code), kinds[name]) for code in codes)
