"""What stands against scheduling a broadcast, but for its time."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.domain.in_place import InPlace
from app.domain.policy.content import Finding, Severity
from app.domain.statuses import BroadcastState
from app.services import approval, quotas, template_news
from app.services.in_place_fit import too_long_for_captions
from app.services.media.attach import attached_to
from app.services.shares import (
    Share,
    problems_of,
)
from app.storage.models import Broadcast, BroadcastList, SavedSegment
from app.storage.segments import rule_data


def obstacles(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    shares: Sequence[Share],
    reachable: int,
    used: Sequence[quotas.Used],
    findings: Sequence[Finding],
) -> tuple[str, ...]:
    """Return, as sentences, what stands against a broadcast to `reachable` people; () when nothing does.

    `used` is what is left of the platforms' quotas, `findings` what the lint says of the text.
    """
    return (
        *filter(None, [approval.missing(broadcast, lists)]),
        *_problems(session, broadcast, lists, shares, reachable),
        *quotas.problems_of(used, shares),
        *advice(findings, Severity.ERROR),
    )


def advice(findings: Sequence[Finding], severity: Severity) -> tuple[str, ...]:
    """Return what to do about the findings of one severity."""
    return tuple(
        f"{one.about.lstrip('/')}: {one.advice}" if one.about else one.advice
        for one in findings
        if one.severity is severity
    )


def _problems(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    shares: Sequence[Share],
    reachable: int,
) -> tuple[str, ...]:
    found = []
    if not broadcast.text.strip() and broadcast.in_place != InPlace.DELETE:
        found.append("The text is empty.")
    if not lists:
        found.append("Choose at least one list.")
    found += problems_of(session, broadcast, lists, shares)
    found += template_news.problems_of(session, broadcast, {one.channel: one.sender_id for one in shares})
    found += _problems_of_segment(session, broadcast, lists)
    if broadcast.corrects_id is not None:
        found += _problems_of_correction(session, broadcast, broadcast.corrects_id, reachable)
        found += too_long_for_captions(session, broadcast, shares)
    elif lists and reachable == 0:
        found.append(
            "Nobody on these lists can be reached now."
            if rule_data(session, broadcast) is None
            else "Nobody in this part of the lists can be reached now."
        )
    return tuple(found)


def _problems_of_segment(session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList]) -> list[str]:
    row = session.get(SavedSegment, broadcast.segment_id) if broadcast.segment_id is not None else None
    if row is None or row.list_id in {one.id for one in lists}:
        return []
    return [f"“{row.name}” is part of a list that this broadcast does not go to."]


def _problems_of_correction(
    session: Session, broadcast: Broadcast, corrects: int, reachable: int
) -> list[str]:
    found = []
    if broadcast.in_place is not None and attached_to(session, broadcast.id):
        found.append(
            "A correction that changes messages where they stand carries no file. Take the file out."
        )
    if session.get_one(Broadcast, corrects).state == BroadcastState.SENDING.value:
        found.append("The message that this corrects is still being sent. Pause it or stop it first.")
    if reachable == 0:
        found.append("Nobody who got the message that this corrects can be reached now.")
    return found
