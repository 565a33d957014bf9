"""Twilio's SDK pointed at the sink. Needs the SDK and nothing of ours: Celery's own Python runs it too."""

import os
from typing import Any

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

TEXT = "The bridge is open again. {}"
_API = "https://api.twilio.com"


class _ToSink(TwilioHttpClient):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's own HTTP client with another host; nothing else is changed."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, url.replace(_API, os.environ["BENCH_SINK"], 1), *args, **kwargs)


def client() -> Client:
    """A client of the account in the environment, see `settings`."""
    return Client(os.environ["BENCH_ACCOUNT"], os.environ["BENCH_TOKEN"], http_client=_ToSink())


def send(through: Client, to: str, text: str) -> str:
    """One message to one person; returns the provider's id."""
    sid: str = through.messages.create(to=to, from_=os.environ["BENCH_FROM"], body=text).sid
    return sid


def settings(sink_url: str, account: str, token: str, number: str) -> dict[str, str]:
    """The environment of a process that calls `client` and `send`."""
    return {"BENCH_SINK": sink_url, "BENCH_ACCOUNT": account, "BENCH_TOKEN": token, "BENCH_FROM": number}
