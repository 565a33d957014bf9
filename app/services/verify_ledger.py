"""Check the whole ledger: chain, hashes, gaps, the personal parts that are still there, notices, signed heads."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.domain.ledger import Chain, ChainError, commit_bytes
from app.domain.sealing import BadKey, CannotOpen, KeyRing, open_with
from app.domain.tree_heads import SignedHead
from app.services import head_files
from app.services.check_heads import HeadCheck, usable
from app.services.controller import Controller
from app.services.send_log import check_log
from app.services.sign_heads import signed_heads
from app.storage.consent import HASHED_COLUMNS
from app.storage.database import db
from app.storage.models import ConsentEvent, ConsentPii, LedgerHead, Notice, Subject

_PAGE: Final = 1000


@dataclass(frozen=True)
class BadEntry:
    """The first entry that is not what was written, and what is wrong with it."""

    seq: int
    event_id: str | None
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What a check of the ledger found. `root` and `head_hash` cover `count` entries, all good when `bad` is None.

    `opened` personal parts agree with their commitment; `erased` ones are gone, as the law may ask. `heads` signed
    heads were compared; `problems` are signed heads that could not be, because they are forged or no heads.
    """

    ledger: str
    count: int
    head_hash: str
    root: str
    opened: int
    erased: int
    heads: int = 0
    newest_head: str | None = None
    problems: tuple[str, ...] = ()
    bad: BadEntry | None = None


@dataclass(frozen=True)
class Kept:
    """What was kept outside: one head as number and hash, a folder of signed ones, and keys that were once ours."""

    head: tuple[int, str] | None = None
    folder: Path | None = None
    public_keys: Collection[str] = ()


def verify(
    *,
    controller: Controller,
    kept: Kept = Kept(),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Verdict:
    """Read the ledger from its first entry to its last, in constant memory, and stop at the first bad one.

    What was kept must be the beginning of what is there now, or the ledger was rewritten or cut. `on_progress` is
    told entries done and in all, each thousand entries. Raises `Refused` when the folder kept is not there.
    """
    session = db.session()
    heads, problems = _heads(session, controller, kept)
    reading = _Reading(controller.keys, _notice_hashes(session), kept, HeadCheck(heads))
    head = session.get(LedgerHead, controller.ledger, populate_existing=True)
    total = head.seq if head else 0
    bad = None
    try:
        with session.execute(
            _query(controller.ledger, total), execution_options={"yield_per": _PAGE}
        ) as rows:
            reading.read(rows, total, on_progress)
        _check_end(session, controller.ledger, reading, total, head.entry_hash if head else None)
    except ChainError as error:
        event_id = reading.event_id if reading.position == error.seq else None
        bad = BadEntry(error.seq, event_id, error.reason)
    return _verdict(controller.ledger, reading, problems, bad)


def _heads(session: Session, controller: Controller, kept: Kept) -> tuple[list[SignedHead], tuple[str, ...]]:
    exported, strange = head_files.read(kept.folder) if kept.folder else ([], ())
    ours = {*controller.keys.public_keys.values(), *kept.public_keys}
    heads, problems = usable([*signed_heads(session, controller.ledger), *exported], controller.ledger, ours)
    return heads, strange + problems


@dataclass
class _Reading:
    """How far the check came, and what is checked of each entry beside the chain itself."""

    keys: KeyRing
    notices: Mapping[int, str]
    kept: Kept
    heads: HeadCheck
    chain: Chain = field(default_factory=Chain)
    position: int = 0
    event_id: str | None = None
    opened: int = 0
    erased: int = 0

    def read(
        self,
        rows: Iterable[Row[*tuple[Any, ...]]],
        total: int,
        on_progress: Callable[[int, int], None],
    ) -> None:
        """Take every row. Raises `ChainError` for the first that is not what was written."""
        self.heads.look(self.chain.tree)
        for self.position, row in enumerate(rows, start=1):
            *values, entry_hash, salt, sealed, wrapped_key = row
            body = dict(zip(HASHED_COLUMNS, values, strict=True))
            if body["statement"] is None:
                del body["statement"]
            self.event_id = body["event_id"] if body["seq"] == self.position else None
            self.chain.follow(body, entry_hash)
            self._check_kept(body, entry_hash)
            self._check_notice(body)
            if body["pii_commit"] is not None:
                self._check_personal_part(body, salt, sealed, wrapped_key)
            if "statement" in body and self.kept.folder:
                check_log(self.kept.folder, body)
            self.heads.look(self.chain.tree)
            if self.position % _PAGE == 0 or self.position == total:
                on_progress(self.position, total)

    def _check_kept(self, body: Mapping[str, Any], entry_hash: str) -> None:
        head = self.kept.head
        if head and body["seq"] == head[0] and entry_hash != head[1]:
            raise ChainError(
                body["seq"], "it is not the entry whose hash was kept: the ledger was rewritten."
            )

    def _check_notice(self, body: Mapping[str, Any]) -> None:
        notice_id = body["notice_id"]
        if notice_id is not None and self.notices.get(notice_id) != body["notice_sha256"]:
            raise ChainError(
                body["seq"], f"the words of notice {notice_id} are not those that were shown to the person."
            )

    def _check_personal_part(
        self, body: Mapping[str, Any], salt: bytes | None, sealed: bytes, wrapped_key: bytes | None
    ) -> None:
        if salt is None or wrapped_key is None:
            self.erased += 1
            return
        try:
            true = commit_bytes(open_with(self.keys.unwrap(wrapped_key), sealed), salt) == body["pii_commit"]
        except (CannotOpen, BadKey, ValueError) as error:
            raise ChainError(body["seq"], f"its personal part cannot be opened: {error}") from error
        if not true:
            raise ChainError(body["seq"], "its personal part is not the one it was committed to.")
        self.opened += 1


def _verdict(ledger: str, reading: _Reading, problems: tuple[str, ...], bad: BadEntry | None) -> Verdict:
    summary, passed = reading.chain.summary(), reading.heads.passed
    return Verdict(
        ledger=ledger,
        count=summary.count,
        head_hash=summary.head_hash,
        root=summary.root,
        opened=reading.opened,
        erased=reading.erased,
        heads=len(passed),
        newest_head=max((head.time for head in passed), default=None),
        problems=problems,
        bad=bad,
    )


def _query(ledger: str, total: int) -> Select[*tuple[Any, ...]]:
    event, pii, subject = ConsentEvent.__table__, ConsentPii.__table__, Subject.__table__
    columns = [event.c[name] for name in HASHED_COLUMNS]
    return (
        select(*columns, event.c.entry_hash, pii.c.salt, pii.c.sealed, subject.c.wrapped_key)
        .outerjoin(pii, pii.c.event_id == event.c.event_id)
        .outerjoin(subject, subject.c.subject_ref == event.c.subject_ref)
        .where(event.c.ledger == ledger, event.c.seq <= total)
        .order_by(event.c.seq)
    )


def _notice_hashes(session: Session) -> dict[int, str]:
    """Return the hash of each notice's words as they stand now."""
    found = session.execute(select(Notice.id, Notice.text))
    return {notice_id: hashlib.sha256(text.encode()).hexdigest() for notice_id, text in found}


def _check_end(session: Session, ledger: str, reading: _Reading, total: int, head_hash: str | None) -> None:
    count, kept = reading.chain.tree.size, reading.kept.head
    if count < total:
        raise ChainError(count + 1, f"it is missing: the head says that there are {total} entries.")
    if head_hash is not None and reading.chain.head_hash != head_hash:
        raise ChainError(count, "the head names another hash for the last entry.")
    if kept and kept[0] > count:
        raise ChainError(count + 1, f"it is missing: entry {kept[0]} existed when its hash was kept.")
    reading.heads.end(count)
    newest = session.scalar(select(func.max(ConsentEvent.seq)).where(ConsentEvent.ledger == ledger)) or 0
    end = session.scalar(select(LedgerHead.seq).where(LedgerHead.ledger == ledger)) or 0
    if newest > end:
        raise ChainError(
            end + 1, "it stands beyond the end that the head names: it was not written by Tidings."
        )
