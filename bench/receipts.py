"""How fast receipts are applied to deliveries: in batches, one by one, and as one would write it first."""

import math
import random
import secrets
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.clock import utcnow
from app.domain.messages import DeliveryRef, ErrorKind, Receipt, ReceiptStatus, SendError
from app.domain.statuses import DeliveryStatus
from app.runtime import runtime
from app.services.record_receipts import SenderReceipt, record_receipts
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Delivery
from bench import report, verdicts
from bench.ground import Ground, ground
from bench.report import Spread
from bench.running import CpuMeter, Run, RunFailed
from bench.verdicts import Statuses
from bench.webhooks import sent_deliveries, statuses

BATCH, SINGLY, ORM = "2,000 at a time", "one by one", "ORM: get, set, commit"
_FILTERED = SendError(ErrorKind.CONTENT, code="30007")  # a failure that says nothing of the person
_STATUS = {ReceiptStatus.DELIVERED: DeliveryStatus.DELIVERED, ReceiptStatus.FAILED: DeliveryStatus.FAILED}


@dataclass(frozen=True)
class Plan:
    """How much is measured: a slow way ends after `seconds`; one receipt in `failed_every` reports a failure."""

    receipts: int
    rounds: int
    seconds: float
    failed_every: int = 20


@dataclass(frozen=True)
class Way:
    """One way to apply receipts, so many to a call; `whole` takes all of them, however long that takes."""

    apply: Callable[[Sequence[SenderReceipt]], None]
    at_once: int
    whole: bool = False


def _by_service(receipts: Sequence[SenderReceipt]) -> None:
    if record_receipts(receipts, controller=runtime().controller, now=utcnow()):
        raise RunFailed("A receipt found no delivery.")


def _by_orm(receipts: Sequence[SenderReceipt]) -> None:
    for _, receipt in receipts:
        assert receipt.ref is not None
        with transaction() as session:
            delivery = session.get_one(Delivery, tuple(receipt.ref))
            delivery.status = _STATUS[receipt.status].value
            delivery.error_code = receipt.error.code if receipt.error else None


WAYS = {BATCH: Way(_by_service, 2_000, whole=True), SINGLY: Way(_by_service, 1), ORM: Way(_by_orm, 1)}


def run(database: str, plan: Plan) -> list[dict[str, Run]]:
    """Measure every way once a round on a database (`SQLITE` or `POSTGRES`), each on deliveries of its own.

    Raises `RunFailed` unless the deliveries then stand at what the receipts say; `NoDatabase`, `RedisUnavailableError`.
    """
    with ground(database, people=plan.receipts) as on, on.room.app.app_context():
        return [
            {name: _measured(on, way, plan, random.Random(number)) for name, way in WAYS.items()}
            for number in range(plan.rounds)
        ]


def _measured(on: Ground, way: Way, plan: Plan, dice: random.Random) -> Run:
    refs = [DeliveryRef(*ref) for ref in sent_deliveries(on.room, plan.receipts)]
    broadcast = db.session.get_one(Broadcast, refs[0].broadcast_id)
    assert broadcast.sender_id is not None
    receipts = [
        _receipt(broadcast.sender_id, ref, failed=number % plan.failed_every == 0)
        for number, ref in enumerate(refs)
    ]
    dice.shuffle(receipts)
    found = _timed(way, receipts, plan.seconds, on.room.database_pid)
    judge(expected(refs, receipts[: found.messages]), statuses(broadcast.id))
    return found


def _receipt(sender_id: int, ref: DeliveryRef, *, failed: bool) -> SenderReceipt:
    status, error = (ReceiptStatus.FAILED, _FILTERED) if failed else (ReceiptStatus.DELIVERED, None)
    return SenderReceipt(sender_id, Receipt(ref, f"SM{secrets.token_hex(16)}", status, error))


def _timed(way: Way, receipts: Sequence[SenderReceipt], seconds: float, database_pid: int | None) -> Run:
    """Apply from the first on, until all are or the time is over; CPU is ours and the database's."""
    most = math.inf if way.whole else seconds
    meter, own, began, done = CpuMeter(database_pid), time.process_time(), time.monotonic(), 0
    while done < len(receipts) and time.monotonic() - began < most:
        way.apply(receipts[done : done + way.at_once])
        done = min(done + way.at_once, len(receipts))
    took = time.monotonic() - began
    return Run(done, took, time.process_time() - own + meter.spent())


def expected(refs: Sequence[DeliveryRef], applied: Sequence[SenderReceipt]) -> Statuses:
    """What all deliveries stand at when these receipts were applied, and no others."""
    before = {ref.subscriber_id: DeliveryStatus.SENT.value for ref in refs}
    said = {one.ref.subscriber_id: _STATUS[one.status].value for _, one in applied if one.ref}
    return before | said


def judge(wanted: Statuses, found: Statuses) -> None:
    """Raise `RunFailed` unless deliveries stand at what is wanted."""
    if faults := verdicts.applied(wanted, found):
        raise RunFailed(f"After the receipts, {faults[0]}.")


def times(rounds: Sequence[Mapping[str, Run]], other: str) -> float:
    """How many times as fast as the other way batches are: the median of the ratios inside the rounds."""
    return statistics.median(one[BATCH].per_second / one[other].per_second for one in rounds)


def as_markdown(found: Mapping[str, Sequence[Mapping[str, Run]]], notes: Sequence[str]) -> str:
    """Return the table of docs/performance.md, from the rounds of each database."""
    lines = [
        f"| database | applied | a round | receipts/s: min, median, max | {BATCH}, to it | CPU µs each |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [_row(database, name, rounds) for database, rounds in found.items() for name in WAYS]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)])


def notes(plan: Plan) -> list[str]:
    """The lines under the table on what was applied."""
    return [
        f"{plan.receipts:,} deliveries for each way and round; one receipt in {plan.failed_every} is of a failure",
        f"a slow way ends after {plan.seconds:g} s",
        f"rounds: {plan.rounds}; after each, every delivery stood at what the receipts said (count and checksum)",
    ]


def _row(database: str, name: str, rounds: Sequence[Mapping[str, Run]]) -> str:
    runs = [one[name] for one in rounds]
    speed = report.spread(Spread.of([run.per_second for run in runs]))
    count, cpu_us = (
        statistics.median(column) for column in zip(*((r.messages, r.cpu_us) for r in runs), strict=True)
    )
    return f"| {database} | {name} | {count:,.0f} | {speed} | {report.times(times(rounds, name))} | {cpu_us:,.0f} |"
