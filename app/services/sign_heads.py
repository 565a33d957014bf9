"""Sign the head of the ledger, each day and on demand, and export it to where the database's owner has no hand."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.ledger import MerkleTree, iso_ms
from app.domain.tree_heads import SignedHead, sign_head
from app.services import head_files
from app.services.controller import Controller, Refused
from app.services.send_log import log_sends
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, LedgerHead, TreeHead

_PAGE: Final = 10_000


def sign_heads(folder: Path, *, controller: Controller, now: datetime) -> SignedHead | None:
    """Close the sends of the days before today and sign today's first head; None when there is one already.

    Several clocks may call it. Raises `Refused` and `OSError` as `sign` and the log of sends do.
    """
    if _signed_since(db.session(), controller.ledger, iso_ms(now)[:10]):
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    log_sends(folder, controller=controller, until=midnight, now=now)
    return _sign(folder, controller, now, once_a_day=True)


def sign(folder: Path, *, controller: Controller, now: datetime) -> SignedHead:
    """Sign the ledger as it is now. Raises `Refused` when it contradicts the head before, or cannot be exported."""
    head = _sign(folder, controller, now, once_a_day=False)
    if head is None:
        raise Refused(
            f"There is a head of {iso_ms(now)} or later already. Look at the clock of this machine."
        )
    return head


def signed_heads(session: Session, ledger: str) -> list[SignedHead]:
    """Return the heads that the database holds, oldest first."""
    rows = session.scalars(select(TreeHead).where(TreeHead.ledger == ledger).order_by(TreeHead.signed_at))
    return [_as_head(row) for row in rows]


def list_heads(*, controller: Controller) -> Sequence[SignedHead]:
    """Return this ledger's heads, oldest first."""
    return signed_heads(db.session(), controller.ledger)


def export(folder: Path, *, controller: Controller) -> list[Path]:
    """Write every head that is not in `folder` yet; returns the new files. Raises `Refused`."""
    return head_files.write(folder, list_heads(controller=controller))


def _sign(folder: Path, controller: Controller, now: datetime, *, once_a_day: bool) -> SignedHead | None:
    size, root = _tree(db.session(), controller.ledger)
    head = sign_head(
        ledger=controller.ledger,
        tree_size=size,
        root=root,
        time=iso_ms(now),
        public_key=controller.keys.public_key,
        sign=controller.keys.sign,
    )
    with transaction() as session:
        lock_head(session, controller.ledger)
        if _signed_since(session, controller.ledger, head.time[:10] if once_a_day else head.time):
            return None
        session.add(_as_row(head))
        session.flush()
        head_files.write(folder, [head])
    return head


def _tree(session: Session, ledger: str) -> tuple[int, str]:
    """Return size and root of the ledger, which must go on from the newest head. Raises `Refused`."""
    end = session.get(LedgerHead, ledger, populate_existing=True)
    heads = signed_heads(session, ledger)
    last, tree = heads[-1] if heads else None, MerkleTree()
    query = (
        select(ConsentEvent.entry_hash)
        .where(ConsentEvent.ledger == ledger, ConsentEvent.seq <= (end.seq if end else 0))
        .order_by(ConsentEvent.seq)
    )
    with session.scalars(query, execution_options={"yield_per": _PAGE}) as hashes:
        for entry_hash in hashes:
            tree.append(entry_hash)
            if last and tree.size == last.tree_size and tree.root() != last.root:
                break
    if last and (tree.size < last.tree_size or (tree.size == last.tree_size and tree.root() != last.root)):
        raise Refused(
            f"The ledger is not the one whose head was signed at {last.time}, so nothing is signed. See what is "
            "wrong with it: tidings consent verify"
        )
    return tree.size, tree.root()


def _signed_since(session: Session, ledger: str, moment: str) -> bool:
    """Tell whether there is a head of `moment` or later, written as ISO text or the beginning of it."""
    query = select(TreeHead.id).where(TreeHead.ledger == ledger, TreeHead.signed_at >= moment).limit(1)
    return session.scalar(query) is not None


def _as_head(row: TreeHead) -> SignedHead:
    return SignedHead(row.ledger, row.tree_size, row.root, row.signed_at, row.public_key, row.signature)


def _as_row(head: SignedHead) -> TreeHead:
    return TreeHead(
        ledger=head.ledger,
        tree_size=head.tree_size,
        root=head.root,
        signed_at=head.time,
        public_key=head.public_key,
        signature=head.signature,
    )
