"""A rule about answers or clicks finds them by keys, however many people there are."""

from sqlalchemy import text

from app.domain.segments import Clause, Reacted, Reaction, Segment
from app.storage.audience import members
from app.storage.database import db
from app.storage.segments import chosen_by
from tests.support.world import NOON, Newsroom

ANSWERED = Reacted(Reaction.ANSWERED, 7, "Yes")
CLICKED = Reacted(Reaction.CLICKED, 7, "https://example.org/riverside")


def plan_of(newsroom: Newsroom, test: Reacted) -> str:
    chosen = chosen_by(db.session(), Segment((Clause(test),), any_of=True), NOON, "UTC")
    query = members([newsroom.list_id], chosen=chosen)
    sql = str(query.compile(db.engine, compile_kwargs={"literal_binds": True})).replace(":", r"\:")
    how = "EXPLAIN" if db.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return "\n".join(str(row[-1]) for row in db.session.execute(text(f"{how} {sql}")))


def test_answers_and_clicks_are_found_by_a_key(newsroom: Newsroom) -> None:
    if db.engine.dialect.name == "postgresql":  # looking through an empty table is cheapest, so forbid it
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
    for test, table in ((ANSWERED, "broadcast_answer"), (CLICKED, "person_click")):
        plan = plan_of(newsroom, test)
        assert table in plan
        assert f"Seq Scan on {table}" not in plan
        assert f"SCAN {table}" not in plan
