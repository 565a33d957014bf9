"""Changing what stands in a Matrix room: an event that replaces the words of another, or a redaction.

Source: spec.matrix.org, Client-Server API v1.16, "Event replacements" and "Redactions".
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from app.domain.in_place import InPlace
from app.domain.messages import ErrorKind, SendError, Standing
from app.gateways.base import Call
from app.gateways.common import json_of
from app.gateways.paths import at

_SEND: Final = "send/m.room.message"


def path_and_content(standing: Standing | None, content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return what stands between a room and the transaction in the address, and the body.

    Clients that know no replacements show the words behind a star, as a message of its own.
    """
    if standing is None:
        return _SEND, content
    if standing.act is InPlace.DELETE:
        return f"redact/{quote(standing.provider_id, safe='')}", {}
    old = {"rel_type": "m.replace", "event_id": standing.provider_id}
    starred = {name: f"* {content[name]}" for name in ("body", "formatted_body") if name in content}
    fallback = {**content, **starred}
    return _SEND, {**fallback, "m.new_content": content, "m.relates_to": old}


def standing_id(call: Call, event_id: str) -> str | None:
    """Return the event that a further change names: a replacement of a replacement would be ignored."""
    if "/redact/" in call.url:
        return None
    return at(json_of(call.body).get("m.relates_to"), "event_id") or event_id


def read(call: Call, error: SendError) -> SendError:
    """Return what an error means: what is not found when it shall go is the message, and not the room."""
    missing = "/redact/" in call.url and error.kind is ErrorKind.GONE
    return replace(error, kind=ErrorKind.UNCHANGEABLE) if missing else error
