"""Receipts while a broadcast goes out at full speed: all are applied, forged ones are not, the broadcast is right."""

from collections.abc import Sequence
from dataclasses import replace

from app.domain.statuses import DeliveryStatus
from bench import verdicts
from bench.ceiling import Around
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.running import RunFailed
from bench.size import Size
from bench.web import SHIPPED, ask, connected, fire, web
from bench.webhooks import sent_deliveries, signed_receipt, statuses

_PLANS = {Size.SMOKE: 300, Size.NORMAL: 8_000, Size.FULL: 38_000}
_FORGED = 20
_P99_MS = 15.0


def run(database: str, size: Size, seed: int) -> Finding:
    """Post a signed receipt for each delivery of one broadcast while a second one is sent. Raises `RunFailed`."""
    people = _PLANS[size]
    with ground(database, people=people) as field:
        token, log = field.account.auth_token, field.directory / "web.log"
        with web(SHIPPED, field.room.env, token, field.guard, log) as (port, _, url):
            with field.room.app.app_context():
                refs = sent_deliveries(field.room, people - _FORGED)
            # Those whose receipts are forged get no other: they must stand at sent when all is over.
            forged, receipted = refs[:_FORGED], refs[_FORGED:]
            posts = [signed_receipt(url, ref, token) for ref in receipted]
            before = field.ceiling() if size is not Size.SMOKE else None
            second = field.schedule()
            field.start("worker", "clock")
            field.until_arrived(1)
            waits = fire(port, posts)
            _forge(port, [signed_receipt(url, ref, token + "!") for ref in forged])
            field.until_settled(second, 120)
            found = _finding(field, forged, receipted, second, sorted(waits), database, size)
            return (
                found if before is None else _beside(found, Around(before[0], field.ceiling()[0], before[1]))
            )


def _forge(port: int, posts: list[bytes]) -> None:
    with connected(port) as line:
        answers = [ask(line, one)[:20] for one in posts]
    if any(b" 403 " not in answer for answer in answers):
        raise RunFailed(f"A forged receipt was answered with {answers}")


def _beside(found: Finding, ceiling: Around) -> Finding:
    """Put the ceiling beside what was found."""
    facts, faults = f"{found.facts}; {ceiling.words}", (*found.faults, *ceiling.faults)
    return replace(found, facts=facts, faults=faults)


def _finding(
    field: Ground,
    forged: Sequence[tuple[int, int]],
    receipted: Sequence[tuple[int, int]],
    second: int,
    waits: list[float],
    database: str,
    size: Size,
) -> Finding:
    p99_ms = waits[len(waits) * 99 // 100] * 1000
    everybody = {number for number, _ in field.room.people}
    got = field.fates(second)
    wanted = {person: DeliveryStatus.SENT.value for _, person in forged}
    wanted |= {person: DeliveryStatus.DELIVERED.value for _, person in receipted}
    with field.room.app.app_context():
        # The worker sends the rest of that broadcast meanwhile, which has no receipts.
        stand = {one: status for one, status in statuses(receipted[0][0]).items() if one in wanted}
    faults = verdicts.applied(wanted, stand)
    faults += ["the report of the broadcast is not of everybody"] if set(got) != everybody else []
    copies = verdicts.copies(field.sink.arrivals())
    faults += [f"{count} did not get the broadcast" for count in [len(everybody - set(copies))] if count]
    missed = (f"p99 {p99_ms:.0f} ms",) if p99_ms > _P99_MS and size is not Size.SMOKE else ()
    facts = (
        f"{len(receipted):,} receipts during a broadcast, p99 {p99_ms:.0f} ms; {len(forged)} forged ones refused; "
        f"deliveries stand at what was sent (checksum {verdicts.fingerprint(stand)[:8]})"
    )
    return Finding("webhook storm", database, facts, tuple(faults), missed)
