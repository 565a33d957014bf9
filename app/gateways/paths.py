"""Small languages of the data files: paths into a document, and texts with names in braces."""

import re
from collections.abc import Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"\{([a-z_]+)\}")


def at(document: object, path: str) -> str:
    """Return what stands at `messages.0.status` as text; an empty text where nothing does."""
    found = document
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, (str, int, float)) else ""


def items(document: object, each: str | None) -> list[object]:
    """Return the items that a path leads to, the document itself for None, its own items for an empty path."""
    if each is None:
        return [document]
    found = document
    for step in each.split(".") if each else []:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, list) else []


def holds(document: object, condition: str) -> bool:
    """Tell whether `path` is there, or `path=value` is so."""
    path, equals, value = condition.partition("=")
    return at(document, path) == value if equals else at(document, path) != ""


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """Return a text, or lists and tables of texts, with the names in braces replaced; a number stays as it is."""
    if isinstance(template, str):
        return _NAME.sub(lambda found: values[found.group(1)], template)
    if isinstance(template, Mapping):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    return template
