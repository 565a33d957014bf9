"""Code of ours cannot change or delete what the ledger said: each session refuses before anything reaches the database.

The triggers of the database refuse too, whoever asks (rule T17). This guard names the line of code at fault, holds
where a restored copy has lost its triggers, and guards the two tables of which erasure may delete, and nobody else.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import event, inspect
from sqlalchemy.orm import ORMExecuteState, Session

APPEND_ONLY: Final = frozenset({"consent_event", "notice", "tree_head"})
# The sealed personal part never changes, and it goes with the person's key, by erasure or when it is old enough.
NEVER_UPDATED: Final = APPEND_ONLY | {"consent_pii"}
DELETED_BY_ERASURE: Final = frozenset({"consent_pii", "subject"})
ERASES: Final[Mapping[str, bool]] = {"tidings_erases": True}


class AppendOnlyError(RuntimeError):
    """Code tried to change or delete what must stay; nothing was sent to the database."""


def watch(session: type[Session]) -> None:
    """Guard every session of this class, and of those made from it."""
    event.listen(session, "before_flush", _before_flush)
    event.listen(session, "do_orm_execute", _before_statement)


def _before_flush(session: Session, _context: Any, _instances: Any) -> None:
    for thing in session.dirty:
        if session.is_modified(thing):
            _refuse_update(_table_of(thing))
    for thing in session.deleted:
        _refuse_delete(_table_of(thing), erases=False)


def _before_statement(state: ORMExecuteState) -> None:
    if state.is_update:
        _refuse_update(_target(state))
    elif state.is_delete:
        _refuse_delete(_target(state), erases=bool(state.execution_options.get("tidings_erases")))


def _refuse_update(table: str) -> None:
    if table in NEVER_UPDATED:
        raise AppendOnlyError(f"{table} is append-only: add a row that says what changed.")


def _refuse_delete(table: str, *, erases: bool) -> None:
    if table in APPEND_ONLY:
        raise AppendOnlyError(f"{table} is append-only: its rows stay, erasure makes them anonymous.")
    if table in DELETED_BY_ERASURE and not erases:
        raise AppendOnlyError(
            f"{table} is append-only but for erasure: services/rights/wiping is the one way."
        )


def _table_of(thing: object) -> str:
    return str(inspect(thing).mapper.local_table.name)


def _target(state: ORMExecuteState) -> str:
    return str(state.statement.table.name)  # type: ignore[attr-defined]  # UPDATE and DELETE have a table
