"""A provider with 429, 5xx and cut connections: what the report says must be what the sink knows, one for one."""

from collections import Counter

from bench import verdicts
from bench.finding import Finding
from bench.ground import ground
from bench.size import Size

_PLANS = {Size.SMOKE: (800, 5), Size.NORMAL: (10_000, 30), Size.FULL: (38_000, 200)}
# Of a thousand requests.
_BUSY, _BROKEN, _CUT_AFTER, _CUT_BEFORE = 10, 5, 2, 2


def run(database: str, size: Size, seed: int) -> Finding:
    """Send to a provider in trouble; the sink alone knows which cut requests it had taken. Raises `RunFailed`."""
    people, delay_ms = _PLANS[size]
    with ground(database, people=people, delay_ms=delay_ms) as field:
        broadcast_id = field.schedule()
        # A refusal is tried again after half a minute, for which a small run has no time.
        busy, broken = (0, 0) if size is Size.SMOKE else (_BUSY, _BROKEN)
        field.sink.trouble(busy=busy, broken=broken, cut_after=_CUT_AFTER, cut_before=_CUT_BEFORE)
        field.start("worker", "clock")
        field.until_settled(broadcast_id, 180)
        arrivals, fates = field.sink.arrivals(), field.fates(broadcast_id)
        everybody = {number for number, _ in field.room.people}
    faults = verdicts.agreement(arrivals, fates, everybody)
    counts = Counter(fates.values())
    if not counts["unknown"]:
        faults.append("nothing was cut, so the run proves nothing")
    if counts["failed"]:
        faults.append(f"{counts['failed']} were given up, though trying again would have reached them")
    facts = f"{len(everybody):,} people, {delay_ms} ms an answer; {counts['sent']:,} sent, {counts['unknown']} unknown"
    facts += f", of whom {len(everybody) - len(arrivals)} never got it"
    return Finding("latency, 429, 5xx, cuts", database, facts, tuple(faults))
