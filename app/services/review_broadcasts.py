"""The dry run of a broadcast: whom it would reach, what it costs, and what stands against it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.parts import measure
from app.domain.policy.content import Finding, Severity
from app.services import allowances, own_clocks, quotas
from app.services.ask_gate import ask_gate
from app.services.broadcast_rows import as_if_fresh, broadcast_for_change, targets_of
from app.services.figures.sums import money
from app.services.foresee import Waiting, broken_promise, foresee, read_text
from app.services.obstacles import advice, obstacles
from app.services.own_clocks import Turn
from app.services.sent_before import SentBefore, sent_before
from app.services.shares import (
    EXAMPLE_URL,
    Share,
    longest,
    shares_of,
)
from app.services.template_gaps import Gap, gaps_of
from app.storage.database import transaction


@dataclass(frozen=True)
class Review:
    """A dry run: whom the broadcast would reach if it started then, what it costs, and what stands against it.

    `skipped` counts people by the gate's reason; `waiting` tells of those among the reachable who get it later.
    `elsewhere` of those skipped get it on another channel that they agreed to. `findings` are what the lint says of
    the text, `promise` (or "") is the promise to a list that one message more would break, `quota_notes` (among the
    warnings) say whom a platform's quota leaves out, or who waits for a sender's allowance. `parts`, `encoding`,
    `rate` and `sender_name` are those of the first share, `most_parts` those of its longest text; `total_parts` is
    for all reachable, `cost` what they come to in millionths by currency, where prices are known, `seconds` until
    the last sender is done. `sent_before` are broadcasts of late with the same words. `turns` say who gets it when
    on their own clocks. `gaps` (among the warnings) are people whom a template would reach. `problems` forbid
    scheduling, `warnings` do not.
    """

    audience: int
    reachable: int
    skipped: dict[str, int]
    parts: int
    encoding: str
    most_parts: int
    total_parts: int
    rate: float
    seconds: float
    sender_name: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    promise: str = ""
    waiting: tuple[Waiting, ...] = ()
    elsewhere: int = 0
    findings: tuple[Finding, ...] = ()
    shares: tuple[Share, ...] = ()
    quota_notes: tuple[str, ...] = ()
    sent_before: tuple[SentBefore, ...] = ()
    turns: tuple[Turn, ...] = ()
    gaps: tuple[Gap, ...] = ()
    cost: Mapping[str, int] = field(default_factory=dict)

    @property
    def money(self) -> str:
        """`12.30 EUR`; "" where no price is known."""
        return money(self.cost)


def check(
    broadcast_id: int,
    *,
    now: datetime,
    at: datetime | None = None,
    local_at: datetime | None = None,
    zone: str = "UTC",
    brand: str = "",
    public_url: str = EXAMPLE_URL,
    fresh_minutes: int | None = None,
) -> Review:
    """Ask the gate about everybody, as if the broadcast started at `at` (or now), without sending anything.

    With the naive `local_at` it goes at that time on each person's own clock, by the clock of `zone` where nobody knows
    theirs. `fresh_minutes` stand for those of the draft, which stays as it is. With `brand` the lint looks for
    it in the text; links to files are counted as below `public_url`.
    """
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        as_if_fresh(broadcast, fresh_minutes)
        lists = targets_of(session, broadcast_id)
        plan = own_clocks.plan(session, broadcast, lists, local_at, zone, now) if local_at else None
        start = plan.first if plan else max(at or now, now)
        answers = ask_gate(session, broadcast, [one.id for one in lists], start)
        shares = shares_of(session, broadcast, lists, start, public_url, answers)
        used = quotas.used_of(session, broadcast, lists, shares, start)
        quota_notes = (
            *quotas.warnings_of(used, shares),
            *allowances.notes_of(session, broadcast, lists, shares, start, now),
        )
        seen = foresee(session, broadcast, lists, start, answers, used, plan.own if plan else None)
        size = measure(longest(shares[0].sent) + shares[0].tail if shares else longest(broadcast.text))
        gaps = tuple(gaps_of(session, broadcast, lists, shares, start))
        reachable = seen.reachable
        findings = read_text(session, broadcast, lists, brand, now, answers)
        return Review(
            audience=reachable + sum(seen.skipped.values()),
            reachable=reachable,
            skipped=seen.skipped,
            parts=size.count,
            most_parts=shares[0].most_parts if shares else size.count,
            encoding=size.encoding,
            total_parts=sum(one.total_parts for one in shares),
            cost=_costs(shares),
            rate=shares[0].rate if shares else 1.0,
            seconds=max((one.seconds for one in shares), default=0.0),
            sender_name=shares[0].sender if shares else "",
            problems=obstacles(session, broadcast, lists, shares, reachable, used, findings),
            warnings=(*quota_notes, *map(str, gaps), *advice(findings, Severity.WARNING)),
            gaps=gaps,
            quota_notes=quota_notes,
            sent_before=sent_before(session, broadcast, lists, start),
            promise=broken_promise(session, broadcast, lists, start),
            waiting=seen.waiting,
            elsewhere=seen.elsewhere,
            findings=tuple(findings),
            shares=tuple(shares),
            turns=plan.turns if plan else (),
        )


def _costs(shares: Sequence[Share]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for share in shares:
        found.update(share.cost)
    return dict(found)
