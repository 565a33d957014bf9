"""Kannel and Celery beside us: the same sink, the same checks, in turns with ours and the ceiling."""

import contextlib
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench import celery_peer, kannel_peer, report, throughput
from bench.celery_peer import POOLS, CeleryPeer
from bench.fetched import NotInstalled
from bench.kannel_peer import KannelPeer
from bench.ours import NUMBER
from bench.report import Report
from bench.throughput import Contenders

KANNEL = "Kannel"


@dataclass(frozen=True)
class Plan:
    """How much is measured: `field` says what of us and how often, the others how many messages a peer gets."""

    field: throughput.Plan
    kannel: int
    celery: int


def run(plan: Plan) -> Report:
    """Measure by `plan`. A peer that is not to be had is left out, and the report says why.

    Raises `RunFailed`, `NoDatabase`, `RedisUnavailableError`.
    """
    with throughput.ready(plan.field) as field, _peers(plan, field) as (peers, facts):
        return throughput.rounds(field, {**peers, **field.ours()}, facts)


@contextlib.contextmanager
def _peers(plan: Plan, field: throughput.Field) -> Iterator[tuple[Contenders, dict[str, str]]]:
    found: Contenders = {}
    facts = {"peers": _with_kannel(plan, field, found) + "; " + _with_celery(plan, field, found)}
    yield found, facts


def _with_kannel(plan: Plan, field: throughput.Field, found: Contenders) -> str:
    if (why_not := kannel_peer.missing()) is not None:
        return throughput.say(f"skipped: {why_not}")
    peer = KannelPeer(field.sink, field.account, NUMBER, field.directory, field.guard)
    found[KANNEL] = partial(peer.measure, field.people[: plan.kannel])
    return f"Kannel {kannel_peer.version()}"


def _with_celery(plan: Plan, field: throughput.Field, found: Contenders) -> str:
    try:
        installed = celery_peer.install(field.directory / "celery")
    except NotInstalled as error:
        return throughput.say(f"skipped: {error}")
    for words, (pool, size) in POOLS.items():
        peer = CeleryPeer(
            pool,
            size,
            installed,
            field.redis_url,
            field.sink,
            field.account,
            NUMBER,
            field.directory,
            field.guard,
        )
        found[f"Celery, {words}"] = partial(peer.measure, field.people[: plan.celery])
    return f"Celery {installed.version}"


def times(found: Report, ours: str) -> dict[str, float]:
    """How many times as fast as each other contender ours is: medians of the ratios inside each round."""
    return {
        line.name: statistics.median(
            one.runs[ours].per_second / one.runs[line.name].per_second for one in found.counted
        )
        for line in found.lines
        if line.name != ours
    }


def as_json(found: Report, ours: str) -> dict[str, Any]:
    """Return the figures as `bench.report` does, with `times_peers`: ours to each of the others."""
    return report.as_json(found, ours) | {"times_peers": times(found, ours)}


def as_markdown(found: Report, ours: str) -> str:
    """Return the table of docs/performance.md."""
    head = (
        f"| contender | messages a round | messages/s: min, median, max | {ours}, to it | to the ceiling "
        "| CPU µs/message | MB |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    ratios = times(found, ours)
    rows = [
        f"| {line.name} | {line.messages:,} | {report.spread(line.per_second)} "
        f"| {report.times(ratios.get(line.name, 1.0))} | {line.to_ceiling:.2g} | {line.cpu_us:,.0f} "
        f"| {line.memory_mb:.0f} |"
        for line in found.lines
    ]
    if found.ceiling:
        rows.append(f"| ceiling ({found.facts['ceiling']}) | | {report.spread(found.ceiling)} | | 1 | | |")
    return "\n".join([head, *rows, "", *report.notes(found)])
