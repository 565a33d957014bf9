"""A platform's quota of broadcasts: what is left of it when somebody schedules, and whom the gate must leave out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.domain.channels import channel_named
from app.domain.placeholders import read
from app.domain.policy.decisions import Decision, decide
from app.domain.quotas import QUOTAS, Holder, Period, Quota
from app.services.shares import Share
from app.storage import quotas, segments
from app.storage.holding import Spent
from app.storage.models import Broadcast, BroadcastList

_SHOWN_TITLES: Final = 4
_ALREADY: Final = "sent or planned so far: {used} ({titles}). The next may go from {next} on."
_USED_UP: Final = {
    (Holder.SENDER, Period.DAY): "{channel} takes at most {n} a day from {sender}; " + _ALREADY,
    (Holder.SENDER, Period.MONTH): "{channel} takes at most {n} a month from {sender}; " + _ALREADY,
    (Holder.PERSON, Period.DAY): "{channel} lets a person have at most {n} a day from {sender}; " + _ALREADY,
    (Holder.PERSON, Period.MONTH): "{channel} lets a person have at most {n} a month from {sender}; "
    + _ALREADY,
}


@dataclass(frozen=True)
class Used:
    """A share's quota in the period of a broadcast: by which others it is used, and for how many people it is used up.

    `renews_at` is when the next period begins (UTC or the platform's zone: an instant).
    """

    share: Share
    quota: Quota
    others: tuple[str, ...]
    full: int
    renews_at: datetime

    @property
    def forbids(self) -> bool:
        """Tell whether nobody at all could get it over this sender."""
        return self.full > 0 and self.full >= self.share.reachable


def used_of(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    shares: Sequence[Share],
    at: datetime,
) -> list[Used]:
    """Return what is used of the quota of each sender that has one, in the period that `at` lies in."""
    gateways = quotas.gateways_of(session, [share.sender_id for share in shares])
    found = []
    for share in shares:
        quota = QUOTAS.get(gateways[share.sender_id])
        if quota is not None:
            found.append(_used(session, broadcast, [one.id for one in lists], share, quota, at))
    return found


def _used(
    session: Session, broadcast: Broadcast, list_ids: list[int], share: Share, quota: Quota, at: datetime
) -> Used:
    start, end = quota.span(at)
    others = quotas.planned_for(session, share.sender_id, start, end, broadcast.id)
    full = 0
    if len(others) >= quota.count:
        if quota.holder is Holder.SENDER:
            full = share.reachable
        else:
            full = quotas.people_full(
                session,
                list_ids,
                share.channel,
                others,
                quota.count,
                start,
                at,
                broadcast.corrects_id,
                segments.chosen_of(session, broadcast, at),
            )
    return Used(share, quota, tuple(one.title for one in others), full, end)


def problems_of(used: Sequence[Used], shares: Sequence[Share]) -> list[str]:
    """Say what a quota forbids outright: one more broadcast in the period, or one that needs more than one request.

    Where others get it on another channel it may go to them: see `warnings_of`.
    """
    found = [] if _others_get_it(used, shares) else [_in_words(one) for one in used if one.forbids]
    for one in used:
        if one.quota.holder is not Holder.SENDER:
            continue
        channel = channel_named(one.share.channel).name
        if one.share.reachable > one.quota.people:
            found.append(
                f"On {channel} one broadcast reaches {one.quota.people} people, and these lists have "
                f"{one.share.reachable} there. Choose fewer lists."
            )
        if any(read(spoken.text).slots for spoken in one.share.spoken):
            found.append(
                f"On {channel} one text goes to all: take the placeholders out, or write other words for it."
            )
        if one.share.languages:
            found.append(
                f"On {channel} one text goes to all: write the same words there for every language, or leave it out."
            )
    return found


def warnings_of(used: Sequence[Used], shares: Sequence[Share]) -> list[str]:
    """Say for how many of the people a quota is used up, where others can still get it."""
    whole = [_in_words(one) for one in used if one.forbids] if _others_get_it(used, shares) else []
    return whole + [
        f"On {channel_named(one.share.channel).name} {one.full} of {one.share.reachable} people are left out: "
        f"the platform lets them have no more broadcasts before {one.renews_at:%Y-%m-%d}."
        for one in used
        if one.full and not one.forbids
    ]


def _others_get_it(used: Sequence[Used], shares: Sequence[Share]) -> bool:
    forbidden = sum(one.share.reachable for one in used if one.forbids)
    return sum(share.reachable for share in shares) > forbidden


def _in_words(used: Used) -> str:
    day = used.renews_at.astimezone(ZoneInfo(used.quota.zone))
    return _USED_UP[used.quota.holder, used.quota.period].format(
        channel=channel_named(used.share.channel).name,
        sender=used.share.sender,
        n=used.quota.count,
        used=len(used.others),
        titles=", ".join(f"“{one}”" for one in used.others[-_SHOWN_TITLES:]),
        next=f"{day:%Y-%m-%d %H:%M} ({used.quota.zone})",
    )


def slice_sizes(session: Session, sender_ids: Collection[int]) -> dict[int, int]:
    """Return how many people a slice of a sender holds, where a quota counts requests: as many as one reaches."""
    named = quotas.gateways_of(session, sender_ids)
    return {one: QUOTAS[gateway].people for one, gateway in named.items() if gateway in QUOTAS}


def closed_by(
    session: Session, broadcast: Broadcast, sender_id: int, quota: Quota | None, now: datetime
) -> Decision | None:
    """Decide about everybody where the quota is the sender's; None: nothing stands against it.

    What left of this very broadcast counts, too: one broadcast is one request.
    """
    if quota is None or quota.holder is not Holder.SENDER:
        return None
    start, end = quota.span(now)
    taken = {*quotas.sent_by(session, sender_id, start), *quotas.sends_before(session, broadcast, sender_id)}
    return decide(now, broadcast.expires_at, renews_at=end) if len(taken) >= quota.count else None


def spent_by(
    session: Session, broadcast: Broadcast, sender_id: int, quota: Quota | None, now: datetime
) -> Spent:
    """Return what each person's quota is counted by, where they have one; empty where nobody can have had enough."""
    if quota is None or quota.holder is not Holder.PERSON:
        return Spent()
    start, end = quota.span(now)
    taken = [one for one in quotas.sent_by(session, sender_id, start) if one != broadcast.id]
    return Spent(tuple(taken), quota.count, start, end) if len(taken) >= quota.count else Spent()
