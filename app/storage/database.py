"""The database handle, the one way to open a transaction, and what differs between PostgreSQL and SQLite."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from sqlite3 import Connection as SqliteConnection
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    Result,
    TypeDecorator,
    any_,
    event,
    literal,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from app.storage import append_only

# Constraint names are fixed so that migrations can name what they change on both databases.
_NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=_NAMING)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
append_only.watch(Session)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# SQLite only counts up by itself on a column of type INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on both databases; refuses naive ones, which would mean some machine's local time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; pass an aware UTC datetime.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextmanager
def transaction() -> Iterator[Session]:
    """Open one writing transaction: committed when the block ends, rolled back when it raises.

    It has a session of its own, so that a page's reading session never carries a half-done change. On SQLite
    it takes the write lock at once: two writers that read first would otherwise fail when they come to write.
    Afterwards the reading session begins anew, so that whoever reads behind a write sees it.
    """
    try:
        with Session(db.engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options={"tidings_writes": True})
            yield session
    finally:
        if db.session.registry.has():
            db.session.rollback()


def learn_sizes(*models: type[Base]) -> None:
    """Let PostgreSQL look how large these tables have become; by itself it does so a minute later, and until then it
    may read a table that it takes for small from end to end. SQLite goes by its indexes anyhow.
    """
    if serves_several():
        with transaction() as session:
            session.execute(text(f"ANALYZE {', '.join(one.__table__.name for one in models)}"))  # type: ignore[attr-defined]


def serves_several() -> bool:
    """Tell whether the database is a server that works for several connections at once; SQLite is none."""
    return db.engine.dialect.name != "sqlite"


def for_another_thread(task: Callable[P, R]) -> Callable[P, R]:
    """Return `task` as another thread may run it: on the database of here, with sessions of its own."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy means the thread that asks it

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with app.app_context():
            return task(*args, **kwargs)

    return run


class Statement:
    """SQL by hand over whole numbers, run hundreds of times a second, each time by itself and committed at once.

    `{0}` stands for each number. On PostgreSQL it is prepared and run through libpq: the way through cursors costs
    more time than the answer.
    """

    def __init__(self, connection: "OwnConnection", name: str, sql: str) -> None:
        self._driver, self._name, self._sql = connection.driver, name.encode(), sql.replace("{0}", "?")
        self.first: Callable[..., Sequence[Any] | None] = self._first_of_sqlite
        if not connection.is_sqlite:
            self.first = self._first_of_postgres
            numbers = count(1)
            prepared = re.sub(r"\{0\}", lambda _: f"${next(numbers)}::bigint", sql)
            self._checked(self._driver.pgconn.prepare(self._name, prepared.encode()))

    def _first_of_sqlite(self, *values: int) -> Sequence[Any] | None:
        # All rows of one: SQLite ends its reading with the last.
        rows = self._driver.execute(self._sql, values).fetchall()
        return rows[0] if rows else None

    def _first_of_postgres(self, *values: int) -> Sequence[Any] | None:
        numbers = [b"%d" % value for value in values]
        result = self._checked(self._driver.pgconn.exec_prepared(self._name, numbers))
        return [result.get_value(0, column) for column in range(result.nfields)] if result.ntuples else None

    def _checked(self, result: Any) -> Any:
        if result.error_message:
            words = RuntimeError(result.error_message.decode("utf-8", "replace"))
            raise OperationalError(self._sql, None, words)
        return result


class OwnConnection:
    """A connection held by one lane for its `Statement`s."""

    def __init__(self) -> None:
        self._pooled = db.engine.raw_connection()
        self.driver: Any = self._pooled.driver_connection
        self.is_sqlite = db.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Close it for good: what was prepared on it would be in the next holder's way."""
        self._pooled.invalidate()
        self._pooled.close()


def changed(result: Result[Any]) -> int:
    """Return how many rows an UPDATE or DELETE touched."""
    return int(cast("CursorResult[Any]", result).rowcount)


def is_sqlite(session: Session) -> bool:
    """Tell whether this session talks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def among(session: Session, column: InstrumentedAttribute[T], values: Collection[T]) -> ColumnElement[bool]:
    """SQL: whether a column is one of `values`; on PostgreSQL as one parameter, so that a statement is planned once
    however many there are, and not for each number of them anew.
    """
    if is_sqlite(session):
        return column.in_(values)
    return column == any_(literal(list(values), ARRAY(column.type)))


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, SqliteConnection):
        return
    connection.isolation_level = None  # so that our own BEGIN below is the only one
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("tidings_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
