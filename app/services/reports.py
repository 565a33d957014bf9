"""What became of a broadcast: counts that always add up to its audience, and the row behind every one of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import CompoundSelect, select

from app.domain.spreadsheets import csv_line
from app.domain.statuses import DeliveryStatus
from app.services.controller import NotFound, Refused
from app.services.figures.roll_up import LEFT
from app.storage import audience as audiences
from app.storage import headcounts, tallies
from app.storage.database import db
from app.storage.models import (
    Broadcast,
    BroadcastTotal,
    Delivery,
    Slice,
    Subscriber,
)

_FEW = 5000
STATUS_WORDS = {status.name.lower(): status for status in DeliveryStatus}


@dataclass(frozen=True)
class Tally:
    """audience = pending + handing_over + sent + delivered + failed + unknown + skipped, at every moment.

    `reasons` counts skipped, failed and unknown by reason, `failures` the failed alone, and `errors` counts by the
    provider's code.
    """

    audience: int
    pending: int
    handing_over: int
    sent: int
    delivered: int
    failed: int
    unknown: int
    skipped: int
    reasons: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def settled(self) -> int:
        """Deliveries whose hand-over is over, one way or the other."""
        return self.audience - self.pending - self.handing_over

    @property
    def percent(self) -> int:
        """How far the hand-over is, in whole per cent, 100 only when nobody waits."""
        return 100 * self.settled // self.audience if self.audience else 100


@dataclass(frozen=True)
class DeliveryLine:
    """One row of a report."""

    subscriber_id: int
    channel: str
    address: str
    status: str
    reason: str | None
    error_code: str | None
    consent_seq: int | None
    provider_id: str | None
    updated_at: datetime


def tally(broadcast_id: int) -> Tally:
    """Read where a broadcast's deliveries stand, at any size without counting them; raises `NotFound`."""
    broadcast = db.session.get(Broadcast, broadcast_id)
    if broadcast is None:
        raise NotFound(f"There is no broadcast {broadcast_id}.")
    groups = tallies.counts(db.session(), broadcast_id)
    counts = dict.fromkeys(DeliveryStatus, 0)
    reasons: dict[str, int] = {}
    errors: dict[str, int] = {}
    failures: dict[str, int] = {}
    for status, reason, code, count in groups:
        counts[DeliveryStatus(status)] += count
        if reason:
            reasons[reason] = reasons.get(reason, 0) + count
        if reason and status == DeliveryStatus.FAILED:
            failures[reason] = failures.get(reason, 0) + count
        if code and status in (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN):
            errors[code] = errors.get(code, 0) + count
    # The audience is counted once, at the start; whoever is not counted elsewhere waits, for the claim or in a row.
    counted = sum(counts.values())
    audience = broadcast.audience if broadcast.audience is not None else counted
    if broadcast.corrects_id is not None and broadcast.audience is not None:
        audience = audiences.counted(db.session(), broadcast_id)  # moves with what is known of the wrong one
    return Tally(
        audience=audience,
        pending=audience - counted,
        handing_over=counts[DeliveryStatus.HANDING_OVER],
        sent=counts[DeliveryStatus.SENT],
        delivered=counts[DeliveryStatus.DELIVERED],
        failed=counts[DeliveryStatus.FAILED],
        unknown=counts[DeliveryStatus.UNKNOWN],
        skipped=counts[DeliveryStatus.SKIPPED],
        reasons=reasons,
        errors=errors,
        failures=failures,
    )


def deliveries(
    broadcast_id: int, *, status: str | None = None, limit: int = 50, after: int | None = None
) -> list[DeliveryLine]:
    """Return rows in order of subscriber id, from the one behind `after` on; `status` is a word of `STATUS_WORDS`."""
    query = (
        select(Delivery, Subscriber.channel, Subscriber.address)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.broadcast_id == broadcast_id)
        .order_by(Delivery.subscriber_id)
        .limit(limit)
    )
    if status is not None:
        if status not in STATUS_WORDS:
            raise Refused(f"{status!r} is no status. There are: {', '.join(STATUS_WORDS)}.")
        query = query.where(Delivery.status == STATUS_WORDS[status].value)
        if _few(broadcast_id, STATUS_WORDS[status]):
            query = query.where(Delivery.subscriber_id.in_(_by_slice(broadcast_id, STATUS_WORDS[status])))
    if after is not None:
        query = query.where(Delivery.subscriber_id > after)
    return [_line(row, channel, address) for row, channel, address in db.session.execute(query)]


def _by_slice(broadcast_id: int, status: DeliveryStatus) -> CompoundSelect[int]:
    """Three among a million are found by slice, or by having none; along the primary key all would be read."""
    people = select(Delivery.subscriber_id).where(
        Delivery.broadcast_id == broadcast_id, Delivery.status == status.value
    )
    slices = select(Slice.seq).where(Slice.broadcast_id == broadcast_id)
    return people.where(Delivery.slice.in_(slices)).union_all(people.where(Delivery.slice.is_(None)))


def _few(broadcast_id: int, status: DeliveryStatus) -> bool:
    rows = tallies.counts(db.session(), broadcast_id)
    return 0 < sum(people for found, _, _, people in rows if found == status) < _FEW


def _line(row: Delivery, channel: str, address: str) -> DeliveryLine:
    return DeliveryLine(
        row.subscriber_id,
        channel,
        address,
        DeliveryStatus(row.status).name.lower(),
        row.reason,
        row.error_code,
        row.consent_seq,
        row.provider_id,
        row.updated_at,
    )


def deliveries_csv(broadcast_id: int) -> Iterator[str]:
    """Yield a broadcast's deliveries as CSV, line by line; numbers in full, so for those who may see them."""
    columns = (
        "subscriber_id",
        "address",
        "status",
        "reason",
        "error_code",
        "consent_seq",
        "provider_id",
        "updated_at",
    )
    yield csv_line(columns)
    after: int | None = None
    while page := deliveries(broadcast_id, limit=1000, after=after):
        for line in page:
            values = [getattr(line, name) for name in columns]
            yield csv_line(values)
        after = page[-1].subscriber_id


def optouts_caused(broadcast_id: int) -> int:
    """Count who left within three days, this being the last broadcast that they had, as the reports do.

    Counted up to `app.services.figures.roll_up.counted_until`.
    """
    row = db.session.get(BroadcastTotal, (broadcast_id, LEFT))
    return row.people if row else 0


def list_counts() -> dict[int, int]:
    """Return the number of active subscribers of every list that has any."""
    return headcounts.by_list(db.session())
