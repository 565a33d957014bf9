"""How many signed receipts a second one web process takes and applies, beside a plain Flask route."""

import contextlib
import secrets
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import insert, select, update

from app.clock import utcnow
from app.domain.statuses import DeliveryStatus
from app.storage.database import db, transaction
from app.storage.models import Delivery
from app.supervisor.guard import Guard
from bench import ours, stage, verdicts
from bench.running import CpuMeter, RunFailed
from bench.sink import Account, running_sink
from bench.web import fire, signed_post, web

ACCOUNT = "AC" + "0" * 32
DOOR, ROUTE = "our door", "a Flask route"
_APPS = {DOOR: "app.factory:create_app", ROUTE: "bench.naive_hooks:create_app"}


@dataclass(frozen=True)
class Storm:
    """One contender's round: receipts taken a second, CPU for each, and how long the slowest hundredth waited."""

    per_second: float
    cpu_us: float
    p99_ms: float


def run(receipts: int, rounds: int) -> dict[str, list[Storm]]:
    """Measure both in turns on SQLite; every receipt must be applied. Raises `RunFailed`."""
    account = Account(ACCOUNT, secrets.token_hex(16), secrets.token_bytes(16))
    found: dict[str, list[Storm]] = {DOOR: [], ROUTE: []}
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidings-bench-")))
        guard = stack.enter_context(Guard())
        redis_url = stack.enter_context(stage.own_redis(home, guard))
        sink = stack.enter_context(running_sink(home, account, guard=guard))
        database = f"sqlite:///{home / 'hooks.db'}"
        room = stack.enter_context(ours.newsroom(database, redis_url, home, sink, account, people=receipts))
        for _ in range(rounds):
            for name in found:
                found[name].append(_storm(name, room, receipts, account.auth_token, guard, home))
    return found


def _storm(name: str, room: ours.Newsroom, receipts: int, token: str, guard: Guard, home: Path) -> Storm:
    with room.app.app_context():
        refs = sent_deliveries(room, receipts)
    with web(_APPS[name], room.env, token, guard, home / "web.log") as (port, pid, url):
        requests = [signed_receipt(url, ref, token) for ref in refs]
        meter, began = CpuMeter(pid), time.monotonic()
        waits = fire(port, requests)
        seconds = time.monotonic() - began
        spent = meter.spent()
    with room.app.app_context():
        _all_applied(refs)
    return Storm(len(refs) / seconds, spent / len(refs) * 1e6, sorted(waits)[len(waits) * 99 // 100] * 1000)


def sent_deliveries(room: ours.Newsroom, count: int) -> list[tuple[int, int]]:
    """A broadcast whose deliveries the provider accepted a moment ago; nothing here is part of the measurement."""
    broadcast_id, now = room.schedule(), utcnow()
    with transaction() as session:
        people = session.scalars(select(ours.Subscriber.id).limit(count)).all()
        row = {"broadcast_id": broadcast_id, "inbound_id": 0, "status": DeliveryStatus.SENT.value}
        row |= {"attempts": 1, "updated_at": now}
        rows = [row | {"subscriber_id": one, "provider_id": _sid()} for one in people]
        session.execute(insert(Delivery), rows)
    return [(broadcast_id, person) for person in people]


def _all_applied(refs: Sequence[tuple[int, int]]) -> None:
    delivered = DeliveryStatus.DELIVERED.value
    if faults := verdicts.applied({person: delivered for _, person in refs}, statuses(refs[0][0])):
        raise RunFailed(f"After the receipts, {faults[0]}.")
    with transaction() as session:
        session.execute(update(Delivery).values(status=DeliveryStatus.SENT.value))


def statuses(broadcast_id: int) -> verdicts.Statuses:
    """What each delivery of a broadcast stands at, by subscriber."""
    db.session.rollback()
    columns = select(Delivery.subscriber_id, Delivery.status).where(Delivery.broadcast_id == broadcast_id)
    return {person: status for person, status in db.session.execute(columns)}


def signed_receipt(url: str, ref: tuple[int, int], token: str) -> bytes:
    """One receipt with a body, a reference and a signature of its own."""
    sid = _sid()
    form = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": "delivered", "AccountSid": ACCOUNT}
    return signed_post(url, form, token, query=f"?d={ref[0]}.{ref[1]}.0")


def _sid() -> str:
    return "SM" + secrets.token_hex(16)


def as_markdown(found: dict[str, list[Storm]]) -> str:
    """Return the table for docs/performance.md: medians over the rounds."""
    rows = {
        name: [median(column) for column in zip(*map(_figures, storms), strict=True)]
        for name, storms in found.items()
    }
    base = rows[ROUTE][0]
    lines = [
        f"| {name} | {per_second:,.0f} | {per_second / base:.2f}× | {cpu_us:,.0f} | {p99:.1f} |"
        for name, (per_second, cpu_us, p99) in rows.items()
    ]
    head = "| receipts taken and applied by | a second | to the route | CPU µs each | p99 ms |"
    return "\n".join([head, "| --- | ---: | ---: | ---: | ---: |", *lines])


def _figures(storm: Storm) -> tuple[float, float, float]:
    return storm.per_second, storm.cpu_us, storm.p99_ms
