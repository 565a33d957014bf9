"""Receipts while a broadcast goes out at full speed: all are applied, forged ones are not, the broadcast is right."""

from bench import verdicts
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.running import RunFailed
from bench.size import Size
from bench.web import SHIPPED, ask, connected, fire, web
from bench.webhooks import sent_deliveries, signed_receipt

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
            posts = [signed_receipt(url, ref, token) for ref in refs]
            second = field.schedule()
            field.start("worker", "clock")
            field.until_arrived(1)
            waits = fire(port, posts)
            _forge(port, [signed_receipt(url, ref, token + "!") for ref in refs[:_FORGED]])
            field.until_settled(second, 120)
            return _finding(field, refs[0][0], second, sorted(waits), database, size)


def _forge(port: int, posts: list[bytes]) -> None:
    with connected(port) as line:
        answers = [ask(line, one)[:20] for one in posts]
    if any(b" 403 " not in answer for answer in answers):
        raise RunFailed(f"A forged receipt was answered with {answers}")


def _finding(
    field: Ground, first: int, second: int, waits: list[float], database: str, size: Size
) -> Finding:
    p99_ms = waits[len(waits) * 99 // 100] * 1000
    applied, everybody = field.tally(first).delivered, {number for number, _ in field.room.people}
    got = field.fates(second)
    faults = [] if applied == len(waits) else [f"of {len(waits)} receipts {applied} were applied"]
    faults += ["the report of the broadcast is not of everybody"] if set(got) != everybody else []
    copies = verdicts.copies(field.sink.arrivals())
    faults += [f"{count} did not get the broadcast" for count in [len(everybody - set(copies))] if count]
    missed = (f"p99 {p99_ms:.0f} ms",) if p99_ms > _P99_MS and size is not Size.SMOKE else ()
    facts = (
        f"{applied:,} receipts applied during a broadcast, p99 {p99_ms:.0f} ms; {_FORGED} forged ones refused"
    )
    return Finding("webhook storm", database, facts, tuple(faults), missed)
