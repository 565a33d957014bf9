"""What a webhook says, read as a provider's file describes it."""

import json
import re
from urllib.parse import parse_qsl

from app.domain.addresses import Address, BadAddress, parse_phone
from app.domain.messages import Event, EventKind, HookRequest, InboundMessage
from app.gateways.base import Malformed
from app.gateways.http_sms.description import Hook
from app.gateways.paths import at, holds, items


def matching(request: HookRequest, hook: Hook | None) -> list[object]:
    """Return the items of a webhook that are of this sort."""
    if hook is None:
        return []
    return [one for one in items(_document(request, hook.format), hook.each) if holds(one, hook.when)]


def code(item: object, hook: Hook) -> str:
    """Return why a report says that a message failed."""
    found = at(item, hook.paths.get("code", ""))
    if not hook.code_pattern:
        return found
    match = re.search(hook.code_pattern, found)
    return match["code"] if match else at(item, hook.paths["status"])


def _document(request: HookRequest, format_: str) -> object:
    if format_ == "query" or request.method == "GET":
        return request.query
    try:
        if format_ == "json":
            return json.loads(request.body)
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is no {format_}.") from error


def message(item: object, hook: Hook) -> Event:
    external_id, number = at(item, hook.paths["id"]), at(item, hook.paths["from"])
    if not external_id:
        raise Malformed(f"The field {hook.paths['id']} is missing.")
    try:
        address: Address = parse_phone(number if number.startswith(("+", "00")) else f"+{number}")
    except BadAddress as error:
        raise Malformed(str(error)) from error
    message = InboundMessage(external_id, address, at(item, hook.paths["text"]))
    return Event(EventKind.MESSAGE, message=message)
