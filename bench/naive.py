"""The baseline: what one writes first. A job for each recipient, and in it a client of Twilio's SDK and one call.

The worker is RQ's own command in its default form (it forks for each job), or its SimpleWorker (it does not).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis
from rq import Queue

from app.supervisor.guard import Guard
from bench import sdk
from bench.running import CpuMeter, Run, first_to_last, wait_until, worker
from bench.sink import Account, Sink
from bench.stage import redis_pid

QUEUE = "naive"
FORKING, SIMPLE = "rq.Worker", "rq.SimpleWorker"
_SLOWEST_PER_SECOND = 0.2


def send_message(to: str, text: str) -> str:
    """The job: one message to one person through a client of its own; returns the provider's id."""
    return sdk.send(sdk.client(), to, text)


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
            meter, most = CpuMeter(pid, redis_pid(client)), 30 + len(people) / _SLOWEST_PER_SECOND
            wait_until(lambda: self.sink.stats().total >= len(people), most)
            cpu_seconds = meter.spent() * len(people) / max(1, len(people) - late)
        return first_to_last(self.sink.stats(), people, cpu_seconds=cpu_seconds)

    def _enqueue(self, client: redis.Redis, people: Sequence[tuple[str, str]]) -> None:
        jobs = [Queue.prepare_data(send_message, (to, sdk.TEXT.format(token))) for to, token in people]
        Queue(QUEUE, connection=client).enqueue_many(jobs)

    def _command(self) -> list[str]:
        options = ["--quiet", "--url", self.redis_url, "--worker-class", self.worker_class]
        return ["-m", "rq.cli", "worker", *options, QUEUE]

    def _environment(self) -> dict[str, str]:
        return sdk.settings(self.sink.url, self.account.sid, self.account.auth_token, self.number)
