"""The gate's answers about everybody on some lists, from the counts that are kept wherever these are exact."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from app.domain.consent import SubscriptionState
from app.domain.statuses import SkipReason
from app.storage import audience, headcounts
from app.storage.audience import Answers
from app.storage.gate import Way
from app.storage.models import BroadcastList, Subscriber, Subscription
from app.storage.segments import Chosen


def ask(
    session: Session,
    list_ids: Sequence[int],
    now: datetime,
    ways: Sequence[Way] = (),
    corrects: int | None = None,
    chosen: Chosen | None = None,
    wordless: ColumnElement[str | None] | None = None,
) -> Answers:
    """Say what `audience.ask` says, without reading everybody on the largest of the lists where that can be.

    It cannot for a segment or a correction, nor where somebody agreed to what a list was for before. Where a channel
    does not lead to everybody, those on that channel are read.
    """
    if corrects is None and chosen is None and wordless is None and list_ids:
        found = _from_counts(session, headcounts.largest_first(session, list_ids), now, ways)
        if found is not None:
            return found
    return audience.ask(session, list_ids, now, ways, corrects, chosen, wordless)


def _from_counts(
    session: Session, list_ids: Sequence[int], now: datetime, ways: Sequence[Way]
) -> Answers | None:
    """Take the first list from the counts, and read who is on the others without being on it."""
    kept = [headcounts.answers_on(session, one) for one in list_ids]
    unsure = any(answer == SkipReason.OTHER_PURPOSE for one in kept for answer, _, _ in one)
    if unsure or _agreed_to_another_purpose(session, list_ids):
        return None
    shut = {one.channel for one in ways} & {channel for one in kept for _, channel, _ in one}
    found = Counter({key: people for key, people in kept[0].items() if key[1] not in shut})
    if any(kept[1:]):
        others = and_(~Subscriber.channel.in_(shut), headcounts.on_none_of(list_ids[:1]))
        found.update(_asked(session, list_ids[1:], now, ways, others))
    if shut:
        found.update(_asked(session, list_ids, now, ways, Subscriber.channel.in_(shut)))
    return Answers(found)


def _asked(
    session: Session,
    list_ids: Sequence[int],
    now: datetime,
    ways: Sequence[Way],
    only: ColumnElement[bool],
) -> Counter[tuple[str | None, str, int | None]]:
    return Counter(audience.ask(session, list_ids, now, ways, only=only).counts)


def _agreed_to_another_purpose(session: Session, list_ids: Collection[int]) -> bool:
    """Tell whether anybody's consent to one of these lists is older than its purpose."""
    older = (
        exists()
        .where(
            Subscription.list_id == BroadcastList.id,
            Subscription.state == SubscriptionState.ACTIVE.value,
            Subscription.granted_seq <= BroadcastList.purpose_since_seq,
        )
        .correlate(BroadcastList)
    )
    changed = (BroadcastList.id.in_(list_ids), BroadcastList.purpose_since_seq > 0)
    return session.scalar(select(BroadcastList.id).where(*changed, older).limit(1)) is not None
