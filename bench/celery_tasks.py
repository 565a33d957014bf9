"""Celery's side of the peers scenario, run in a Python of its own with Celery, Twilio's SDK and nothing of ours.

As a worker:    python -m celery -A bench.celery_tasks worker
As a producer:  python -m bench.celery_tasks < [["+12025550101", "text"], ...]
"""

import json
import os
import sys
from functools import cache

from celery import Celery
from twilio.rest import Client

from bench import sdk

app = Celery("peer", broker=os.environ["BENCH_REDIS"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@cache
def _client() -> Client:
    """One for each process, made after the fork and kept: faster than one for each message."""
    return sdk.client()


@app.task
def send_message(to: str, text: str) -> None:
    """One message to one person."""
    sdk.send(_client(), to, text)


if __name__ == "__main__":
    from bench.celery_tasks import send_message as task  # by the name that the worker knows it by

    for to, text in json.load(sys.stdin):
        task.delay(to, text)
