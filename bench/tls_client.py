"""One HTTP client that sends requests made before, in a process of its own: what `bench.tls` compares.

    python -m bench.tls_client curl|aiohttp|aiohttp-uvloop < Order as JSON

prints a `Spent` as JSON. The Python that runs the peers may have nothing of ours but this package.
"""

import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench import cpu

_TAKEN = 201


@dataclass(frozen=True)
class Order:
    """POST each body to `url`, over so many kept-alive connections; `ca_file` names whom to trust."""

    url: str
    ca_file: str
    connections: int
    headers: Mapping[str, str]
    bodies: list[str]


@dataclass(frozen=True)
class Spent:
    """CPU seconds from the first handshake to the last answer; megabytes at most; requests that were not taken."""

    cpu_seconds: float
    memory_mb: float
    refused: int


def by_curl(order: Order) -> Callable[[], int]:
    """Ours. Returns what sends everything, and returns how many were refused."""
    from app.gateways.base import Call
    from app.gateways.transport import CurlTransport

    calls = [Call("POST", order.url, body.encode(), order.headers) for body in order.bodies]
    transport = CurlTransport(order.connections, ca_file=order.ca_file)

    def send() -> int:
        waiting, refused = iter(calls), 0
        while True:
            while transport.free and (call := next(waiting, None)):
                transport.submit(call)
            if not transport.in_flight:
                return refused
            refused += sum(reply.status != _TAKEN for _, reply in transport.poll(1.0))

    return send


def by_aiohttp(order: Order) -> Callable[[], int]:
    """The peer, on asyncio's loop. Without cookies, which would cost it time."""
    return lambda: asyncio.run(_all_by_aiohttp(order, [body.encode() for body in order.bodies]))


def by_aiohttp_on_uvloop(order: Order) -> Callable[[], int]:
    """The peer at its best."""
    import uvloop

    return lambda: uvloop.run(_all_by_aiohttp(order, [body.encode() for body in order.bodies]))


async def _all_by_aiohttp(order: Order, bodies: Iterable[bytes]) -> int:
    import aiohttp
    from yarl import URL

    url, waiting = URL(order.url), iter(bodies)

    async def line(session: Any) -> int:
        refused = 0
        for body in waiting:
            async with session.post(url, data=body) as reply:
                await reply.read()
                refused += reply.status != _TAKEN
        return refused

    connector = aiohttp.TCPConnector(
        limit=order.connections, ssl=ssl.create_default_context(cafile=order.ca_file)
    )
    async with aiohttp.ClientSession(
        connector=connector, headers=order.headers, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        return sum(await asyncio.gather(*(line(session) for _ in range(order.connections))))


CLIENTS = {"curl": by_curl, "aiohttp": by_aiohttp, "aiohttp-uvloop": by_aiohttp_on_uvloop}


def main(name: str) -> None:
    """Send what standard input orders."""
    send = CLIENTS[name](Order(**json.load(sys.stdin)))
    before = time.process_time()
    refused = send()
    spent = Spent(time.process_time() - before, cpu.peak_megabytes(os.getpid()), refused)
    print(json.dumps(asdict(spent)))


if __name__ == "__main__":
    main(sys.argv[1])
