"""The words of exports and records, one data file per language beside this module, and the pages made of them."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined

from app.domain.retention import RULES, Kept, Periods
from app.services.controller import Refused

LANGUAGES: Final = ("en", "de")
_PAGES: Final = ("sheet.html", "person.html", "art30.html")


@cache
def load(language: str) -> Mapping[str, Any]:
    """Return the words of a language; raises `Refused` naming those there are."""
    if language not in LANGUAGES:
        raise Refused(f"Exports and records are written in {' and '.join(LANGUAGES)}, not in “{language}”.")
    return tomllib.loads(files(__package__).joinpath("data", f"{language}.toml").read_text(encoding="utf-8"))


def retention_table(language: str, periods: Periods) -> list[dict[str, Any]]:
    """Return what is kept, from when on, how long and why, as rows in words; `days` is a number."""
    words = load(language)["retention"]
    return [
        {
            "kind": kind.value,
            "what": words[kind.value]["what"],
            "counted_from": words[kind.value]["counted_from"],
            "then": words[kind.value]["then"],
            "days": periods[kind],
            "period": _period(language, periods[kind]),
            "source": RULES[kind].source.replace("GDPR art.", load(language)["labels"]["gdpr_art"]),
        }
        for kind in Kept
    ]


def _period(language: str, days: int) -> str:
    """Return 1827 as "5 years", as people think of it; what is no round number of years stays days."""
    words, (years, rest) = load(language)["labels"], divmod(days, 365.25)
    if years >= 1 and rest < 1:
        return str(words["year" if years == 1 else "years"]).format(n=int(years))
    return str(words["day" if days == 1 else "days"]).format(n=days)


def page(name: str, pack: Mapping[str, Any]) -> str:
    """Return `pack`, which names its language, as one printable HTML file that needs nothing from outside."""
    return _environment().get_template(f"{name}.html").render(pack=pack, words=load(pack["language"]))


@cache
def _environment() -> Environment:
    folder = files(__package__).joinpath("data")
    pages = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in _PAGES}
    made = Environment(
        loader=DictLoader(pages),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["moment"] = _moment
    return made


def _moment(written: str | None) -> str:
    """Return '2026-08-03T09:00:00.000Z' as people write it: '2026-08-03 09:00:00'."""
    return (written or "").replace("T", " ")[:19]
