"""Whom an approved template would reach, and free text does not: said before a broadcast is scheduled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.channels import channel_named
from app.services.shares import Share
from app.storage import quick_answers, segments
from app.storage.models import Broadcast, BroadcastList
from app.storage.ways import templates_of, way_of, ways_to


@dataclass(frozen=True)
class Gap:
    """On `channel`, so many people would get the broadcast if it named an approved template."""

    channel: str
    people: int

    def __str__(self) -> str:
        name = channel_named(self.channel).name
        return (
            f"Left out on {name}, for they wrote too long ago for free text: {self.people}. Name a template that the "
            "platform approved, and they get it, too."
        )


def gaps_of(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    shares: Sequence[Share],
    at: datetime,
) -> list[Gap]:
    """Return a gap for each channel that knows templates, where this broadcast goes without one and misses people."""
    templates = templates_of(session, broadcast.id)
    found = [
        Gap(share.channel, _missed(session, broadcast, lists, at, templates, share.channel))
        for share in shares
        if way_of(session, share.sender_id, templates) != way_of(session, share.sender_id, {share.channel})
    ]
    return [one for one in found if one.people]


def _missed(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    at: datetime,
    templates: frozenset[str],
    channel: str,
) -> int:
    list_ids, corrects = [one.id for one in lists], broadcast.corrects_id
    chosen = segments.chosen_of(session, broadcast, at)

    def reached(named: frozenset[str]) -> int:
        ways = ways_to(session, list_ids, corrects, named)
        return quick_answers.ask(session, list_ids, at, ways, corrects, chosen).reachable

    return reached(templates | {channel}) - reached(templates)
