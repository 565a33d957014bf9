"""Run migrations on the application's own engine, in one transaction, on PostgreSQL and SQLite."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection

migrate = current_app.extensions["migrate"]
database = migrate.db


@contextmanager
def tables_made_anew(connection: Connection) -> Iterator[None]:
    """Let SQLite drop a table that others point to, for it cannot change one (sqlite.org/lang_altertable.html, 7).

    The switch works outside a transaction only.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    plain = connection.connection.cursor()
    plain.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        plain.execute("PRAGMA foreign_keys=ON")


def refuse_orphans(connection: Connection) -> None:
    """Look, before anything is committed, for what SQLite did not watch meanwhile."""
    if connection.dialect.name == "sqlite":
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if orphans:
            raise RuntimeError(f"{len(orphans)} rows would point to nothing, such as one of {orphans[0][0]}.")


def run() -> None:
    """Upgrade or downgrade over the application's connection."""
    with database.engine.connect() as connection, tables_made_anew(connection):
        context.configure(
            connection=connection,
            target_metadata=database.metadatas[None],
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            refuse_orphans(connection)


if context.is_offline_mode():
    raise SystemExit("Migrations run on a live database; there is no --sql mode.")
run()
