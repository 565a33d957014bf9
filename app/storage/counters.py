"""Counters in rows: add to what stands there, or begin with it, on both databases."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.storage.database import is_sqlite


def insert_into(session: Session, table: type[Any]) -> Any:
    """Return an INSERT that knows ON CONFLICT."""
    return (sqlite if is_sqlite(session) else postgresql).insert(table)


def add(session: Session, table: type[Any], figure: str, counts: Mapping[tuple[Any, ...], int]) -> None:
    """Add to the column `figure` of rows; `counts` has their primary key as it stands in the model.

    Rows are taken in the order of their keys, so that two writers never wait for each other in a ring.
    """
    if not counts:
        return
    key = [column.name for column in table.__table__.primary_key]
    insert = insert_into(session, table)
    more = {figure: getattr(table, figure) + insert.excluded[figure]}
    upsert = insert.on_conflict_do_update(index_elements=key, set_=more)
    rows = [dict(zip(key, one, strict=True)) | {figure: count} for one, count in sorted(counts.items())]
    session.execute(upsert, rows)
