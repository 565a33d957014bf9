"""`tidings db`: bring the schema of the database to this version."""

import flask_migrate
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask.cli import AppGroup

from app.commands.output import json_option, say
from app.factory import init_migrations
from app.storage.database import db

database = AppGroup("db", help="The schema of the database.")


@database.command("upgrade")
@json_option
def upgrade(as_json: bool) -> None:
    """Make or change the tables as this version needs them; safe to run again.

    \b
    Example:
      tidings db upgrade
    """
    init_migrations(current_app)
    before = present_revision()
    flask_migrate.upgrade()
    after = present_revision()
    words = f"The schema is {after}." if before == after else f"The schema went from {before} to {after}."
    say({"before": before, "after": after}, as_json, lambda: words)


@database.command("current")
@json_option
def current(as_json: bool) -> None:
    """Say which schema the database has, and which this version needs.

    \b
    Example:
      tidings db current
    """
    has, needs = present_revision(), newest_revision()
    say({"has": has, "needs": needs}, as_json, lambda: f"The database has {has}; this version needs {needs}.")


def present_revision() -> str | None:
    """Return the migration that the database is at, None when it is empty."""
    with db.engine.connect() as connection:
        found: str | None = MigrationContext.configure(connection).get_current_revision()
    return found


def newest_revision() -> str | None:
    """Return the newest migration that this version brings."""
    init_migrations(current_app)
    config = current_app.extensions["migrate"].migrate.get_config()
    found: str | None = ScriptDirectory.from_config(config).get_current_head()
    return found
