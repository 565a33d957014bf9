"""PostgreSQL must know how many deliveries there are, or it looks up each by reading its whole broadcast."""

import pytest
from sqlalchemy import text

from app.storage.database import db, is_sqlite, transaction
from app.storage.deliveries import count_for_planner
from tests.support.world import Newsroom

_COUNTED = text("SELECT reltuples FROM pg_class WHERE oid = 'delivery'::regclass")


def test_the_first_claim_lets_postgresql_count_the_deliveries(newsroom: Newsroom) -> None:
    if is_sqlite(db.session()):
        pytest.skip("SQLite reads its plans from the schema")
    newsroom.join(20)

    newsroom.broadcast()
    newsroom.send()

    db.session.rollback()
    assert db.session.scalar(_COUNTED) == 20


def test_a_database_that_was_counted_is_not_counted_again(newsroom: Newsroom) -> None:
    if is_sqlite(db.session()):
        pytest.skip("SQLite reads its plans from the schema")
    newsroom.join(20)
    newsroom.broadcast()
    newsroom.send()

    newsroom.broadcast("And closed once more.")
    newsroom.send()
    with transaction() as session:
        count_for_planner(session)

    db.session.rollback()
    assert db.session.scalar(_COUNTED) == 20
