"""The sink in Python, for machines without a C compiler: the same checks and answers at a lower ceiling."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from bench.tokens import fingerprint, token

TWILIO_ANSWER: Final = {
    "account_sid": "AC" + "0" * 32,
    "api_version": "2010-04-01",
    "body": "-",
    "date_created": "Mon, 02 Mar 2026 12:00:00 +0000",
    "date_sent": None,
    "date_updated": "Mon, 02 Mar 2026 12:00:00 +0000",
    "direction": "outbound-api",
    "error_code": None,
    "error_message": None,
    "from": "+12025550100",
    "messaging_service_sid": None,
    "num_media": "0",
    "num_segments": "1",
    "price": None,
    "price_unit": "USD",
    "status": "queued",
    "subresource_uris": {"media": "/2010-04-01/Accounts/AC/Messages/SM/Media.json"},
    "uri": "/2010-04-01/Accounts/AC/Messages/SM.json",
}
GIVEN_BYTES: Final = 32768
"""The longest answer that `POST /given` takes, as in the sink in C."""


class _Message(NamedTuple):
    """What either provider was asked to send."""

    to: str
    sender: str
    text: str
    is_chat: bool = False


class Witness:
    """What was seen since the last reset, and the answer to each request."""

    def __init__(self, auth: str, bot: str, key: bytes) -> None:
        self._auth, self._bot, self._key, self._sids = f"Basic {auth}", bot, key, 0
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._tokens: dict[str, str] = {}
        self._arrivals: list[str] = []
        self._given, self._given_requests, self._given_bytes = b"", 0, 0
        self._trouble, self._dice = [0, 0, 0, 0], random.Random(1)
        self._counts = dict.fromkeys(
            ("total", "bad_auth", "bad_token", "bad_request", "first_ns", "last_ns"), 0
        )

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[str, object] | bytes | None:
        """Return status line and JSON of one request's answer, or the whole of it; None to cut the connection."""
        if path == "/given" or (self._given and path != "/stats"):
            return self._given_mode(method, path, body)
        if (method, path) == ("GET", "/stats"):
            unique = {"unique": len(self._tokens), "sum": fingerprint(self._tokens.values())}
            return "200 OK", self._counts | unique
        if (method, path) == ("POST", "/reset"):
            self.reset()
            return "200 OK", {}
        if (method, path) == ("POST", "/arrivals"):
            Path(os.environ["SINK_ARRIVALS"]).write_text("".join(self._arrivals))
            return "200 OK", {}
        if method == "POST" and path.startswith("/trouble/"):
            self._trouble = [int(share) for share in path.split("/")[2:]]
            return "200 OK", {}
        if method == "POST" and path.startswith("/bot"):
            return self._telegram(path.removeprefix("/bot"), body)
        path, _, query = path.partition("?")
        if method not in ("GET", "POST") or not path.endswith("/Messages.json"):
            return self._refuse("bad_request", "404 NOT FOUND", 20404)
        if headers.get("authorization") != self._auth:
            return self._refuse("bad_auth", "401 UNAUTHORIZED", 20003)
        # Kannel can only put the form into the address.
        form = dict(parse_qsl(query if method == "GET" else body.decode()))
        to, text = form.get("To", ""), form.get("Body", "")
        if len(to) < 8 or to[0] != "+" or len(text) < 16:
            return self._refuse("bad_request", "400 BAD REQUEST", 21604)
        return self._troubled(_Message(to, form.get("From", "+0"), text))

    def _given_mode(self, method: str, path: str, body: bytes) -> tuple[str, object] | bytes:
        if (method, path) == ("GET", "/given"):
            return "200 OK", {"requests": self._given_requests, "bytes": self._given_bytes}
        if (method, path) in (("POST", "/given"), ("POST", "/reset")):
            if len(body) > GIVEN_BYTES:
                return "413 CONTENT TOO LARGE", {}
            self.reset()
            self._given = body
            return "200 OK", {}
        self._given_requests += 1
        self._given_bytes += len(path) + len(body)
        return self._given

    def _telegram(self, path: str, body: bytes) -> tuple[str, object] | None:
        token, _, called = path.partition("/")
        if called != "sendMessage":
            return self._refuse_bot("bad_request", "404 Not Found")
        if token != self._bot:
            return self._refuse_bot("bad_auth", "401 Unauthorized")
        fields = json.loads(body)
        to, text = str(fields.get("chat_id", "")), str(fields.get("text", ""))
        if not to.isdigit() or len(text) < 16:
            return self._refuse_bot("bad_request", "400 Bad Request")
        return self._troubled(_Message(to, self._bot.partition(":")[0], text, is_chat=True))

    def _troubled(self, message: "_Message") -> tuple[str, object] | None:
        drawn, kind = self._dice.randrange(1000), 0
        while kind < 4 and drawn >= self._trouble[kind]:
            drawn, kind = drawn - self._trouble[kind], kind + 1
        if kind == 0 and message.is_chat:
            return "429 Too Many Requests", {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 1",
                "parameters": {"retry_after": 1},
            }
        if kind < 2:
            return ("429 TOO MANY REQUESTS\r\nRetry-After: 1", "503 SERVICE UNAVAILABLE")[kind], {}
        answer = self._take(message) if kind != 3 else None
        return answer if kind == 4 else None

    def _take(self, message: "_Message") -> tuple[str, object]:
        to, expected = message.to, token(self._key, message.to)
        made_for_them = message.text.endswith(expected)
        self._counts["bad_token"] += not made_for_them
        self._tokens[to] = expected
        self._counts["last_ns"] = time.monotonic_ns()
        self._counts["first_ns"] = self._counts["first_ns"] or self._counts["last_ns"]
        self._counts["total"] += 1
        if made_for_them:
            self._arrivals.append(f"{to} {message.sender} {self._counts['last_ns']}\n")
        self._sids += 1
        if message.is_chat:
            chat = {"id": int(to), "first_name": "-", "type": "private"}
            return "200 OK", {
                "ok": True,
                "result": {"message_id": self._sids, "chat": chat, "date": 1772452800, "text": "-"},
            }
        return "201 CREATED", TWILIO_ANSWER | {"sid": f"SM{self._sids:032x}", "to": to}

    def _refuse(self, counter: str, status: str, code: int) -> tuple[str, object]:
        self._counts[counter] += 1
        return status, {"code": code, "message": status, "status": int(status[:3])}

    def _refuse_bot(self, counter: str, status: str) -> tuple[str, object]:
        self._counts[counter] += 1
        return status, {"ok": False, "error_code": int(status[:3]), "description": status[4:]}


class Connection(asyncio.Protocol):
    """One kept-alive connection; answers in order, each after the delay."""

    def __init__(self, witness: Witness, delay: float) -> None:
        self._witness, self._delay, self._unread = witness, delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (answer := self._next_answer()) is not None:
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _next_answer(self) -> bytes | None:
        head, found, rest = self._unread.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return None
        self._unread = rest[length:]
        method, path, _ = first.split(" ", 2)
        answer = self._witness.answer(method, path, headers, rest[:length])
        if answer is None:
            self._transport.abort()
            return None
        if isinstance(answer, bytes):
            return answer
        status, content = answer
        text = json.dumps(content).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n".encode()
        return head + text


async def serve(delay: float) -> None:
    """Listen on a free port of SINK_ADDRESS, print it, and answer until SIGTERM."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    key = bytes.fromhex(os.environ["SINK_KEY"])
    witness = Witness(os.environ["SINK_AUTH"], os.environ["SINK_BOT"], key)
    server = await loop.create_server(lambda: Connection(witness, delay), os.environ["SINK_ADDRESS"], 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) / 1000))
