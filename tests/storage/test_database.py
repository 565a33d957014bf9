"""What the database itself promises, on both engines: an append-only ledger, and a schema that is the models'."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ConsentEvent, Notice
from tests.support.world import Newsroom


def refused(statement) -> str:
    with pytest.raises(DBAPIError) as caught, transaction() as session:
        session.connection().execute(statement)  # a session refuses by itself, before the database does
    return str(caught.value.orig)


@pytest.mark.parametrize("table", [ConsentEvent, Notice])
@pytest.mark.parametrize("how", ["orm update", "orm delete", "raw update", "raw delete"])
def test_update_and_delete_are_refused_by_the_database(newsroom: Newsroom, table, how: str) -> None:
    newsroom.text("START")
    name = table.__tablename__
    column = "event_type" if table is ConsentEvent else "text"
    statements = {
        "orm update": update(table).values({column: "forged"}),
        "orm delete": delete(table),
        "raw update": text(f"UPDATE {name} SET {column} = 'forged'"),
        "raw delete": text(f"DELETE FROM {name}"),
    }

    assert f"{name} is append-only" in refused(statements[how])


def test_truncate_is_refused_on_postgresql(newsroom: Newsroom) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")

    assert "append-only" in refused(text("TRUNCATE consent_event CASCADE"))


# An index on an expression is nothing that Alembic can compare on SQLite.
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_the_migrations_make_the_schema_of_the_models(app) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, db.metadata) == []


def test_a_transaction_that_fails_leaves_nothing(newsroom: Newsroom) -> None:
    with pytest.raises(RuntimeError), transaction() as session:
        session.get_one(BroadcastList, newsroom.list_id).name = "changed"
        session.flush()
        raise RuntimeError

    assert db.session.get_one(BroadcastList, newsroom.list_id).name == "City"


def test_a_moment_without_a_zone_is_refused(newsroom: Newsroom) -> None:
    with pytest.raises(Exception, match="has no time zone"), transaction() as session:
        session.get_one(BroadcastList, newsroom.list_id).created_at = newsroom.now.replace(tzinfo=None)
        session.flush()
