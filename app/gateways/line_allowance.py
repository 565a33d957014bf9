"""LINE's month: how many messages the plan has, and how many of them went out. One message to one person is one.

Source: github.com/line/line-openapi (messaging-api: quota, quota/consumption). The month is Japan's.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from app.domain.allowances import Allowance, Span
from app.gateways.allowances import CannotSay, check_yes
from app.gateways.base import Call, Reply
from app.gateways.common import json_of
from app.gateways.paths import at

ZONE: Final = "Asia/Tokyo"


def calls(url: str, headers: Mapping[str, str]) -> Sequence[Call]:
    """Return both questions; `url` is that of the messages."""
    return [Call("GET", f"{url}/{what}", b"", headers) for what in ("quota", "quota/consumption")]


def read(replies: Sequence[Reply]) -> Allowance:
    """Return the month's messages; raises `CannotSay`."""
    for reply in replies:
        check_yes(reply)
    limit, used = (json_of(reply.body) for reply in replies)
    kind = at(limit, "type")
    if kind == "none":
        return Allowance(Span.MONTH, None, zone=ZONE)
    if kind != "limited":
        raise CannotSay("the provider answered without a type of quota")
    return Allowance(Span.MONTH, _number(limit, "value"), _number(used, "totalUsage"), ZONE)


def _number(found: Mapping[str, object], field: str) -> int:
    value = at(found, field)
    if not value.isdecimal():
        raise CannotSay(f"the provider answered without {field}")
    return int(value)
