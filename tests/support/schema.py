"""The schema that tests run on."""

from sqlalchemy import create_engine

from app.storage import models  # noqa: F401  (declares the tables)
from app.storage.database import Base


def create_schema(url: str) -> None:
    """Make every table in the empty database at `url`."""
    engine = create_engine(url)
    try:
        Base.metadata.create_all(engine)
    finally:
        engine.dispose()
