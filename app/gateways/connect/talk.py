"""What a conversation with a provider about our webhook consists of."""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from app.gateways.base import Call, GatewayError, Reply
from app.gateways.common import json_of


class CannotConnect(GatewayError):
    """The provider did not take our webhook; the text says what it said, and what to do."""


@dataclass(frozen=True)
class Connected:
    """What the provider has taken in, and what it has no API for: a sentence each."""

    done: tuple[str, ...]
    left: tuple[str, ...] = ()


Conversation: TypeAlias = Generator[Call, Reply, Connected]
Opening: TypeAlias = Callable[[Mapping[str, str], str | None, str], Conversation]

_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}


def call(method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Call:
    """Return a call whose body is JSON."""
    raw = b"" if body is None else json.dumps(body).encode()
    return Call(method, url, raw, {**_JSON, **(headers or {})})


def bearer(token: str) -> dict[str, str]:
    """Return the header of an access token."""
    return {"Authorization": f"Bearer {token}"}


def answer(reply: Reply, what: str) -> Mapping[str, Any]:
    """Return the object that came back; raises `CannotConnect`, naming `what` was refused, unless it is a 2xx."""
    if not 200 <= reply.status < 300:
        raise refused(reply, what)
    return json_of(reply.body)


def refused(reply: Reply, what: str) -> CannotConnect:
    """Return the error that says what a provider answered."""
    return CannotConnect(f"{what} did not work: HTTP {reply.status or '(no answer)'}, {_said(reply)}")


def _said(reply: Reply) -> str:
    """The provider's words, on one line; a page for browsers has none that help, so it is only named."""
    text = " ".join(reply.body.decode("utf-8", "replace").split())
    if text[:15].lower().startswith(("<!doctype html", "<html")):
        return (
            "with a page for browsers. The address may be wrong, or something may stand before the provider."
        )
    return text[:300] or reply.reason or "nothing"


def check_address(found: str, hook: str, provider: str) -> None:
    """Raise `CannotConnect` unless the provider names the address that we gave it."""
    if found != hook:
        raise CannotConnect(
            f"{provider} says that its webhook is “{found}”, and not {hook}. Somebody may have changed it just now; "
            "run the command again."
        )
