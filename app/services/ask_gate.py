"""The gate's answers to everybody whom a draft is for, asked once for all that its review says of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.storage import in_place, quick_answers, segments
from app.storage.audience import Answers
from app.storage.models import Broadcast
from app.storage.ways import templates_of, ways_to


def ask_gate(session: Session, broadcast: Broadcast, list_ids: Sequence[int], at: datetime) -> Answers:
    """Ask about everybody as if the broadcast started at `at`."""
    corrects = broadcast.corrects_id
    ways = ways_to(session, list_ids, corrects, templates_of(session, broadcast.id))
    chosen = segments.chosen_of(session, broadcast, at)
    wordless = in_place.wordless(session, broadcast, at)
    return quick_answers.ask(session, list_ids, at, ways, corrects, chosen, wordless)
