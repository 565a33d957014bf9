"""Requests a second over TLS: our transport beside aiohttp, through the same terminator to the same sink."""

import contextlib
import json
import os
import platform
import secrets
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pycurl

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.gateways.transport import DEFAULT_CONNECTIONS
from app.gateways.twilio import TwilioGateway
from app.supervisor.guard import Guard
from bench import fetched, numbers, running_all
from bench.ceiling import Ceiling
from bench.ours import NUMBER
from bench.report import Report, Round
from bench.running import ROOT, Run, RunFailed, environment, first_to_last
from bench.sdk import TEXT
from bench.sink import Account, Sink, running_sink
from bench.terminator import Terminator, terminator
from bench.throughput import say
from bench.tls_client import Order, Spent
from bench.tokens import token

OURS, AIOHTTP, ON_UVLOOP = "our transport", "aiohttp", "aiohttp on uvloop"
_SLOWEST_PER_SECOND = 200.0


@dataclass(frozen=True)
class Plan:
    """How much is measured. With `fetch` pip may fetch uvloop for aiohttp, into a folder that is thrown away."""

    rounds: int
    messages: int
    ceiling_seconds: float
    fetch: bool = True
    judge_speed: bool = True
    haproxy: str = "haproxy"


@dataclass(frozen=True)
class Field:
    """What stands ready for a round."""

    sink: Sink
    before_it: Terminator
    people: Sequence[tuple[str, str]]
    order: Order

    def measure(self, client: str, python: Path) -> Run:
        """Let one client send to everybody, in a process of its own; timed and judged by the sink."""
        self.sink.reset()
        done = subprocess.run(
            [str(python), "-m", "bench.tls_client", client],
            input=json.dumps(asdict(self.order)),
            env=environment({}),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30 + len(self.people) / _SLOWEST_PER_SECOND,
            check=False,
        )
        if done.returncode:
            raise RunFailed(f"{client} did not send. {done.stderr[-2000:]}")
        spent = Spent(**json.loads(done.stdout))
        if spent.refused == len(self.people):
            raise RunFailed(f"{client} was refused every request.")
        found = first_to_last(
            self.sink.stats(), self.people, cpu_seconds=spent.cpu_seconds, memory_mb=spent.memory_mb
        )
        refused = [f"{spent.refused} requests were refused"] if spent.refused else []
        return replace(found, faults=(*found.faults, *refused))


def run(plan: Plan) -> Report:
    """Measure by `plan`, telling progress on stderr. Raises `RunFailed`."""
    load = os.getloadavg()[0]
    account = Account("AC" + secrets.token_hex(16), secrets.token_hex(16), secrets.token_bytes(16))
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidings-bench-")))
        guard = stack.enter_context(Guard())
        sink = stack.enter_context(running_sink(home, account, guard=guard))
        tls = stack.enter_context(terminator(home, sink.url, guard, haproxy=plan.haproxy))
        people = [
            (one, token(account.key, one)) for one in numbers.reserved(plan.messages + 1) if one != NUMBER
        ][: plan.messages]
        field = Field(sink, tls, people, order_for(people, account, tls))
        contenders, versions = _contenders(field, home, plan)
        ceiling = Ceiling(sink, account, home, plan.ceiling_seconds, tls.url, str(tls.ca_file))
        done = list(_rounds(plan, contenders, ceiling))
    facts = dict(one.split(": ", 1) for one in running_all.where()) | {
        "versions": versions,
        "TLS": f"{tls.kind}, one certificate (P-256) made for the run, checked by every client but wrk",
        "sink": sink.kind,
        "ceiling": ceiling.kind,
    }
    facts["measured"] += f", {load:.1f} before the start"
    return Report(facts, done, judge_speed=plan.judge_speed)


def order_for(people: Sequence[tuple[str, str]], account: Account, tls: Terminator) -> Order:
    """Make every request beforehand, as our gateway for Twilio does; who sends them has nothing left to make."""
    settings = {"account_sid": account.sid, "auth_token": account.auth_token, "from": NUMBER}
    recipients = tuple(
        Recipient(DeliveryRef(1, number), Address("sms", to), TEXT.format(proof))
        for number, (to, proof) in enumerate(people, 1)
    )
    calls = TwilioGateway(settings, tls.url).encode(Batch(recipients, "http://localhost/hooks/city-desk"))
    return Order(
        url=calls[0].url,
        ca_file=str(tls.ca_file),
        connections=DEFAULT_CONNECTIONS,
        headers={**calls[0].headers, "Authorization": f"Basic {account.basic}"},
        bodies=[call.body.decode() for call in calls],
    )


def _contenders(field: Field, home: Path, plan: Plan) -> tuple[Mapping[str, Callable[[], Run]], str]:
    """The clients that can be had here, and their versions in words."""
    here = Path(sys.executable)
    # Twilio's SDK brings aiohttp, so our own Python has it.
    found = {OURS: partial(field.measure, "curl", here), AIOHTTP: partial(field.measure, "aiohttp", here)}
    words = _versions()
    if plan.fetch:
        try:
            python = fetched.python_with(home / "peer", "uvloop", f"aiohttp=={version('aiohttp')}")
            found[ON_UVLOOP] = partial(field.measure, "aiohttp-uvloop", python)
        except fetched.NotInstalled as error:
            words += say(f"; skipped: {error}")
    return found, words


def _versions() -> str:
    libcurl, openssl = pycurl.version_info()[1], pycurl.version_info()[5].replace("/", " ")
    pythons_openssl = " ".join(ssl.OPENSSL_VERSION.split()[:2])
    return (
        f"Python {platform.python_version()}, libcurl {libcurl} with {openssl}, "
        f"aiohttp {version('aiohttp')} with {pythons_openssl}"
    )


def _rounds(plan: Plan, contenders: Mapping[str, Callable[[], Run]], ceiling: Ceiling) -> Iterator[Round]:
    before = ceiling.per_second()
    for number in range(1, plan.rounds + 1):
        runs = {name: measure() for name, measure in contenders.items()}
        one = Round(before, ceiling.per_second(), runs)
        before = one.after
        speeds = "; ".join(f"{name} {run.per_second:,.0f}/s" for name, run in runs.items())
        say(f"round {number} of {plan.rounds}: {speeds}; ceiling {one.ceiling:,.0f}/s")
        yield one
