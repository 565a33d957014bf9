"""From a posted form to checked values, or to one translated sentence for each field that is wrong."""

from collections.abc import Mapping
from typing import Any, cast

from flask import request
from marshmallow import Schema, ValidationError

from app.desk.languages import gettext as _

_MANY = ("list_ids", "weekdays")

Errors = dict[str, str]


def posted() -> dict[str, Any]:
    """The form as it came, to check or to show again."""
    return {
        key: request.values.getlist(key) if key in _MANY else request.values[key] for key in request.values
    }


def load(schema: Schema, raw: Mapping[str, Any]) -> tuple[dict[str, Any], Errors]:
    """Return the checked values and no errors, or what is valid and a sentence for each bad field."""
    try:
        return cast("dict[str, Any]", schema.load(dict(raw))), {}
    except ValidationError as error:
        valid = cast("dict[str, Any]", error.valid_data or {})
        messages = cast("dict[str, Any]", error.messages)
        return valid, {field: _first(found) for field, found in messages.items()}


def _first(found: Any) -> str:
    """Marshmallow nests messages for the items of a list; one sentence is enough at a field."""
    while isinstance(found, dict):
        found = next(iter(found.values()))
    message = str(found[0] if isinstance(found, list) else found)
    return _(message) if message else _("This is not valid.")
