"""The printable page of a proof: one HTML file that needs nothing from outside and runs no script."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from app.services.proof import phrases


def render(pack: Mapping[str, Any]) -> str:
    """Return a proof pack (see `app.services.prove_consent.prove`) as HTML in the pack's language."""
    return _template().render(pack=pack, text=phrases.load(pack["language"]))


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["moment"] = _moment
    return environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))


def _moment(written: str | None) -> str:
    """Return '2026-08-03T09:00:00.000Z' as people write it: '2026-08-03 09:00:00'."""
    return (written or "").replace("T", " ")[:19]
