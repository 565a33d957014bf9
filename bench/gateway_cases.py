"""What is measured of each HTTP gateway: settings and replies of its provider, people, and how they share requests.

Settings come from the samples that the contract of gateways is tested with, and so do the replies, but where a
sample's is shorter than the provider's own.
"""

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec

from app.domain import base64url
from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.domain.push import PushRoute
from app.gateways.base import Gateway, Reply
from app.gateways.push_encryption import CURVE, point_of
from app.gateways.registry import GATEWAYS, build
from app.services.send_deliveries import WINDOW
from bench.numbers import reserved
from bench.sink.fallback import TWILIO_ANSWER
from tests.gateways.samples import SAMPLES
from tests.gateways.samples.http_sms import clickatell_one, infobip_takes

CALLBACK = "https://news.example.org/hooks/city-desk"
WINDOWS = 40
"""Windows, or full requests of several people, that are made beforehand and sent in turns until the time is over."""
_FULL_REQUESTS = 4
_NAMES_OF_TWINS = frozenset({"http_sms", "wechat_subscription"})
"""The first is Kannel's file again, the second WeChat's protocol."""


@dataclass(frozen=True)
class Case:
    """One row: batches that go out in turns, each of a text of its own for everybody or for each, and the yes."""

    name: str
    gateway: Gateway
    batches: Sequence[Batch]
    reply: Reply


def cases(base_url: str) -> Iterator[Case]:
    """Return a case for each gateway over HTTP, and a second one where people of one text share a request."""
    for name in sorted(GATEWAYS):
        can = GATEWAYS[name].capabilities()
        if can.connection != "http" or name in _NAMES_OF_TWINS:
            continue
        if can.own_results:
            yield _case(name, base_url, f"{name}, {can.max_batch:,} people, a text for each", can.max_batch)
            continue
        if can.max_batch > 1:
            yield _case(name, base_url, f"{name}, one text for {can.max_batch:,}", can.max_batch)
        yield _case(name, base_url, f"{name}, a text for each" if can.max_batch > 1 else name, 1)


def _case(name: str, base_url: str, title: str, together: int) -> Case:
    sample = SAMPLES[name]
    gateway = build(name, sample.settings, base_url)
    size, count = (together, _FULL_REQUESTS) if together > 1 else (WINDOW, WINDOWS)
    own_results = gateway.capabilities().own_results
    # Where an answer names everybody, the one answer that there is names the same people in each request.
    people = _people(gateway, size) * count if own_results else _people(gateway, size * count)
    batches = [
        Batch(
            tuple(_addressed(people[at * size : (at + 1) * size], at, together > 1 and not own_results)),
            CALLBACK,
        )
        for at in range(count)
    ]
    reply = _takes_each(name, batches[0]) if own_results else _REPLIES.get(name) or sample.accepted(together)
    return Case(title, gateway, batches, reply)


def _takes_each(name: str, batch: Batch) -> Reply:
    """The yes of a provider that names everybody."""
    takes = {"infobip": infobip_takes, "clickatell_one": partial(clickatell_one, 202)}
    return takes[name]([one.address.value for one in batch.recipients])


def _addressed(people: Sequence[tuple[Address, str]], batch: int, shared: bool) -> Iterator[Recipient]:
    for at, (address, route) in enumerate(people):
        number = batch * len(people) + at
        whom = f"readers of edition {batch}" if shared else f"reader {number}"
        text = f"Good morning, {whom}. The bridge is open again; trams 4 and 7 run every ten minutes."
        yield Recipient(DeliveryRef(12, 1 + number), address, text, route)


def _people(gateway: Gateway, count: int) -> list[tuple[Address, str]]:
    channel = gateway.capabilities().channel
    if channel == "webpush":
        routes = [_route(gateway, number) for number in range(count)]
        return [(Address(channel, route.name), route.as_text()) for route in routes]
    if channel in ("sms", "whatsapp"):
        return [(Address(channel, number), "") for number in reserved(count)]
    return [(Address(channel, _IDS[channel](at)), f"!room{at}:example.org") for at in range(count)]


def _route(gateway: Gateway, number: int) -> PushRoute:
    """A browser with a key of its own; the sender's key is what its address is made of."""
    point = point_of(ec.generate_private_key(CURVE).public_key())
    key = GATEWAYS["webpush"].check_settings(SAMPLES["webpush"].settings)
    endpoint = f"https://fcm.googleapis.com/fcm/send/{base64url.encode(os.urandom(96))}{number}"
    return PushRoute(endpoint, base64url.encode(point), base64url.encode(os.urandom(16)), key)


_IDS: Mapping[str, Callable[[int], str]] = {
    "telegram": lambda at: str(7_000_000_000_000 + at),  # above the ids that it gives out
    "messenger": lambda at: str(7_000_000_000_000_000 + at),
    "line": lambda at: f"U{at:032x}",
    "wechat": lambda at: f"o{at:027x}",
    "viber": lambda at: base64.b64encode(at.to_bytes(16, "big")).decode(),
    "matrix": lambda at: f"@reader{at}:example.org",
}


def _json(status: int, body: Mapping[str, object]) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json"})


_TWILIO = _json(201, {**TWILIO_ANSWER, "sid": "SM" + "9" * 32, "to": "+12025550123"})
_REPLIES: Mapping[str, Reply] = {
    "twilio": _TWILIO,
    "twilio_whatsapp": _TWILIO,
    # core.telegram.org/bots/api#message
    "telegram": _json(
        200,
        {
            "ok": True,
            "result": {
                "message_id": 17,
                "from": {"id": 123456, "is_bot": True, "first_name": "City Desk", "username": "CityDeskBot"},
                "chat": {"id": 7000000000000, "first_name": "Ada", "type": "private"},
                "date": 1795370000,
                "text": "Good morning. The bridge is open again; trams 4 and 7 run every ten minutes.",
            },
        },
    ),
    # developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
    "whatsapp": _json(
        200,
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": "12025550123", "wa_id": "12025550123"}],
            "messages": [{"id": "wamid." + "HBgL" * 14, "message_status": "accepted"}],
        },
    ),
}
