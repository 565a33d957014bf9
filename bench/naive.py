"""The baseline: what one writes first. A job for each recipient, and in it a client of Twilio's SDK and one call.

The worker is RQ's own command in its default form (it forks for each job), or its SimpleWorker (it does not).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from rq import Queue
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from app.supervisor.guard import Guard
from bench.running import CpuMeter, Run, wait_until, worker
from bench.sink import Account, Sink
from bench.stage import redis_pid
from bench.tokens import fingerprint

QUEUE = "naive"
FORKING, SIMPLE = "rq.Worker", "rq.SimpleWorker"
TEXT = "The bridge is open again. {}"
_API = "https://api.twilio.com"
_SLOWEST_PER_SECOND = 0.2


class _ToSink(TwilioHttpClient):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's own HTTP client with another host; nothing else is changed."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, url.replace(_API, os.environ["BENCH_SINK"], 1), *args, **kwargs)


def send_message(to: str, text: str) -> str:
    """The job: one message to one person; returns the provider's id."""
    client = Client(os.environ["BENCH_ACCOUNT"], os.environ["BENCH_TOKEN"], http_client=_ToSink())
    sid: str = client.messages.create(to=to, from_=os.environ["BENCH_FROM"], body=text).sid
    return sid


@dataclass(frozen=True)
class Naive:
    """Where the baseline works, and which kind of worker does."""

    worker_class: str
    redis_url: str
    sink: Sink
    account: Account
    number: str
    directory: Path
    guard: Guard

    def measure(self, people: Sequence[tuple[str, str]]) -> Run:
        """Send to `people` (number, token), and time it from the first arrival at the sink to the last.

        Neither queueing the jobs nor starting the worker counts, though both belong to the work.
        """
        client = redis.Redis.from_url(self.redis_url)
        client.flushall()
        self._enqueue(client, people)
        self.sink.reset()
        with worker(
            self._command(),
            env=self._environment(),
            client=client,
            guard=self.guard,
            log=self.directory / "naive.log",
        ) as pid:
            wait_until(lambda: self.sink.stats().total > 0, 60)
            late = self.sink.stats().total
            meter = CpuMeter(pid, redis_pid(client))
            wait_until(lambda: self.sink.stats().total >= len(people), 30 + len(people) / _SLOWEST_PER_SECOND)
            cpu_seconds = meter.spent() * len(people) / max(1, len(people) - late)
        return self._verdict(people, cpu_seconds)

    def _verdict(self, people: Sequence[tuple[str, str]], cpu_seconds: float) -> Run:
        seen = self.sink.stats()
        return Run(
            messages=len(people),
            # From the first of n arrivals to the last there are n - 1 messages' worth of time.
            seconds=seen.seconds * len(people) / (len(people) - 1),
            cpu_seconds=cpu_seconds,
            faults=tuple(seen.faults(len(people), fingerprint(token for _, token in people))),
            duplicates=seen.duplicates,
            lost=seen.lost(len(people)),
        )

    def _enqueue(self, client: redis.Redis, people: Sequence[tuple[str, str]]) -> None:
        jobs = [Queue.prepare_data(send_message, (to, TEXT.format(token))) for to, token in people]
        Queue(QUEUE, connection=client).enqueue_many(jobs)

    def _command(self) -> list[str]:
        options = ["--quiet", "--url", self.redis_url, "--worker-class", self.worker_class]
        return ["-m", "rq.cli", "worker", *options, QUEUE]

    def _environment(self) -> dict[str, str]:
        return {
            "BENCH_SINK": self.sink.url,
            "BENCH_ACCOUNT": self.account.sid,
            "BENCH_TOKEN": self.account.auth_token,
            "BENCH_FROM": self.number,
        }
