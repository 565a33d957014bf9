"""The schema that tests run on: the one that the migrations make, not the one that the models describe."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate, upgrade

import app.storage
from app.storage.database import db

MIGRATIONS = Path(app.storage.__file__).parent / "migrations"


def upgrade_to_head(url: str) -> None:
    """Bring the empty database at `url` to the newest migration."""
    small = Flask("tests")
    small.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(small)
    Migrate(small, db, directory=str(MIGRATIONS))
    with small.app_context():
        upgrade()
        db.engine.dispose()
