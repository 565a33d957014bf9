"""What a group of words has in common: read once for all of them, and written by a few statements at the end.

Words that come in a crowd are decided one by one, by the same code as a lone one. What costs is asking the database the
same, or nearly the same, for each; so a session may carry a `Shared`, in which readers find what was read already.
Nothing is kept beyond the transaction. Any other question of such a session writes first what waits, as always.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from sqlalchemy import event, func, insert, select, text
from sqlalchemy.orm import Session

from app.storage.database import is_sqlite
from app.storage.models import ConsentEvent, ConsentPii, InboundRow

_KEY: Final = "tidings_shared"
T = TypeVar("T")
Reader = Callable[[Session, Collection[int]], Mapping[int, T]]


class Shared:
    """What one session has read, and what waits to be written with its next flush.

    `people` are the subscribers whose words are being decided, one word of each; what was read about them is forgotten
    when the next are. `left` collects those who left an audience.
    """

    def __init__(self, session: Session) -> None:
        self._once: dict[Hashable, Any] = {}
        self._about: dict[str, Mapping[int, Any]] = {}
        self._events: list[Mapping[str, Any]] = []
        self._pii: list[Mapping[str, Any]] = []
        self.people: frozenset[int] = frozenset()
        self.left: list[Any] = []
        self.inbound_ids: Iterator[int] = iter(())
        event.listen(session, "before_flush", self._write)

    def about(self, people: Collection[int]) -> None:
        """From now on, words of these people are decided."""
        self.people = frozenset(people)
        self._about.clear()

    def once(self, session: Session, key: Hashable, read: Callable[[Session], T]) -> T:
        """Return what `read` found when it was asked for `key` first: settings, which no word changes."""
        if key not in self._once:
            with session.no_autoflush:
                self._once[key] = read(session)
        return cast("T", self._once[key])

    def of(self, session: Session, key: str, read: Reader[T]) -> Mapping[int, T]:
        """Return what `read` found for all the people. What waits to be written is of others, so it goes on waiting."""
        if key not in self._about:
            with session.no_autoflush:
                self._about[key] = read(session, self.people)
        return self._about[key]

    def write_later(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Keep chained entries until the next flush, which is due: the ledger's head has changed."""
        self._events += entries

    def write_pii_later(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep the sealed parts of entries until these are written."""
        self._pii += rows

    def _write(self, session: Session, _context: Any, _instances: Any) -> None:
        connection = session.connection()
        for model, waiting in ((ConsentEvent, self._events), (ConsentPii, self._pii)):
            if waiting:
                connection.execute(insert(model.__table__), waiting)  # type: ignore[arg-type]  # typed as FromClause
                waiting.clear()


def share(session: Session) -> Shared:
    """Let the readers of this session share what they read until its transaction ends."""
    shared = session.info[_KEY] = Shared(session)
    return shared


def shared_by(session: Session) -> Shared | None:
    """Return what the readers of this session share; None where each word is alone, which is the rule."""
    return session.info.get(_KEY)


def once(session: Session, key: Hashable, read: Callable[[Session], T]) -> T:
    """Return what `read` finds, or found for `key` before in a session whose readers share."""
    shared = shared_by(session)
    return read(session) if shared is None else shared.once(session, key, read)


def about(session: Session, subscriber_id: int, key: str, read: Reader[T]) -> T | None:
    """Return what `read` finds about one subscriber, asked for all at once in a session whose readers share."""
    shared = shared_by(session)
    if shared is None or subscriber_id not in shared.people:
        return read(session, (subscriber_id,)).get(subscriber_id)
    return shared.of(session, key, read).get(subscriber_id)


def reserve_inbound_ids(session: Session, count: int) -> Iterator[int]:
    """Return ids for so many inbound messages, so that their rows need not be written before their answers are known.

    On SQLite the caller has the one lock for writing, and nobody else can take them.
    """
    if is_sqlite(session):
        last = session.scalar(select(func.max(InboundRow.id))) or 0
        return iter(range(last + 1, last + 1 + count))
    sequence = text(
        "SELECT nextval(pg_get_serial_sequence('inbound_message', 'id')) FROM generate_series(1, :count)"
    )
    return iter(sorted(session.scalars(sequence, {"count": count})))
