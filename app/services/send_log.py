"""The log of sends: each day's deliveries as a file outside the database, and their Merkle root in the ledger.

A delivery's row changes when receipts come in, and goes when a person is erased. The file says what was known when the
day was closed; one line of canonical JSON for each delivery, and SHA-256(0x00, line) is its leaf.
"""

import gzip
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.consent import EventType
from app.domain.ledger import ChainError, MerkleTree, canonical, iso_ms, leaf_hash
from app.domain.statuses import DeliveryStatus
from app.services.controller import Controller
from app.services.ledger_statements import state
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Delivery, Subscriber

_UNSETTLED: Final = (DeliveryStatus.PENDING.value, DeliveryStatus.HANDING_OVER.value)
_PAGE: Final = 2000


def log_sends(folder: Path, *, controller: Controller, until: datetime, now: datetime) -> int:
    """Log what became of the broadcasts' deliveries since the last log and before `until`; returns how many.

    Nothing to log writes no entry. Raises `OSError` when the folder cannot be written.
    """
    session = db.session()
    since = _logged_until(session, controller.ledger)
    start = datetime.fromisoformat(since) if since else None
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".sends-{os.getpid()}.draft"
    try:
        with draft.open("wb") as file:
            count, root = _write(file, _lines(session, start, until))
        if count:
            said = {"count": count, "from": since, "root": root, "until": iso_ms(until)}
            _keep(draft, folder, since, said, controller, now)
    finally:
        draft.unlink(missing_ok=True)
    return count


def file_name(ledger: str, until: str) -> str:
    """Return the name of the log that ends before `until`, such as `main-sends-until-2026-11-28.jsonl.gz`."""
    return f"{quote(ledger, safe='')}-sends-until-{until[:10]}.jsonl.gz"


def check_log(folder: Path, body: Mapping[str, Any]) -> None:
    """Compare the log in `folder` that an entry speaks of with its root, if it is there. Raises `ChainError`."""
    said = json.loads(body["statement"])
    path = folder / file_name(body["ledger"], said.get("until", ""))
    if body["event_type"] != EventType.SEND_LOG_ROOT or not path.exists():
        return
    tree = MerkleTree()
    try:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                tree.append(leaf_hash(line.rstrip(b"\n")))
    except (OSError, EOFError) as error:
        raise ChainError(body["seq"], f"the log of sends {path.name} cannot be read: {error}") from error
    if tree.root() != said["root"]:
        raise ChainError(body["seq"], f"the log of sends {path.name} is not the one that was closed then.")


def _logged_until(session: Session, ledger: str) -> str | None:
    last = session.scalar(
        select(ConsentEvent.statement)
        .where(ConsentEvent.ledger == ledger, ConsentEvent.event_type == EventType.SEND_LOG_ROOT.value)
        .order_by(ConsentEvent.seq.desc())
        .limit(1)
    )
    return str(json.loads(last)["until"]) if last else None


def _lines(session: Session, since: datetime | None, until: datetime) -> Iterator[bytes]:
    query = (
        select(
            Delivery.broadcast_id,
            Subscriber.subject_ref,
            Delivery.consent_seq,
            Delivery.status,
            Delivery.updated_at,
        )
        .outerjoin(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(
            Delivery.inbound_id == 0,
            Delivery.consent_seq.is_not(None),
            Delivery.status.not_in(_UNSETTLED),
            Delivery.updated_at < until,
        )
        .order_by(Delivery.broadcast_id, Delivery.subscriber_id)
    )
    if since:
        query = query.where(Delivery.updated_at >= since)
    with session.execute(query, execution_options={"yield_per": _PAGE}) as rows:
        for row in rows:
            yield canonical(
                {
                    "broadcast_id": row.broadcast_id,
                    "consent_seq": row.consent_seq,
                    "status": DeliveryStatus(row.status).name.lower(),
                    "subject_ref": row.subject_ref,
                    "time": iso_ms(row.updated_at),
                }
            )


def _write(file: BinaryIO, lines: Iterator[bytes]) -> tuple[int, str]:
    tree = MerkleTree()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        for line in lines:
            packed.write(line + b"\n")
            tree.append(leaf_hash(line))
    return tree.size, tree.root()


def _keep(
    draft: Path,
    folder: Path,
    since: str | None,
    said: Mapping[str, Any],
    controller: Controller,
    now: datetime,
) -> None:
    """Write the entry and give the file its name, unless another clock was faster."""
    with transaction() as session:
        lock_head(session, controller.ledger)
        if _logged_until(session, controller.ledger) != since:
            return
        state(session, EventType.SEND_LOG_ROOT, said, actor="system:clock", controller=controller, now=now)
        draft.chmod(0o444)
        draft.replace(folder / file_name(controller.ledger, cast("str", said["until"])))
