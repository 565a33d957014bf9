"""What somebody with the rights of the schema's owner can do to the ledger: the guards are taken off first."""

from collections.abc import Iterable

from sqlalchemy import Executable, delete, insert, select, text, update
from sqlalchemy.orm import Session

from app.domain.ledger import ZERO_HASH, entry_hash
from app.storage.consent import as_entry
from app.storage.database import is_sqlite, transaction
from app.storage.models import ConsentEvent, ConsentPii, LedgerHead


def tamper(statement: str | Executable, **values: object) -> None:
    """Run one statement that the database's guards would refuse."""
    with transaction() as session:
        unguard(session)
        # By the connection, for a session refuses (app/storage/append_only).
        session.connection().execute(text(statement) if isinstance(statement, str) else statement, values)


def unguard(session: Session) -> None:
    """Drop the triggers that keep the ledger append-only."""
    for table in ("consent_event", "notice", "tree_head"):
        if is_sqlite(session):
            for verb in ("update", "delete", "replace"):
                session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
        else:
            session.execute(text(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}"))


def write_anew(*, dropping: Iterable[int] = (), **changed: object) -> None:
    """Write the whole ledger again without some entries, `changed` in all, every hash and the end made to fit."""
    with transaction() as session:
        unguard(session)
        events = session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq)).all()
        kept = [as_entry(event) | changed for event in events if event.seq not in set(dropping)]
        gone = [event.event_id for event in events if event.seq in set(dropping)]
        connection = session.connection()
        connection.execute(delete(ConsentPii).where(ConsentPii.event_id.in_(gone)))
        pii = [dict(row) for row in session.execute(select(ConsentPii.__table__)).mappings()]
        connection.execute(delete(ConsentPii))
        connection.execute(delete(ConsentEvent))
        previous = ZERO_HASH
        for seq, entry in enumerate(kept, start=1):
            entry |= {"seq": seq, "prev_hash": previous}
            previous = entry["entry_hash"] = entry_hash(entry)
        session.execute(insert(ConsentEvent), kept)
        session.execute(insert(ConsentPii.__table__), pii)
        session.execute(update(LedgerHead).values(seq=len(kept), entry_hash=previous))
