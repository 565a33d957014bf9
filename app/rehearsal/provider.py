"""The stand-in provider: the simulator in a process of its own, and the only way to it, which leads nowhere else."""

import contextlib
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlsplit

import requests

from app.domain.media.attached import Media
from app.domain.messages import Batch, Recipient
from app.domain.rehearsal import Faults
from app.gateways.base import Call, Capabilities, Reply, Transport
from app.gateways.registry import gateway_class
from app.gateways.twilio import TwilioGateway
from app.rehearsal.files import Shelf
from app.services.rehearsal_extras import Part

_READY = re.compile(r"Simulator ready: (http://127\.0\.0\.1:\d+)/")
_CALLBACK = b"&StatusCallback="
_ALL = 1_000_000
# The wire carries so many characters; what other channels have room for beyond it would be refused.
_LONGEST = 1600


class LeavesTheMachine(RuntimeError):
    """A call of a rehearsal would go to another machine. It is a fault of ours, and nothing was sent."""


class LoopbackOnly:
    """A transport that carries calls to this machine, and nothing to anybody else."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    @property
    def free(self) -> int:
        """As the transport inside."""
        return self._inner.free

    @property
    def in_flight(self) -> int:
        """As the transport inside."""
        return self._inner.in_flight

    def submit(self, call: Call) -> None:
        """Begin a call; raises `LeavesTheMachine` unless it goes to a loopback address, given as a number."""
        parts = urlsplit(call.url)
        if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
            raise LeavesTheMachine(f"A rehearsal called {parts.hostname}.")
        self._inner.submit(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """As the transport inside."""
        return self._inner.poll(timeout)

    def close(self) -> None:
        """As the transport inside."""
        self._inner.close()


class StandInGateway(TwilioGateway):
    """The simulator's SMS wire, whatever the channel: it asks for no receipts, for nobody would hear them.

    It shows buttons and takes many people at once as the gateway does that it stands in for; a file is fetched from the
    stage's own shelf.
    """

    def __init__(self, account: "Account", number: str, part: Part, shelf: Shelf) -> None:
        settings = {"account_sid": account.sid, "auth_token": account.token, "from": number}
        super().__init__(settings, account.url)
        self._part, self._shelf = part, shelf

    def capabilities(self) -> Capabilities:  # type: ignore[override]  # differs from one sender to the next
        """A sender of the channel that it stands in for."""
        played = gateway_class(self._part.gateway).capabilities()
        return Capabilities(
            channel=self._part.channel,
            rate_unit=played.rate_unit,
            max_batch=played.max_batch,
            buttons=played.buttons,
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """As Twilio wants it, without the address for receipts."""
        return [call._replace(body=call.body.partition(_CALLBACK)[0]) for call in super().encode(batch)]

    def _content(self, recipient: Recipient) -> str:
        return f"Body={quote_plus(recipient.text[:_LONGEST])}"

    def _with_media(self, recipient: Recipient, media: Media) -> str:
        """With the file, unless the number that this one stands in for gets none."""
        if self._shelf.is_beyond(recipient.address.value):
            return self._content(recipient._replace(text=recipient.text + media.instead))
        return f"{self._content(recipient)}&MediaUrl={quote_plus(self._shelf.url_of(media))}"


class Arrived(NamedTuple):
    """A message as the provider took it; `parts` are those of an SMS with its text."""

    sender: str
    to: str
    parts: int
    has_file: bool


@dataclass(frozen=True)
class Account:
    """The simulator's address, and the one account on it."""

    url: str
    sid: str
    token: str

    def open(self, number: str) -> None:
        """Rent a number."""
        sender = {"number": number, "account_sid": self.sid, "auth_token": self.token}
        self._control("PUT", "senders", sender)

    def misbehave(self, faults: Faults) -> None:
        """Have these faults from now on."""
        self._control("POST", "failures", faults.for_simulator())

    def arrived(self) -> Sequence[Arrived]:
        """Return every message that was taken: the truth that the books are held against."""
        found = self._control("GET", f"messages?limit={_ALL}")
        return [Arrived(one["from"], one["to"], one["parts"], one["has_file"]) for one in found["messages"]]

    def refused(self) -> dict[str, int]:
        """Return how many requests were refused, by code."""
        return {str(code): int(count) for code, count in self._control("GET", "stats")["refused"].items()}

    def _control(self, method: str, path: str, body: object = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False  # a proxy is another machine
            answer = session.request(method, f"{self.url}/control/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()


@contextlib.contextmanager
def provider() -> Iterator[Account]:
    """Run a simulator on a free port of this machine."""
    command = [sys.executable, "-m", "app.simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None  # noqa: S101  # asked for above
            ready = _READY.match(process.stdout.readline())
            if ready is None:
                raise RuntimeError("The simulator did not start.")
            yield Account(ready[1], "AC" + secrets.token_hex(16), secrets.token_hex(16))
        finally:
            process.terminate()


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False
