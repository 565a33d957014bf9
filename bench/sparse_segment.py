"""A segment that begins at the far end of a big list: how long from the press of Send to its first message?"""

import time
from typing import Final

from sqlalchemy import func, select, update

from app.clock import utcnow
from app.domain.consent import SubscriptionState
from app.domain.segments import Among, Clause, Segment, Trait
from app.queue import begin
from app.services.manage_segments import choose_rule
from app.services.schedule_broadcasts import schedule
from app.services.write_drafts import create_draft
from app.storage.database import db, transaction
from app.storage.models import Subscriber, Subscription
from bench.ground import Ground
from bench.ours import TEXT
from bench.running import wait_until

PEOPLE: Final = 500
_LANGUAGE, _TEXT = "cy", f"{TEXT} Dychwelyd."
_WITHIN = 60.0


def first_message_ms(on: Ground, list_id: int) -> float:
    """Send to the last people of a list by their language; milliseconds from the press until one is at the sink.

    The worker and the clock run already. Raises `RunFailed` when they do not all get it.
    """
    on.sink.reset()
    with on.room.app.app_context():
        people = _let_the_last_speak(list_id)
        pressed, now = time.monotonic(), utcnow()
        broadcast_id = create_draft(title="Far end", text=_TEXT, list_ids=[list_id], by="bench", now=now)
        rule = Segment((Clause(Among(Trait.LANGUAGE, (_LANGUAGE,))),))
        choose_rule(broadcast_id, rule, by="bench", now=now)
        schedule(broadcast_id, at=None, zone="UTC", by="bench", now=now)
        begin(broadcast_id, utcnow())
        db.session.remove()
    wait_until(lambda: on.sink.stats().total >= people, _WITHIN, log=on.directory / "worker.log")
    return on.sink.stats().first_ns / 1e6 - pressed * 1000


def _let_the_last_speak(list_id: int) -> int:
    """Give the last people another language; returns how many of them are on the list."""
    with transaction() as session:
        last = session.scalar(select(func.max(Subscriber.id))) or 0
        session.execute(update(Subscriber).where(Subscriber.id > last - PEOPLE).values(language=_LANGUAGE))
        theirs = Subscription.subscriber_id > last - PEOPLE, Subscription.list_id == list_id
        active = Subscription.state == SubscriptionState.ACTIVE.value
        return session.scalar(select(func.count()).select_from(Subscription).where(*theirs, active)) or 0
