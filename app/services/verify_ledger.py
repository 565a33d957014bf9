"""Check the whole ledger: chain, hashes, gaps, the personal parts that are still there, the notices, the head."""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.domain.ledger import ChainError, commit, verify_chain
from app.domain.sealing import BadKey, CannotOpen, KeyRing
from app.services.controller import Controller
from app.services.record_consent import open_pii
from app.storage.database import db
from app.storage.models import ConsentEvent, ConsentPii, LedgerHead, Notice, Subject

_PAGE: Final = 1000
_COLUMNS: Final = tuple(column.key for column in ConsentEvent.__table__.columns)


@dataclass(frozen=True)
class BadEntry:
    """The first entry that is not what was written, and what is wrong with it."""

    seq: int
    event_id: str | None
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What a check of the ledger found. `root` and `head_hash` cover `count` entries, all good when `bad` is None.

    `opened` personal parts agree with their commitment; `erased` ones are gone, as the law may ask.
    """

    ledger: str
    count: int
    head_hash: str
    root: str
    opened: int
    erased: int
    bad: BadEntry | None = None


@dataclass
class _Tally:
    """How far the check came."""

    seq: int = 0
    event_id: str | None = None
    opened: int = 0
    erased: int = 0


def verify(
    *,
    controller: Controller,
    kept: tuple[int, str] | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Verdict:
    """Read the ledger from its first entry to its last, in constant memory, and stop at the first bad one.

    `kept` is a head (number and hash) that was written down outside earlier: it must still be in the chain, or
    the ledger was rewritten. `on_progress` is told entries done and in all, each thousand entries.
    """
    session, tally = db.session(), _Tally()
    head = session.get(LedgerHead, controller.ledger, populate_existing=True)
    total, head_hash = (head.seq, head.entry_hash) if head else (0, None)
    checks = _Checks(controller.keys, _notice_hashes(session), kept, tally)
    try:
        with closing(checks.run(session, controller.ledger, total, on_progress)) as entries:
            summary = verify_chain(entries)
        _check_end(session, controller.ledger, summary.count, summary.head_hash, total, head_hash, kept)
    except ChainError as error:
        event_id = tally.event_id if tally.seq == error.seq else None
        bad = BadEntry(error.seq, event_id, error.reason)
        return Verdict(controller.ledger, tally.seq, "", "", tally.opened, tally.erased, bad)
    return Verdict(
        controller.ledger, summary.count, summary.head_hash, summary.root, tally.opened, tally.erased
    )


@dataclass
class _Checks:
    """What is checked of each entry beside the chain itself."""

    keys: KeyRing
    notices: Mapping[int, str]
    kept: tuple[int, str] | None
    tally: _Tally

    def run(
        self, session: Session, ledger: str, total: int, on_progress: Callable[[int, int], None]
    ) -> Generator[Mapping[str, Any]]:
        """Yield each entry for the chain's check, and look at its other parts once that has passed."""
        with session.execute(_query(ledger, total), execution_options={"yield_per": _PAGE}) as rows:
            yield from self._checked(rows, total, on_progress)

    def _checked(
        self,
        rows: Iterable[Row[*tuple[Any, ...]]],
        total: int,
        on_progress: Callable[[int, int], None],
    ) -> Iterator[Mapping[str, Any]]:
        for position, row in enumerate(rows, start=1):
            entry = {name: row._mapping[name] for name in _COLUMNS}
            self.tally.seq = position
            self.tally.event_id = entry["event_id"] if entry["seq"] == position else None
            yield entry
            self._check_kept(entry)
            self._check_notice(entry)
            self._check_personal_part(entry, row)
            if position % _PAGE == 0 or position == total:
                on_progress(position, total)

    def _check_kept(self, entry: Mapping[str, Any]) -> None:
        if self.kept and entry["seq"] == self.kept[0] and entry["entry_hash"] != self.kept[1]:
            raise ChainError(
                entry["seq"], "it is not the entry whose hash was kept: the ledger was rewritten."
            )

    def _check_notice(self, entry: Mapping[str, Any]) -> None:
        notice_id = entry["notice_id"]
        if notice_id is not None and self.notices.get(notice_id) != entry["notice_sha256"]:
            raise ChainError(
                entry["seq"], f"the words of notice {notice_id} are not those that were shown to the person."
            )

    def _check_personal_part(self, entry: Mapping[str, Any], row: Row[*tuple[Any, ...]]) -> None:
        if entry["pii_commit"] is None:
            return
        if row.salt is None or row.wrapped_key is None:
            self.tally.erased += 1
            return
        try:
            pii = open_pii(row.sealed, row.wrapped_key, self.keys)
            true = commit(pii, row.salt) == entry["pii_commit"]
        except (CannotOpen, BadKey, ValueError) as error:
            raise ChainError(entry["seq"], f"its personal part cannot be opened: {error}") from error
        if not true:
            raise ChainError(entry["seq"], "its personal part is not the one it was committed to.")
        self.tally.opened += 1


def _query(ledger: str, total: int) -> Select[*tuple[Any, ...]]:
    table = ConsentEvent.__table__
    return (
        select(table, ConsentPii.salt, ConsentPii.sealed, Subject.wrapped_key)
        .outerjoin(ConsentPii, ConsentPii.event_id == table.c.event_id)
        .outerjoin(Subject, Subject.subject_ref == table.c.subject_ref)
        .where(table.c.ledger == ledger, table.c.seq <= total)
        .order_by(table.c.seq)
    )


def _notice_hashes(session: Session) -> dict[int, str]:
    """Return the hash of each notice's words as they stand now."""
    found = session.execute(select(Notice.id, Notice.text))
    return {notice_id: hashlib.sha256(text.encode()).hexdigest() for notice_id, text in found}


def _check_end(
    session: Session,
    ledger: str,
    count: int,
    last_hash: str,
    total: int,
    head_hash: str | None,
    kept: tuple[int, str] | None,
) -> None:
    if count < total:
        raise ChainError(count + 1, f"it is missing: the head says that there are {total} entries.")
    if head_hash is not None and last_hash != head_hash:
        raise ChainError(count, "the head names another hash for the last entry.")
    if kept and kept[0] > count:
        raise ChainError(count + 1, f"it is missing: entry {kept[0]} existed when its hash was kept.")
    newest = session.scalar(select(func.max(ConsentEvent.seq)).where(ConsentEvent.ledger == ledger)) or 0
    end = session.scalar(select(LedgerHead.seq).where(LedgerHead.ledger == ledger)) or 0
    if newest > end:
        raise ChainError(
            end + 1, "it stands beyond the end that the head names: it was not written by Tidings."
        )
