"""How a PostgreSQL that has never counted its rows finds a delivery: by a key of its own."""

import pytest
from sqlalchemy import text

from app.storage.database import db
from tests.support.world import Newsroom


@pytest.mark.parametrize(
    "where",
    [
        "broadcast_id = 1 AND subscriber_id = 7 AND inbound_id = 0",
        "broadcast_id = 1 AND inbound_id = 0 AND subscriber_id IN (7, 8, 9) AND status = 0",
    ],
    ids=["one outcome", "a window at the gate"],
)
def test_a_delivery_is_found_by_its_own_key_before_the_first_analyze(newsroom: Newsroom, where: str) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite keeps no such statistics")
    newsroom.join(30)
    newsroom.broadcast()
    newsroom.send()

    plan = db.session.scalars(text(f"EXPLAIN UPDATE delivery SET attempts = 1 WHERE {where}")).all()

    shown = "\n".join(plan)
    assert "Index" in shown
    assert "ix_delivery_slice" not in shown, shown
