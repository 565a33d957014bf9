"""`/metrics` for Prometheus: read from the database and Redis when it asks, so no process keeps counts of its own."""

import hmac
from collections.abc import Iterable, Iterator, Mapping

from flask import Flask, Response, abort, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from app.clock import utcnow
from app.domain.statuses import DeliveryStatus
from app.meter import LaneCounts
from app.queue import QUEUES, waiting
from app.runtime import runtime
from app.storage import lane_figures, tallies
from app.storage.database import db
from app.storage.lane_figures import LaneFigures

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def init_app(app: Flask) -> None:
    """Answer `/metrics` to whoever has the token; without one in the settings there is no such page."""
    app.add_url_rule("/metrics", "metrics", _metrics)


def _metrics() -> Response:
    token = runtime().settings.metrics_token
    if not token:
        abort(404)
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        abort(401)
    registry = CollectorRegistry()
    registry.register(_Figures())
    return Response(generate_latest(registry), content_type=_TEXT)


class _Figures(Collector):
    """Asks anew at each scrape."""

    def collect(self) -> Iterable[Metric]:
        """Return every figure."""
        session = db.session()
        lanes = lane_figures.lanes(session, utcnow())
        yield from _of_lanes(lanes)
        yield _of_shared_limits()
        yield _of_broadcasts()
        yield GaugeMetricFamily(
            "tidings_unknown_deliveries",
            "Deliveries of which nobody knows whether they left.",
            lane_figures.unknown(session),
        )
        session.rollback()
        yield from _of_redis(lanes)


def _of_lanes(lanes: Iterable[LaneFigures]) -> Iterator[Metric]:
    rate = GaugeMetricFamily(
        "tidings_sender_rate", "Permitted messages or parts a second.", labels=["sender"]
    )
    paused = GaugeMetricFamily("tidings_sender_paused", "1 while nothing goes out here.", labels=["sender"])
    slices = GaugeMetricFamily(
        "tidings_slices", "Slices of broadcasts on their way.", labels=["sender", "state"]
    )
    oldest = GaugeMetricFamily(
        "tidings_oldest_due_seconds", "For how long the oldest thing here has been due.", labels=["sender"]
    )
    now = utcnow()
    for lane in lanes:
        rate.add_metric([lane.name], lane.rate)
        paused.add_metric([lane.name], lane.paused)
        for state, count in sorted(lane.slices.items()):
            slices.add_metric([lane.name, state], count)
        since = 0.0 if lane.oldest_due is None else max(0.0, (now - lane.oldest_due).total_seconds())
        oldest.add_metric([lane.name], since)
    yield from (rate, paused, slices, oldest)


def _of_shared_limits() -> Metric:
    shared = GaugeMetricFamily(
        "tidings_shared_rate",
        "Permitted messages or parts a second of all senders of an account or a channel together.",
        labels=["limit"],
    )
    for account, rate in sorted(lane_figures.account_rates(db.session()).items()):
        shared.add_metric([f"account:{account}"], rate)
    for channel, rate in sorted(runtime().settings.channel_rates.items()):
        shared.add_metric([f"channel:{channel}"], rate)
    return shared


def _of_broadcasts() -> Metric:
    people = GaugeMetricFamily(
        "tidings_broadcast_people",
        "People of a broadcast on its way, by where their delivery stands.",
        labels=["broadcast", "status", "reason"],
    )
    session = db.session()
    for broadcast_id in lane_figures.on_the_way(session):
        by_reason: dict[tuple[str, str], int] = {}
        for status, reason, _, count in tallies.counts(session, broadcast_id):
            key = (DeliveryStatus(status).name.lower(), reason)
            by_reason[key] = by_reason.get(key, 0) + count
        for (status_name, reason), count in sorted(by_reason.items()):
            people.add_metric([str(broadcast_id), status_name, reason], count)
    return people


def _of_redis(lanes: Iterable[LaneFigures]) -> Iterator[Metric]:
    outcomes = CounterMetricFamily(
        "tidings_outcomes", "Answers of providers: taken, or a kind of error.", labels=["sender", "kind"]
    )
    rested = CounterMetricFamily(
        "tidings_rested", "Messages that waited because their person had one just now.", labels=["sender"]
    )
    permits = CounterMetricFamily("tidings_permits", "Permits used: messages or parts.", labels=["sender"])
    in_flight = GaugeMetricFamily(
        "tidings_in_flight", "Messages without an answer at this moment.", labels=["sender"]
    )
    jobs = GaugeMetricFamily("tidings_queue_jobs", "Wake-ups that no worker has taken.", labels=["queue"])
    up = GaugeMetricFamily("tidings_redis_up", "1 when Redis answers.")
    now = utcnow()
    try:
        counts = [(lane.name, runtime().meter.read(lane.sender_id, now)) for lane in lanes]
        for name in QUEUES:
            jobs.add_metric([name], waiting(name))
    except RedisError:
        up.add_metric([], 0)
        yield up
        return
    up.add_metric([], 1)
    for name, found in counts:
        _of_lane(name, found, outcomes, {"permits": permits, "rested": rested}, in_flight)
    yield from (up, outcomes, permits, rested, in_flight, jobs)


def _of_lane(
    name: str,
    found: LaneCounts,
    outcomes: CounterMetricFamily,
    others: Mapping[str, CounterMetricFamily],
    in_flight: GaugeMetricFamily,
) -> None:
    for kind, count in sorted(found.counts.items()):
        if kind in others:
            others[kind].add_metric([name], count)
        else:
            outcomes.add_metric([name, kind], count)
    in_flight.add_metric([name], found.in_flight)
