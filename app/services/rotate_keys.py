"""Move everything that the master key protects to a new one, in steps that may be interrupted.

From the start on both keys open and find everything: a suppressed number is suppressed at every moment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from app.domain.consent import EventType
from app.domain.sealing import CannotOpen, KeyRing
from app.services.audit import note
from app.services.controller import Controller, Refused
from app.services.gateways_of_senders import SEAL_LABEL
from app.services.ledger_statements import state
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, RestrictedSubject, Sender, Subject, Subscriber, Suppression

BATCH: Final = 1000
VOUCH: Final = b"tidings: this key takes over from the one that signs here: "
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class KeyCounts:
    """What stands under the key of one version. `hashes` are suppressions, and proofs under lock, found by it alone."""

    version: int
    public_key: str
    data_keys: int
    hashes: int


@dataclass(frozen=True)
class Rotated:
    """What one run moved, and what can never be moved: hashes of people whose address is gone."""

    senders: int
    data_keys: int
    suppressions: int
    left_hashes: int


def show(*, controller: Controller) -> list[KeyCounts]:
    """Return what stands under each version, the present one first; a key that was thrown away has no public key."""
    session, keys = db.session(), controller.keys
    data_keys = _counts(session, Subject.key_version)
    hashes = _counts(session, Suppression.key_version)
    versions = sorted({keys.version, *keys.public_keys, *data_keys, *hashes}, reverse=True)
    return [
        KeyCounts(one, keys.public_keys.get(one, ""), data_keys.get(one, 0), hashes.get(one, 0))
        for one in versions
    ]


def rotate(
    *, by: str, controller: Controller, now: datetime, progress: Progress = lambda done, total: None
) -> Rotated:
    """Wrap every data key anew, hash every known address anew, seal senders anew; a run that was cut off goes on.

    The ledger says who took over from whom, signed by the key before. Raises `Refused` when there is no key before,
    or when something opens with none of the keys: then nothing more is done.
    """
    keys = controller.keys
    if keys.version == 1:
        raise Refused(
            "There is only one key. Make a new one (tidings keys new), set it as MASTER_KEY, put the one that you "
            "have now first in MASTER_KEY_PREVIOUS, restart all processes, and run this again."
        )
    senders = _senders(keys)
    _say_so(by, controller, now)
    total = db.session.scalar(select(func.count()).where(Subject.key_version < keys.version)) or 0
    db.session.rollback()
    done = moved = 0
    last = ""
    while True:
        with transaction() as session:
            last, count, found = _step(session, keys, last)
        if not count:
            break
        done, moved = done + count, moved + found
        progress(done, total)
    left = sum(one.hashes for one in show(controller=controller) if one.version < keys.version)
    db.session.rollback()
    return Rotated(senders, done, moved, left)


def _step(session: Session, keys: KeyRing, after: str) -> tuple[str, int, int]:
    """Move the next thousand people; returns the last of them, how many, and how many suppressions moved along."""
    rows = session.execute(
        select(Subject.subject_ref, Subject.wrapped_key, Subscriber.channel, Subscriber.address)
        .outerjoin(
            Subscriber, (Subscriber.subject_ref == Subject.subject_ref) & Subscriber.erased_at.is_(None)
        )
        .where(Subject.subject_ref > after, Subject.key_version < keys.version)
        .order_by(Subject.subject_ref)
        .limit(BATCH)
        .with_for_update(of=Subject)
    ).all()
    if not rows:
        return after, 0, 0
    locked = _under_lock(session, [row.subject_ref for row in rows])
    moves = [_moved(keys, row, row.subject_ref in locked) for row in rows]
    for statement, indexed in ((_WRAP, False), (_WRAP_AND_INDEX, True)):
        if some := [move for move in moves if ("b_index" in move) is indexed]:
            session.connection().execute(statement, some)
    return rows[-1].subject_ref, len(rows), _suppressions(session, keys, rows)


def _moved(keys: KeyRing, row: Any, locked: bool) -> dict[str, Any]:
    """Return what to write for one person: the index only where the address is known and is not meant to lead here."""
    try:
        wrapped = keys.wrap(keys.unwrap(row.wrapped_key))
    except CannotOpen as error:
        raise Refused(
            f"The data key of {row.subject_ref} opens with none of our keys; is one missing in "
            "MASTER_KEY_PREVIOUS? What was moved stays; run this again with all keys."
        ) from error
    move = {"b_ref": row.subject_ref, "b_wrapped": wrapped, "b_version": keys.version}
    if row.address is not None and not locked:
        move["b_index"] = keys.index_hmac(row.channel, row.address)
    return move


def _suppressions(session: Session, keys: KeyRing, rows: Any) -> int:
    """Hash the suppressions of these people anew, while their address is there to be hashed."""
    fresh = {}
    for row in rows:
        if row.address is not None:
            now_, *older = keys.suppress_hmacs(row.channel, row.address).values()
            fresh.update(dict.fromkeys(older, now_))
    found = session.execute(select(Suppression.id, Suppression.hmac).where(Suppression.hmac.in_(fresh))).all()
    for id_, hmac in found:
        session.execute(
            update(Suppression)
            .where(Suppression.id == id_)
            .values(hmac=fresh[hmac], key_version=keys.version)
        )
    return len(found)


def _under_lock(session: Session, refs: list[str]) -> set[str]:
    found = select(RestrictedSubject.subject_ref).where(RestrictedSubject.subject_ref.in_(refs))
    return set(session.scalars(found))


def _senders(keys: KeyRing) -> int:
    with transaction() as session:
        rows = session.scalars(select(Sender).order_by(Sender.id).with_for_update()).all()
        old = [row for row in rows if not keys.is_present(row.sealed_settings, SEAL_LABEL)]
        for row in old:
            try:
                plain = keys.open(row.sealed_settings, SEAL_LABEL)
            except CannotOpen as error:
                raise Refused(
                    f"The settings of the sender “{row.name}” open with none of our keys; is one missing in "
                    "MASTER_KEY_PREVIOUS?"
                ) from error
            row.sealed_settings = keys.seal(plain, SEAL_LABEL)
        return len(old)


def _say_so(by: str, controller: Controller, now: datetime) -> None:
    """Write into the ledger, once, that this key took over, signed by the newest key before it that we still have."""
    keys = controller.keys
    before = next((version for version in keys.public_keys if version < keys.version), None)
    said = {"key_version": keys.version, "public_key": keys.public_key}
    with transaction() as session:
        told = select(ConsentEvent.statement).where(
            ConsentEvent.ledger == controller.ledger,
            ConsentEvent.event_type == EventType.KEY_ROTATED.value,
        )
        if any(keys.public_key in (statement or "") for statement in session.scalars(told)):
            return
        if before is not None:
            signature = keys.sign_as(before, VOUCH + keys.public_key.encode()).hex()
            said |= {"previous_public_key": keys.public_keys[before], "signature": signature}
        state(session, EventType.KEY_ROTATED, said, actor=f"operator:{by}", controller=controller, now=now)
        note(session, by, "keys.rotate", f"key {keys.version}", now)


def _counts(session: Session, column: Any) -> dict[int, int]:
    return {
        version: count for version, count in session.execute(select(column, func.count()).group_by(column))
    }


_WRAP = (
    update(Subject.__table__)  # type: ignore[arg-type]  # a mapped class's table is typed as FromClause
    .where(Subject.subject_ref == bindparam("b_ref"))
    .values(wrapped_key=bindparam("b_wrapped"), key_version=bindparam("b_version"))
)
_WRAP_AND_INDEX = _WRAP.values(index_hmac=bindparam("b_index"))
