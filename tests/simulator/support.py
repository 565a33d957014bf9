"""A product that only writes down what the provider tells it, and helpers to wait and to send."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse

import requests

from app.simulator.records import Sender

ACCOUNT = "AC" + "1" * 32
TOKEN = "0123456789abcdef0123456789abcdef"
NUMBER = "+12025550100"
ADA = "+12025550143"
SERVICE = "MG" + "2" * 32


@dataclass
class Heard:
    """One post that the product got."""

    url: str
    form: dict[str, str]
    signature: str
    event_id: str


@dataclass
class Product:
    """WSGI application that keeps every post in `heard` and answers with `status` and `body`."""

    status: str = "204 No Content"
    body: bytes = b""
    heard: list[Heard] = field(default_factory=list)
    wait: Callable[[], object] = lambda: None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read().decode()
        query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
        self.wait()
        self.heard.append(
            Heard(
                f"http://{environ['HTTP_HOST']}{environ['PATH_INFO']}{query}",
                dict(parse_qsl(body, keep_blank_values=True)),
                environ["HTTP_X_TWILIO_SIGNATURE"],
                environ["HTTP_I_TWILIO_IDEMPOTENCY_TOKEN"],
            )
        )
        start_response(self.status, [("Content-Type", "text/xml")])
        return [self.body]

    def statuses(self) -> list[str]:
        return [each.form["MessageStatus"] for each in self.heard]


def sender(**changes: Any) -> Sender:
    given = {"number": NUMBER, "account_sid": ACCOUNT, "auth_token": TOKEN} | changes
    return Sender(**given)


def eventually(fact: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until `fact()` is true, and fail when it has not become so in time."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def post_message(client: Any, to: str = ADA, body: str = "Good morning", **changes: Any) -> Any:
    """Send through Flask's test client as the API's user would; None removes a field."""
    form = {"From": NUMBER, "To": to, "Body": body} | changes
    return client.post(
        f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        data={name: value for name, value in form.items() if value is not None},
        auth=(ACCOUNT, TOKEN),
    )


def post_over_network(base: str, to: str, **changes: str) -> requests.Response:
    """Send over a real connection, so that one which is cut can be seen."""
    return requests.post(
        f"{base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        data={"From": NUMBER, "To": to, "Body": "Good morning"} | changes,
        auth=(ACCOUNT, TOKEN),
        headers={"Connection": "close"},
        timeout=10,
    )
